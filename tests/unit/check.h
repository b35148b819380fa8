/* check -- a test program that prints TAP: CHECK any number of times, then
 * return check_done(). A skip says why and is counted by prove. */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_count, check_failed;

#define CHECK(cond, ...) check_one((cond) ? 1 : 0, __FILE__, __LINE__, #cond, __VA_ARGS__)

__attribute__((format(printf, 5, 6), unused)) static int
check_one(int ok, const char *file, int line, const char *text, const char *fmt, ...)
{
    __builtin_va_list ap;

    printf("%sok %d - ", ok ? "" : "not ", ++check_count);
    __builtin_va_start(ap, fmt);
    vprintf(fmt, ap);
    __builtin_va_end(ap);
    putchar('\n');
    if (!ok) {
        check_failed++;
        printf("# %s:%d: %s\n", file, line, text);
    }
    return ok;
}

__attribute__((unused)) static void
check_skip(const char *what, const char *why)
{
    printf("ok %d - %s # SKIP %s\n", ++check_count, what, why);
}

/* |a - b| <= tol * max(|b|, tiny) */
__attribute__((unused)) static int
check_near(double a, double b, double tol)
{
    return fabs(a - b) <= tol * (fabs(b) > 0 ? fabs(b) : 1);
}

/* The place of the shared reference data: $IRIS_SHARED, or ../shared beside
 * the sources; NULL where there is none. */
__attribute__((unused)) static const char *
check_shared(void)
{
    static char dir[4096];
    const char *env = getenv("IRIS_SHARED"), *source = getenv("IRIS_SOURCE");
    char probe[4200];
    FILE *fp;

    if (env)
        snprintf(dir, sizeof dir, "%s", env);
    else
        snprintf(dir, sizeof dir, "%s/../shared", source ? source : ".");
    snprintf(probe, sizeof probe, "%s/golden/README.md", dir);
    fp = fopen(probe, "r");
    if (!fp)
        return NULL;
    fclose(fp);
    return dir;
}

__attribute__((unused)) static int
check_done(void)
{
    printf("1..%d\n", check_count);
    return check_failed != 0;
}

#endif
