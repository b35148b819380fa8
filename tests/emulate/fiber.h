/* fiber -- functions that take turns on one thread of the operating system, each with
 * a stack of its own. */
#ifndef IRIS_FIBER_H
#define IRIS_FIBER_H

#include <stddef.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif

/* A place to go on at. */
struct fiber {
#if defined(__x86_64__)
    void *sp;
#else
    ucontext_t context;
#endif
    char *stack; /* of the thread that made it: NULL until it is left once */
    size_t bytes;
    void *shadow; /* of the sanitizer */
};

/* Give it a stack, with a page below it that nobody may touch. False: no memory. */
bool fiber_init(fiber *f, size_t bytes);
void fiber_release(fiber *f);

/* Let it begin with a function when it is next switched to; the function must not
 * return, but end with fiber_leave. */
void fiber_begin(fiber *f, void (*function)());

void fiber_switch(fiber *from, fiber *to);
void fiber_leave(fiber *from, fiber *to); /* for good: begin it anew */

/* First in a function that fiber_begin was given: who came here. */
void fiber_entered(fiber *from);

#endif
