#include "sftp.h"

#include <stdlib.h>
#include <string.h>

#include "sftp_packet.h"

/* Names of section 3 to 7 of the draft. */
enum {
    FXP_INIT = 1,
    FXP_VERSION = 2,
    FXP_OPEN = 3,
    FXP_CLOSE = 4,
    FXP_READ = 5,
    FXP_FSTAT = 8,
    FXP_OPENDIR = 11,
    FXP_READDIR = 12,
    FXP_REALPATH = 16,
    FXP_STAT = 17,
    FXP_STATUS = 101,
    FXP_HANDLE = 102,
    FXP_DATA = 103,
    FXP_NAME = 104,
    FXP_ATTRS = 105
};
enum { FX_OK = 0, FX_EOF = 1, FX_NO_SUCH_FILE = 2, FX_PERMISSION_DENIED = 3 };
enum { OPEN_READ = 1 };
enum { VERSION = 3, MAX_PACKET = 256 << 10, ROOM = 2 * MAX_PACKET };
#define MAX_LIST ((size_t)256 << 20) /* bytes; no directory has as many names */

/* ---- what is sent ---- */

/* Begin a request; its length is put in when it is sent. */
static void
begin(struct iris_sftp *s, struct iris_buf *b, unsigned char type)
{
    iris_sftp_put_u32(b, 0);
    iris_buf_append(b, &type, 1);
    iris_sftp_put_u32(b, ++s->id);
}

static enum iris_status
send_packet(struct iris_sftp *s, struct iris_buf *b, struct iris_err *err)
{
    enum iris_status st = iris_buf_check(b, err);
    uint32_t n = (uint32_t)b->len - 4;

    if (!st) {
        b->data[0] = (char)(n >> 24);
        b->data[1] = (char)(n >> 16);
        b->data[2] = (char)(n >> 8);
        b->data[3] = (char)n;
        st = iris_ssh_write(&s->ssh, b->data, b->len, err);
    }
    iris_buf_release(b);
    return st;
}

/* ---- what comes ---- */

static enum iris_status
nonsense(const struct iris_sftp *s, struct iris_err *err)
{
    return iris_fail(err, IRIS_E_REMOTE, "'%s' does not speak SFTP as it should", s->ssh.host);
}

/* Have at least so many bytes in the buffer. */
static enum iris_status
need(struct iris_sftp *s, size_t n, struct iris_err *err)
{
    enum iris_status st;
    size_t got;

    if (ROOM - s->begin < n) {
        memmove(s->in, s->in + s->begin, s->end - s->begin);
        s->end -= s->begin;
        s->begin = 0;
    }
    while (s->end - s->begin < n) {
        st = iris_ssh_read(&s->ssh, s->in + s->end, ROOM - s->end, &got, err);
        if (st)
            return st;
        if (!got)
            return iris_ssh_lost(&s->ssh, err);
        s->end += got;
    }
    return IRIS_OK;
}

/* The next packet; valid until the next call. */
static enum iris_status
get_packet(struct iris_sftp *s, unsigned char *type, struct iris_sftp_packet *p,
           struct iris_err *err)
{
    enum iris_status st = need(s, 5, err);
    struct iris_sftp_packet head;
    uint32_t n;

    if (st)
        return st;
    head = (struct iris_sftp_packet){s->in + s->begin, s->in + s->end, 0};
    n = iris_sftp_get_u32(&head);
    if (n < 1 || n > MAX_PACKET)
        return nonsense(s, err);
    st = need(s, 4 + (size_t)n, err);
    if (st)
        return st;
    *p = (struct iris_sftp_packet){s->in + s->begin + 5, s->in + s->begin + 4 + n, 0};
    *type = s->in[s->begin + 4];
    s->begin += 4 + (size_t)n;
    return IRIS_OK;
}

/* Send a request and have its answer. */
static enum iris_status
ask(struct iris_sftp *s, struct iris_buf *request, unsigned char *type, struct iris_sftp_packet *p,
    struct iris_err *err)
{
    enum iris_status st = send_packet(s, request, err);

    if (!st)
        st = get_packet(s, type, p, err);
    if (!st && iris_sftp_get_u32(p) != s->id)
        st = nonsense(s, err);
    return st;
}

static const char *
reason(uint32_t code)
{
    switch (code) {
    case FX_EOF:
        return "End of file";
    case FX_NO_SUCH_FILE:
        return "No such file or directory";
    case FX_PERMISSION_DENIED:
        return "Permission denied";
    default:
        return "the server says it failed";
    }
}

/* The code of an answer that is a status; FX_OK when it is none, which is
 * nonsense, for what is asked here has another answer when all is well. */
static uint32_t
status_of(unsigned char type, struct iris_sftp_packet *p)
{
    uint32_t code = type == FXP_STATUS ? iris_sftp_get_u32(p) : FX_OK;

    return p->is_short ? FX_OK : code;
}

