/* elementary_bits iris|libm -- one line a function: its name and a number made of
 * the bits of many of its values. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "elementary.h"

#define MANY 200000

struct pair {
    const char *name;
    double (*iris)(double);
    double (*libm)(double);
};

static double
iris_power(double x)
{
    return iris_pow(x, 1.6);
}

static double
libm_power(double x)
{
    return pow(x, 1.6);
}

static double
iris_leg(double x)
{
    return iris_hypot(x, 0.3);
}

static double
libm_leg(double x)
{
    return hypot(x, 0.3);
}

static const struct pair pairs[] = {
    {"exp", iris_exp, exp},          {"expm1", iris_expm1, expm1}, {"erf", iris_erf, erf},
    {"log", iris_log, log},          {"log10", iris_log10, log10}, {"log1p", iris_log1p, log1p},
    {"pow", iris_power, libm_power}, {"sin", iris_sin, sin},       {"cos", iris_cos, cos},
    {"sinh", iris_sinh, sinh},       {"cosh", iris_cosh, cosh},    {"asinh", iris_asinh, asinh},
    {"atanh", iris_atanh, atanh},    {"cbrt", iris_cbrt, cbrt},    {"hypot", iris_leg, libm_leg},
};

int
main(int argc, char **argv)
{
    int libm = argc == 2 && strcmp(argv[1], "libm") == 0;
    size_t f, i;

    if (argc != 2 || (!libm && strcmp(argv[1], "iris") != 0)) {
        fputs("usage: elementary_bits iris|libm\n", stderr);
        return 64;
    }
    for (f = 0; f < sizeof pairs / sizeof *pairs; f++) {
        uint64_t sum = 0, bits;

        for (i = 1; i < MANY; i++) {
            double x = (double)i / MANY, y = (libm ? pairs[f].libm : pairs[f].iris)(x);

            memcpy(&bits, &y, sizeof bits);
            sum = (sum ^ bits) * UINT64_C(1099511628211);
        }
        printf("%s %016llx\n", pairs[f].name, (unsigned long long)sum);
    }
    return fclose(stdout) != 0;
}
