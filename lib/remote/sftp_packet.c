#include "sftp_packet.h"

#include <string.h>
#include <sys/stat.h>

/* flags of attributes */
enum { ATTR_SIZE = 1, ATTR_OWNER = 2, ATTR_PERMISSIONS = 4, ATTR_TIMES = 8 };
#define ATTR_EXTENDED 0x80000000u

void
iris_sftp_put_u32(struct iris_buf *b, uint32_t v)
{
    unsigned char bytes[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                              (unsigned char)(v >> 8), (unsigned char)v};

    iris_buf_append(b, bytes, sizeof bytes);
}

void
iris_sftp_put_u64(struct iris_buf *b, uint64_t v)
{
    iris_sftp_put_u32(b, (uint32_t)(v >> 32));
    iris_sftp_put_u32(b, (uint32_t)v);
}

void
iris_sftp_put_bytes(struct iris_buf *b, const void *data, size_t n)
{
    iris_sftp_put_u32(b, (uint32_t)n);
    iris_buf_append(b, data, n);
}

/* The sftp subsystem knows no home directory by that name. */
void
iris_sftp_put_path(struct iris_buf *b, const char *path)
{
    if (!strcmp(path, "~") || !strcmp(path, "~/"))
        path = ".";
    else if (!strncmp(path, "~/", 2))
        path += 2;
    iris_sftp_put_bytes(b, path, strlen(path));
}

uint32_t
iris_sftp_get_u32(struct iris_sftp_packet *p)
{
    const unsigned char *c = p->at;

    if (p->end - p->at < 4) {
        p->is_short = 1;
        return 0;
    }
    p->at += 4;
    return (uint32_t)c[0] << 24 | (uint32_t)c[1] << 16 | (uint32_t)c[2] << 8 | c[3];
}

uint64_t
iris_sftp_get_u64(struct iris_sftp_packet *p)
{
    uint64_t high = iris_sftp_get_u32(p);

    return high << 32 | iris_sftp_get_u32(p);
}

const unsigned char *
iris_sftp_get_bytes(struct iris_sftp_packet *p, size_t *n)
{
    const unsigned char *data;

    *n = iris_sftp_get_u32(p);
    if (p->is_short || (size_t)(p->end - p->at) < *n) {
        p->is_short = 1;
        *n = 0;
        return p->end;
    }
    data = p->at;
    p->at += *n;
    return data;
}

void
iris_sftp_get_attributes(struct iris_sftp_packet *p, struct iris_place_file *file)
{
    uint32_t flags = iris_sftp_get_u32(p), mode, count;
    size_t n;

    *file = (struct iris_place_file){.kind = IRIS_PLACE_UNKNOWN};
    if (flags & ATTR_SIZE)
        file->bytes = iris_sftp_get_u64(p);
    if (flags & ATTR_OWNER)
        iris_sftp_get_u64(p);
    if (flags & ATTR_PERMISSIONS) {
        mode = iris_sftp_get_u32(p);
        file->kind = (mode & S_IFMT) == S_IFREG   ? IRIS_PLACE_FILE
                     : (mode & S_IFMT) == S_IFDIR ? IRIS_PLACE_DIRECTORY
                     : (mode & S_IFMT) == S_IFLNK ? IRIS_PLACE_UNKNOWN
                                                  : IRIS_PLACE_OTHER;
    }
    if (flags & ATTR_TIMES) {
        iris_sftp_get_u32(p);
        file->mtime = (int64_t)iris_sftp_get_u32(p);
    }
    /* a file of which a part is not told is one that nothing is known of */
    if (file->kind == IRIS_PLACE_FILE && (~flags & (ATTR_SIZE | ATTR_TIMES)))
        file->kind = IRIS_PLACE_UNKNOWN;
    for (count = flags & ATTR_EXTENDED ? iris_sftp_get_u32(p) : 0; count && !p->is_short; count--) {
        iris_sftp_get_bytes(p, &n);
        iris_sftp_get_bytes(p, &n);
    }
}
