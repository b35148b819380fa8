#include "fiber.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

bool
fiber_init(fiber *f, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(nullptr, bytes + page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *f = fiber{};
    if (p == MAP_FAILED)
        return false;
    if (mprotect(p, page, PROT_NONE)) {
        munmap(p, bytes + page);
        return false;
    }
    f->stack = (char *)p + page;
    f->bytes = bytes;
    return true;
}

void
fiber_release(fiber *f)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (f->stack)
        munmap(f->stack - page, f->bytes + page);
    *f = fiber{};
}

#if defined(__x86_64__)
/* What a function must preserve lies on the stack that is left. */
extern "C" void emulated_switch(void **from, void *to);
__asm__(".text\n"
        ".p2align 4\n"
        ".type emulated_switch, @function\n"
        "emulated_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size emulated_switch, .-emulated_switch\n");

enum { SAVED = 6 };

void
fiber_begin(fiber *f, void (*function)())
{
    void **sp = (void **)(f->stack + f->bytes);

    /* as if it had been called: the stack is 8 off a multiple of 16 */
    *--sp = nullptr;
    *--sp = (void *)function;
    for (int i = 0; i < SAVED; i++)
        *--sp = nullptr;
    f->sp = sp;
    f->shadow = nullptr;
}

static void
go(fiber *from, fiber *to)
{
    emulated_switch(&from->sp, to->sp);
}
#else
void
fiber_begin(fiber *f, void (*function)())
{
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = f->bytes;
    f->context.uc_link = nullptr;
    makecontext(&f->context, function, 0);
    f->shadow = nullptr;
}

static void
go(fiber *from, fiber *to)
{
    swapcontext(&from->context, &to->context);
}
#endif

#ifdef FIBER_ASAN
void
fiber_entered(fiber *from)
{
    const void *stack;
    size_t bytes;

    __sanitizer_finish_switch_fiber(nullptr, &stack, &bytes);
    from->stack = (char *)(uintptr_t)stack;
    from->bytes = bytes;
}

void
fiber_switch(fiber *from, fiber *to)
{
    __sanitizer_start_switch_fiber(&from->shadow, to->stack, to->bytes);
    go(from, to);
    __sanitizer_finish_switch_fiber(from->shadow, nullptr, nullptr);
}

void
fiber_leave(fiber *from, fiber *to)
{
    __sanitizer_start_switch_fiber(nullptr, to->stack, to->bytes);
    go(from, to);
}
#else
void
fiber_entered(fiber *)
{
}

void
fiber_switch(fiber *from, fiber *to)
{
    go(from, to);
}

void
fiber_leave(fiber *from, fiber *to)
{
    go(from, to);
}
#endif
