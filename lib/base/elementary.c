#include "elementary.h"

#ifdef IRIS_BARE
#define Sleef_cinz_log10d1_u10purec log10
#define Sleef_cinz_log1pd1_u10purec log1p
#define Sleef_cinz_powd1_u10purec   pow
#define Sleef_cinz_sind1_u10purec   sin
#define Sleef_cinz_cosd1_u10purec   cos
#define Sleef_cinz_sinhd1_u10purec  sinh
#define Sleef_cinz_coshd1_u10purec  cosh
#define Sleef_cinz_atanhd1_u10purec atanh
#define Sleef_cinz_cbrtd1_u10purec  cbrt
#define Sleef_cinz_hypotd1_u05purec hypot
#else
#include <sleef.h>
#endif

#define LN2 0x1.62e42fefa39efp-1

double
iris_log10(double x)
{
    return Sleef_cinz_log10d1_u10purec(x);
}

/* SLEEF's loses subnormal x, and all above 1e307. */
double
iris_log1p(double x)
{
    if (fabs(x) < 0x1p-54)
        return x;
    return x > 0x1p64 ? iris_log(x) : Sleef_cinz_log1pd1_u10purec(x);
}

double
iris_pow(double x, double y)
{
    return Sleef_cinz_powd1_u10purec(x, y);
}

double
iris_sin(double x)
{
    return Sleef_cinz_sind1_u10purec(x);
}

double
iris_cos(double x)
{
    return Sleef_cinz_cosd1_u10purec(x);
}

double
iris_sinh(double x)
{
    return Sleef_cinz_sinhd1_u10purec(x);
}

double
iris_cosh(double x)
{
    return Sleef_cinz_coshd1_u10purec(x);
}

/* SLEEF's takes four times as long, and squares large x. */
double
iris_asinh(double x)
{
    double size = fabs(x), root = sqrt(size * size + 1), y;

    if (size > 0x1p28)
        y = iris_log(size) + LN2;
    else if (size > 1)
        y = iris_log(size + root);
    else
        y = iris_log1p(size + size * size / (1 + root));
    return copysign(y, x);
}

double
iris_atanh(double x)
{
    return Sleef_cinz_atanhd1_u10purec(x);
}

double
iris_cbrt(double x)
{
    return Sleef_cinz_cbrtd1_u10purec(x);
}

double
iris_hypot(double x, double y)
{
    return Sleef_cinz_hypotd1_u05purec(x, y);
}
