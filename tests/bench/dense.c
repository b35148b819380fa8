#include "dense.h"

#include <stdint.h>

#if defined __SSE__
#include <xmmintrin.h>
#define FLUSH_TO_ZERO(on) _MM_SET_FLUSH_ZERO_MODE((on) ? _MM_FLUSH_ZERO_ON : _MM_FLUSH_ZERO_OFF)
#else
#define FLUSH_TO_ZERO(on)
#endif

/* exp(-y), y clamped to 80: far wings cost as much as the centre, but no more */
static inline float
falling(float y)
{
    union {
        int32_t bits;
        float scale;
    } two;
    float t, r, p;
    int32_t n;

    y = y < 80 ? y : 80;
    t = y * -1.44269504089f - 0.5f;
    n = (int32_t)t;
    two.bits = (n + 127) * (1 << 23);
    r = (-y - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;
    p = 1 + r * (1 + r * (0.5f + r * (1 / 6.0f + r * (1 / 24.0f + r / 120))));
    return p * two.scale;
}

static void
first(const struct dense_step *k, const struct dense_step *l, float h2, const float *v, size_t n,
      float *restrict now, float *restrict before)
{
    size_t f;

    for (f = 0; f < n; f++) {
        float x = (v[f] - k->v) * k->per_b, y = (v[f] - l->v) * l->per_b;
        float phi = falling(x * x), psi = falling(y * y);
        float value = (h2 * (k->j * phi + k->jd + l->j * psi + l->jd) +
                       (4 - h2 * (l->a * psi + l->ad)) * now[f]) /
                      (4 + h2 * (k->a * phi + k->ad));

        before[f] = now[f];
        now[f] = value > 0 ? value : 0;
    }
}

static void
next(const struct dense_step *step, float h2, const float *restrict v, size_t n,
     float *restrict now, float *restrict before)
{
    struct dense_step k = *step;
    size_t f;

    for (f = 0; f < n; f++) {
        float x = (v[f] - k.v) * k.per_b, phi = falling(x * x);
        float value = (h2 * (k.j * phi + k.jd) + 4 * now[f] - before[f]) /
                      (3 + h2 * (k.a * phi + k.ad));

        before[f] = now[f];
        now[f] = value > 0 ? value : 0;
    }
}

void
dense_smooth(const struct dense_step *step, size_t steps, float h, const float *v, size_t n,
             float *I, float *C, float *work)
{
    float h2 = 2 * h, c = C[0], c_before = 0;
    size_t s, f;

    FLUSH_TO_ZERO(1); /* numbers too small to be normal are slow, and come in wings */
    first(&step[1], &step[0], h2, v, n, I, work);
    for (s = 1; s < steps; s++) {
        struct dense_step k = step[s], l = step[s - 1];
        float then = s == 1 ? (h2 * (k.jd + l.jd) + (4 - h2 * l.ad) * c) / (4 + h2 * k.ad)
                            : (h2 * k.jd + 4 * c - c_before) / (3 + h2 * k.ad);

        if (s > 1)
            next(&k, h2, v, n, I, work);
        c_before = c;
        c = then > 0 ? then : 0;
    }
    for (f = 0; f < n; f++)
        C[f] = c;
    FLUSH_TO_ZERO(0);
}
