#include "sum.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* A disk there is hardly slower than this. */
#define SLOWEST_DISK 5e6 /* bytes a second */
enum { MUCH_TALK = 1 << 16 };

enum iris_status
iris_sum_start(struct iris_sum *s, struct iris_sftp *sftp, const char *path, uint64_t bytes,
               struct iris_err *err)
{
    struct iris_buf real = {0};
    enum iris_status st;

    *s = (struct iris_sum){.way = *sftp->ssh.way, .ssh = {.fd = -1}};
    s->way.timeout += (s->way.timeout > 0 ? 0 : 120) + (double)bytes / SLOWEST_DISK;
    st = iris_sftp_real_path(sftp, path, &real, err);
    if (!st)
        st = iris_ssh_open(&s->ssh, &s->way, sftp->ssh.host, "xargs -0 sha256sum --", &sftp->ssh,
                           err);
    /* one that has ended already computes none, as iris_sum_take will find */
    if (!st && iris_ssh_write(&s->ssh, iris_buf_str(&real), real.len + 1, err) == IRIS_E_RETRY)
        st = IRIS_E_RETRY;
    if (!st)
        iris_ssh_end(&s->ssh);
    iris_buf_release(&real);
    return st;
}

/* A name with a backslash or a line end makes the line begin with a backslash. */
static int
take_text(const char *line, char text[IRIS_SHA256_TEXT])
{
    line += *line == '\\';
    if (strspn(line, "0123456789abcdef") != IRIS_SHA256_TEXT - 1 ||
        line[IRIS_SHA256_TEXT - 1] != ' ')
        return -1;
    memcpy(text, line, IRIS_SHA256_TEXT - 1);
    text[IRIS_SHA256_TEXT - 1] = '\0';
    return 0;
}

enum iris_status
iris_sum_none(const char *host, struct iris_err *err)
{
    return iris_fail(err, IRIS_E_REMOTE, "'%s' computes no sha256: it has no shell or no sha256sum",
                     host);
}

/* What the shell of the account says of its own accord may stand before it. */
enum iris_status
iris_sum_take(struct iris_sum *s, char text[IRIS_SHA256_TEXT], struct iris_err *err)
{
    struct iris_buf said = {0};
    char chunk[4096], *line, *save = NULL;
    enum iris_status st = IRIS_OK;
    size_t got = 1;
    int found = 0;

    while (!st && got) {
        st = iris_ssh_read(&s->ssh, chunk, sizeof chunk, &got, err);
        if (!st && said.len < MUCH_TALK)
            iris_buf_append(&said, chunk, got);
    }
    if (!st)
        st = iris_buf_check(&said, err);
    for (line = st || !said.len ? NULL : strtok_r(said.data, "\n", &save); line && !found;
         line = strtok_r(NULL, "\n", &save))
        found = !take_text(line, text);
    iris_buf_release(&said);
    if (st || found)
        return st;
    return iris_sum_none(s->ssh.host, err);
}

void
iris_sum_close(struct iris_sum *s)
{
    iris_ssh_close(&s->ssh);
}

struct iris_sha256 *
iris_sha256_new(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }
    return (struct iris_sha256 *)ctx;
}

void
iris_sha256_add(void *self, const void *data, size_t n)
{
    EVP_DigestUpdate(self, data, n);
}

void
iris_sha256_end(struct iris_sha256 *h, char text[IRIS_SHA256_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;
    size_t i;

    EVP_DigestFinal_ex((EVP_MD_CTX *)h, sum, &n);
    for (i = 0; i < (IRIS_SHA256_TEXT - 1) / 2; i++) {
        text[2 * i] = digits[sum[i] >> 4];
        text[2 * i + 1] = digits[sum[i] & 15];
    }
    text[IRIS_SHA256_TEXT - 1] = '\0';
    EVP_MD_CTX_free((EVP_MD_CTX *)h);
}