static enum iris_status
refused(const struct iris_sftp *s, uint32_t code, const char *doing, const char *path,
        struct iris_err *err)
{
    if (code == FX_OK)
        return nonsense(s, err);
    return iris_fail(err, IRIS_E_IO, "cannot %s '%s:%s': %s", doing, s->ssh.host, path,
                     reason(code));
}

/* ---- sessions ---- */

enum iris_status
iris_sftp_open(struct iris_sftp *s, const struct iris_ssh_way *way, const char *host,
               struct iris_err *err)
{
    static const char init[] = {0, 0, 0, 5, FXP_INIT, 0, 0, 0, VERSION};
    enum iris_status st;
    unsigned char type = 0;
    struct iris_sftp_packet p = {0};
    uint32_t version;

    *s = (struct iris_sftp){.ssh = {.fd = -1}};
    s->in = malloc(ROOM);
    st = s->in ? IRIS_OK : iris_fail_memory(err);
    if (!st)
        st = iris_ssh_open(&s->ssh, way, host, NULL, NULL, err);
    if (!st)
        st = iris_ssh_write(&s->ssh, init, sizeof init, err);
    if (!st)
        st = get_packet(s, &type, &p, err);
    if (!st && type != FXP_VERSION)
        st = nonsense(s, err);
    version = st ? VERSION : iris_sftp_get_u32(&p);
    if (version != VERSION)
        st = iris_fail(err, IRIS_E_REMOTE, "'%s' speaks version %u of SFTP, and not %d", host,
                       version, VERSION);
    return st;
}

void
iris_sftp_close(struct iris_sftp *s)
{
    iris_ssh_close(&s->ssh);
    free(s->in);
    *s = (struct iris_sftp){.ssh = {.fd = -1}};
}

int
iris_sftp_is_open(const struct iris_sftp *s)
{
    return s->in && s->ssh.host;
}

/* ---- names ---- */

static enum iris_status
look(struct iris_sftp *s, struct iris_buf *request, const char *path, struct iris_place_file *file,
     struct iris_err *err)
{
    unsigned char type = 0;
    struct iris_sftp_packet p;
    enum iris_status st = ask(s, request, &type, &p, err);

    if (st)
        return st;
    if (type != FXP_ATTRS)
        return refused(s, status_of(type, &p), "open", path, err);
    iris_sftp_get_attributes(&p, file);
    if (p.is_short)
        return nonsense(s, err);
    if (file->kind == IRIS_PLACE_UNKNOWN)
        return iris_fail(
            err, IRIS_E_IO,
            "cannot open '%s:%s': the server does not say what it is, its size and time",
            s->ssh.host, path);
    return IRIS_OK;
}

static enum iris_status
look_there(void *self, const char *path, struct iris_place_file *file, struct iris_err *err)
{
    struct iris_sftp *s = self;
    struct iris_buf b = {0};

    begin(s, &b, FXP_STAT);
    iris_sftp_put_path(&b, path);
    return look(s, &b, path, file, err);
}

static enum iris_status
open_handle(struct iris_sftp *s, struct iris_buf *request, const char *doing,
            struct iris_sftp_file *f, struct iris_err *err)
{
    const unsigned char *handle;
    unsigned char type = 0;
    struct iris_sftp_packet p;
    size_t n;
    enum iris_status st = ask(s, request, &type, &p, err);

    if (st)
        return st;
    if (type != FXP_HANDLE)
        return refused(s, status_of(type, &p), doing, f->path, err);
    handle = iris_sftp_get_bytes(&p, &n);
    if (p.is_short || n > sizeof f->handle)
        return nonsense(s, err);
    memcpy(f->handle, handle, n);
    f->handle_size = (uint32_t)n;
    return IRIS_OK;
}

