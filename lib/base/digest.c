#include "digest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>
/* the same functions for the instructions of this machine, where they are installed */
#if defined __x86_64__ && defined __has_include
#if __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif
#endif

struct iris_digest {
    XXH3_state_t *state;
};

static void
to_text(XXH128_hash_t hash, char text[IRIS_DIGEST_TEXT])
{
    static const char digit[] = "0123456789abcdef";
    int i;

    for (i = 0; i < 16; i++) {
        text[i] = digit[(hash.high64 >> (60 - 4 * i)) & 15];
        text[16 + i] = digit[(hash.low64 >> (60 - 4 * i)) & 15];
    }
    text[32] = '\0';
}

struct iris_digest *
iris_digest_new(void)
{
    struct iris_digest *d = malloc(sizeof *d);

    if (!d)
        return NULL;
    d->state = XXH3_createState();
    if (!d->state || XXH3_128bits_reset(d->state) != XXH_OK) {
        iris_digest_free(d);
        return NULL;
    }
    return d;
}

void
iris_digest_free(struct iris_digest *d)
{
    if (d)
        XXH3_freeState(d->state);
    free(d);
}

void
iris_digest_add(struct iris_digest *d, const void *data, size_t len)
{
    if (len)
        XXH3_128bits_update(d->state, data, len);
}

void
iris_digest_text(const struct iris_digest *d, char text[IRIS_DIGEST_TEXT])
{
    to_text(XXH3_128bits_digest(d->state), text);
}

void
iris_digest_memory(const void *data, size_t len, char text[IRIS_DIGEST_TEXT])
{
    to_text(XXH3_128bits(data, len), text);
}

uint64_t
iris_hash64(uint64_t seed, const char *s)
{
    return XXH3_64bits_withSeed(s, strlen(s), seed);
}

enum iris_status
iris_digest_file(const char *path, char text[IRIS_DIGEST_TEXT], struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_digest *d = NULL;
    size_t size = 1 << 20;
    char *chunk = NULL;
    ssize_t n;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    d = iris_digest_new();
    chunk = malloc(size);
    if (!d || !chunk) {
        st = iris_fail_memory(err);
        goto done;
    }
    while ((n = read(fd, chunk, size)) > 0)
        iris_digest_add(d, chunk, (size_t)n);
    if (n < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot read '%s':", path);
    else
        iris_digest_text(d, text);
done:
    free(chunk);
    iris_digest_free(d);
    close(fd);
    return st;
}
