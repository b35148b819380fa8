/* sftp_packet -- numbers, names and attributes as SFTP writes them: big-endian, a
 * length before every string; sections 3 to 5 of the draft that sftp.h names. */
#ifndef IRIS_SFTP_PACKET_H
#define IRIS_SFTP_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "place.h"

/* A packet that has come, being read. What is taken beyond its end is 0 or empty,
 * and is_short is set. */
struct iris_sftp_packet {
    const unsigned char *at, *end;
    int is_short;
};

void iris_sftp_put_u32(struct iris_buf *b, uint32_t v);
void iris_sftp_put_u64(struct iris_buf *b, uint64_t v);
void iris_sftp_put_bytes(struct iris_buf *b, const void *data, size_t n);

/* A path; "~" and "~/" become the directory that the server begins in. */
void iris_sftp_put_path(struct iris_buf *b, const char *path);

uint32_t iris_sftp_get_u32(struct iris_sftp_packet *p);
uint64_t iris_sftp_get_u64(struct iris_sftp_packet *p);

/* A string, in the packet itself. */
const unsigned char *iris_sftp_get_bytes(struct iris_sftp_packet *p, size_t *n);

/* Attributes. A link is of unknown kind, and so is a file whose size or time is
 * not told. */
void iris_sftp_get_attributes(struct iris_sftp_packet *p, struct iris_place_file *file);

#endif