/* A name that could lead elsewhere is no name in a directory. */
static int
is_name(const unsigned char *name, size_t n)
{
    return n > 0 && n < 4096 && !memchr(name, '/', n) && !memchr(name, '\0', n) &&
           !(name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.')));
}

static enum iris_status
take_names(struct iris_sftp *s, struct iris_sftp_packet *p, struct iris_place_list *list,
           struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_place_file file;
    uint32_t count = iris_sftp_get_u32(p);
    const unsigned char *name;
    char text[4096];
    size_t n, unused;

    if (!count) /* the end has another name; it would be asked for without end */
        p->is_short = 1;
    for (; count && !st && !p->is_short; count--) {
        name = iris_sftp_get_bytes(p, &n);
        iris_sftp_get_bytes(p, &unused);
        iris_sftp_get_attributes(p, &file);
        if (p->is_short || !is_name(name, n))
            continue;
        memcpy(text, name, n);
        text[n] = '\0';
        st = iris_place_list_add(list, text, &file, err);
    }
    return !st && p->is_short ? nonsense(s, err) : st;
}

static enum iris_status
list_there(void *self, const char *dir, struct iris_place_list *list, struct iris_err *err)
{
    struct iris_sftp *s = self;
    struct iris_sftp_file f = {.path = dir};
    struct iris_buf b = {0};
    enum iris_status st;
    unsigned char type = 0;
    size_t listed = 0;
    struct iris_sftp_packet p = {0};
    uint32_t code;

    begin(s, &b, FXP_OPENDIR);
    iris_sftp_put_path(&b, dir);
    st = open_handle(s, &b, "read directory", &f, err);
    if (st)
        return st;
    for (;;) {
        begin(s, &b, FXP_READDIR);
        iris_sftp_put_bytes(&b, f.handle, f.handle_size);
        st = ask(s, &b, &type, &p, err);
        if (st || type != FXP_NAME)
            break;
        listed += (size_t)(p.end - p.at);
        st = take_names(s, &p, list, err);
        if (!st && listed > MAX_LIST)
            st = iris_fail(err, IRIS_E_REMOTE, "the list of '%s:%s' has no end", s->ssh.host, dir);
        if (st)
            return st;
    }
    code = st ? FX_OK : status_of(type, &p);
    if (!st && code != FX_EOF)
        st = refused(s, code, "read directory", dir, err);
    iris_place_list_sort(list);
    return st ? st : iris_sftp_file_close(s, &f, err);
}

struct iris_place
iris_sftp_place(struct iris_sftp *s)
{
    return (struct iris_place){s, look_there, list_there};
}

enum iris_status
iris_sftp_real_path(struct iris_sftp *s, const char *path, struct iris_buf *real,
                    struct iris_err *err)
{
    const unsigned char *name;
    struct iris_buf b = {0};
    unsigned char type = 0;
    enum iris_status st;
    struct iris_sftp_packet p;
    size_t n;

    begin(s, &b, FXP_REALPATH);
    iris_sftp_put_path(&b, path);
    st = ask(s, &b, &type, &p, err);
    if (st)
        return st;
    if (type != FXP_NAME)
        return refused(s, status_of(type, &p), "open", path, err);
    if (iris_sftp_get_u32(&p) != 1)
        return nonsense(s, err);
    name = iris_sftp_get_bytes(&p, &n);
    if (p.is_short || memchr(name, '\0', n))
        return nonsense(s, err);
    iris_buf_append(real, name, n);
    return iris_buf_check(real, err);
}

/* ---- files ---- */

enum iris_status
iris_sftp_file_open(struct iris_sftp *s, const char *path, struct iris_sftp_file *f,
                    struct iris_err *err)
{
    struct iris_buf b = {0};

    *f = (struct iris_sftp_file){.path = path};
    begin(s, &b, FXP_OPEN);
    iris_sftp_put_path(&b, path);
    iris_sftp_put_u32(&b, OPEN_READ);
    iris_sftp_put_u32(&b, 0); /* no attributes */
    return open_handle(s, &b, "open", f, err);
}

enum iris_status
iris_sftp_file_look(struct iris_sftp *s, const struct iris_sftp_file *f,
                    struct iris_place_file *file, struct iris_err *err)
{
    struct iris_buf b = {0};

    begin(s, &b, FXP_FSTAT);
    iris_sftp_put_bytes(&b, f->handle, f->handle_size);
    return look(s, &b, f->path, file, err);
}

enum iris_status
iris_sftp_file_close(struct iris_sftp *s, const struct iris_sftp_file *f, struct iris_err *err)
{
    struct iris_buf b = {0};
    unsigned char type = 0;
    struct iris_sftp_packet p;

    begin(s, &b, FXP_CLOSE);
    iris_sftp_put_bytes(&b, f->handle, f->handle_size);
    return ask(s, &b, &type, &p, err);
}

enum iris_status
iris_sftp_ask(struct iris_sftp *s, const struct iris_sftp_file *f, uint64_t offset, uint32_t size,
              uint32_t *id, struct iris_err *err)
{
    struct iris_buf b = {0};

    begin(s, &b, FXP_READ);
    iris_sftp_put_bytes(&b, f->handle, f->handle_size);
    iris_sftp_put_u64(&b, offset);
    iris_sftp_put_u32(&b, size);
    *id = s->id;
    return send_packet(s, &b, err);
}

enum iris_status
iris_sftp_take(struct iris_sftp *s, const struct iris_sftp_file *f, uint32_t *id,
               const unsigned char **data, size_t *n, struct iris_err *err)
{
    struct iris_sftp_packet p = {0};
    unsigned char type = 0;
    enum iris_status st = get_packet(s, &type, &p, err);
    uint32_t code;

    *n = 0;
    if (st)
        return st;
    *id = iris_sftp_get_u32(&p);
    if (type == FXP_DATA) {
        *data = iris_sftp_get_bytes(&p, n);
        return p.is_short || !*n ? nonsense(s, err) : IRIS_OK;
    }
    code = status_of(type, &p);
    return code == FX_EOF ? IRIS_OK : refused(s, code, "read", f->path, err);
}
