#include "ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "elementary.h"
#include "font.h"

#define MINUS "−"

/* ---- numbers as text ---- */

static void
put_exponent(struct iris_buf *b, int e)
{
    static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char digits_of[16];
    const char *p;

    snprintf(digits_of, sizeof digits_of, "%d", e < 0 ? -e : e);
    iris_buf_puts(b, "10");
    if (e < 0)
        iris_buf_puts(b, "⁻");
    for (p = digits_of; *p; p++)
        iris_buf_puts(b, digits[*p - '0']);
}

/* A division rounds once: powers of ten are exact up to 10^22. */
static double
times_ten_to(double v, int power)
{
    return power < 0 ? v / iris_pow(10, -power) : v * iris_pow(10, power);
}

/* count * 10^power with that many digits behind the point, or, when wide, as
 * a multiple of 10^common. */
static void
put_number(char label[IRIS_TICK_TEXT], double count, int power, int wide, int common)
{
    char room[1024]; /* a double has fewer digits: this asks for no memory */
    struct iris_buf b = iris_buf_in(room, sizeof room);
    double size = fabs(count);

    if (count < 0)
        iris_buf_puts(&b, MINUS);
    if (!(size > 0)) {
        iris_buf_puts(&b, "0");
    } else if (!wide) {
        iris_buf_printf(&b, "%.*f", power < 0 ? -power : 0, times_ten_to(size, power));
    } else {
        int behind = common > power ? common - power : 0;
        double factor = times_ten_to(size, -behind);

        if (behind || factor < 1 || factor > 1)
            iris_buf_printf(&b, "%.*f×", behind, factor);
        put_exponent(&b, common > power ? common : power);
    }
    label[0] = '\0';
    if (!b.failed && b.len < IRIS_TICK_TEXT)
        memcpy(label, iris_buf_str(&b), b.len + 1);
}

static double
width_of(const struct iris_tick_room *room, const char *label)
{
    return room->glyph * (double)iris_font_count(label) + room->gap;
}

/* ---- equal steps ---- */

/* The ticks count * digit * 10^power from lo to hi, without places. */
static size_t
step_through(const struct iris_stretch *s, int digit, int power, int wide, int common,
             struct iris_tick *tick)
{
    double step = times_ten_to(digit, power);
    double first = ceil(s->lo / step - 1e-9), last = floor(s->hi / step + 1e-9), i;
    size_t n = 0;

    for (i = first; i <= last && n < IRIS_TICKS; i++, n++) {
        tick[n].value = power < 0 ? times_ten_to(i * digit, power) : i * step;
        tick[n].at = iris_stretch_at(s, tick[n].value);
        put_number(tick[n].label, i * digit, power, wide, common);
    }
    return n;
}

static int
fits(const struct iris_tick_room *room, const struct iris_tick *tick, size_t n)
{
    size_t i;

    for (i = 1; i < n; i++) {
        double between = (tick[i].at - tick[i - 1].at) * room->length;

        if (width_of(room, tick[i].label) + width_of(room, tick[i - 1].label) > 2 * between)
            return 0;
    }
    return 1;
}

/* Small ticks between those of step digit * 10^power, where they are not too
 * dense. */
static size_t
subdivide(const struct iris_stretch *s, const struct iris_tick_room *room, int digit, int power,
          struct iris_tick *tick, size_t n)
{
    int parts = digit == 2 ? 4 : 5;
    double step = digit * iris_pow(10, power) / parts;
    double first = ceil(s->lo / step - 1e-9), last = floor(s->hi / step + 1e-9);
    long i;

    /* beyond 2^52 a whole number has no next one */
    if (!(fmax(fabs(s->lo), fabs(s->hi)) / step < 0x1p52))
        return n;
    if (step / (s->hi - s->lo) * room->length < 6 || last - s->lo / step > 0.5 * IRIS_TICKS)
        return n;
    for (i = (long)first; i <= (long)last && n < IRIS_TICKS; i++) {
        double value = (double)i * step;

        if (i % parts == 0)
            continue;
        tick[n++] = (struct iris_tick){.value = value, .at = iris_stretch_at(s, value)};
    }
    return n;
}

static size_t
linear_ticks(const struct iris_stretch *s, const struct iris_tick_room *room,
             struct iris_tick *tick)
{
    static const int digits[] = {1, 2, 5};
    double larger = fmax(fabs(s->lo), fabs(s->hi));
    int common = (int)floor(iris_log10(larger) + 1e-9);
    int power = (int)floor(iris_log10((s->hi - s->lo) / (0.5 * IRIS_TICKS)));
    int wide = common > 4 || common < -3, tries;

