/* err -- how a library function says what went wrong.
 *
 * A function that can fail returns a status and, when it is not IRIS_OK, has
 * written one sentence into the caller's iris_err. The library never prints
 * and never exits; the tool that called it speaks and uses the status as its
 * exit status. The numbers are those of <sysexits.h> where one fits.
 *
 * Thread safe: no global state.
 */
#ifndef IRIS_ERR_H
#define IRIS_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

enum iris_status {
    IRIS_OK = 0,
    IRIS_E_SOME = 1,    /* finished, but some items failed; good items are complete */
    IRIS_E_USAGE = 64,  /* wrong command line */
    IRIS_E_DATA = 65,   /* wrong content of an input */
    IRIS_E_REMOTE = 69, /* remote side unavailable */
    IRIS_E_BUG = 70,    /* a state that cannot happen */
    IRIS_E_IO = 74,     /* missing, unreadable, full */
    IRIS_E_RETRY = 75   /* stopped early; run again to continue */
};

struct iris_err {
    enum iris_status status;
    int is_memory; /* that could not be had: it says nothing of what was looked at */
    char msg[1024];
};

/* Record a failure.
 *
 *   in   status  what to return; not IRIS_OK
 *   in   fmt     printf format of one sentence without full stop; a format
 *                that ends in ':' gets ' ' and strerror(errno) appended
 *   out  err     filled; may be NULL. A sentence that is too long, for the path in
 *                it, has " ... " in its middle
 *
 *   return  status, so that a caller writes `return iris_fail(...)`
 */
enum iris_status iris_fail(struct iris_err *err, enum iris_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put a context before the sentence already in err: "<context>: <sentence>".
 *
 *   return  err->status
 */
enum iris_status iris_fail_in(struct iris_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The sentence for memory that could not be had.
 *
 *   return  IRIS_E_IO
 */
enum iris_status iris_fail_memory(struct iris_err *err);

#ifdef __cplusplus
}
#endif

#endif