    for (tries = 0; tries < 3 * 8; tries++) {
        int digit = digits[tries % 3];
        size_t n = step_through(s, digit, power, wide, common, tick);

        if (n < IRIS_TICKS && fits(room, tick, n))
            return subdivide(s, room, digit, power, tick, n);
        power += digit == 5;
    }
    return 0;
}

/* ---- powers of ten ---- */

static int
is_free(const struct iris_tick_room *room, const struct iris_tick *tick, size_t n,
        const struct iris_tick *x)
{
    size_t i;

    for (i = 0; i < n; i++) {
        double between = fabs(tick[i].at - x->at) * room->length;

        if (width_of(room, tick[i].label) + width_of(room, x->label) > 2 * between)
            return 0;
    }
    return 1;
}

/* Add sign * digit * 10^power if it is in range and has room. */
static size_t
try_tick(const struct iris_stretch *s, const struct iris_tick_room *room, double digit, int power,
         int wide, struct iris_tick *tick, size_t n)
{
    struct iris_tick x = {.value = times_ten_to(digit, power)};

    x.at = iris_stretch_at(s, x.value);
    if (n == IRIS_TICKS || !(x.at > -1e-9 && x.at < 1 + 1e-9))
        return n;
    put_number(x.label, digit, power, wide, power);
    if (!is_free(room, tick, n, &x))
        return n;
    tick[n] = x;
    return n + 1;
}

/* The digits of a mask (bit d: digit d) with every power, both signs. */
static size_t
try_digits(const struct iris_stretch *s, const struct iris_tick_room *room, unsigned mask, int from,
           int to, int wide, struct iris_tick *tick, size_t n)
{
    int power, digit;

    for (power = to; power >= from; power--) {
        for (digit = 9; digit; digit--) {
            if (mask >> digit & 1) {
                n = try_tick(s, room, digit, power, wide, tick, n);
                if (s->curve == IRIS_ASINH)
                    n = try_tick(s, room, -digit, power, wide, tick, n);
            }
        }
    }
    return n;
}

static size_t
add_small(const struct iris_stretch *s, int from, int to, struct iris_tick *tick, size_t n)
{
    size_t labelled = n, i;
    int power, digit, sign;

    if (to - from > 8)
        return n;
    for (power = from; power <= to; power++) {
        for (digit = 1; digit <= 9; digit++) {
            for (sign = 1; sign >= (s->curve == IRIS_ASINH ? -1 : 1); sign -= 2) {
                double v = sign * digit * iris_pow(10, power), at = iris_stretch_at(s, v);

                for (i = 0; i < labelled && fabs(tick[i].at - at) > 1e-6; i++)
                    ;
                if (i < labelled || at < 0 || at > 1 || n == IRIS_TICKS)
                    continue;
                tick[n++] = (struct iris_tick){.value = v, .at = at};
            }
        }
    }
    return n;
}

size_t
iris_ticks(const struct iris_stretch *s, const struct iris_tick_room *room,
           struct iris_tick tick[IRIS_TICKS])
{
    static const unsigned fives = 1u << 5 | 1u << 2, others = 0x3ffu & ~(fives | 1u << 1);
    double larger = fmax(fabs(s->lo), fabs(s->hi));
    double least = s->curve == IRIS_LOG ? s->lo : s->soft / 2;
    int from, to, wide;
    size_t n = 0;

    if (!(s->lo < s->hi) || !isfinite(s->lo) || !isfinite(s->hi))
        return 0;
    if (s->curve == IRIS_LINEAR)
        return linear_ticks(s, room, tick);
    from = (int)floor(iris_log10(least) + 1e-9);
    to = (int)floor(iris_log10(larger) + 1e-9);
    wide = to > 4 || from < -4;
    if (s->curve == IRIS_ASINH)
        n = try_tick(s, room, 0, 0, wide, tick, n);
    n = try_digits(s, room, 1u << 1, from, to, wide, tick, n);
    if (n < 3)
        n = try_digits(s, room, fives, from, to, wide, tick, n);
    if (n < 3)
        n = try_digits(s, room, others, from, to, wide, tick, n);
    if (n < 2)
        return linear_ticks(s, room, tick);
    return add_small(s, from, to, tick, n);
}
