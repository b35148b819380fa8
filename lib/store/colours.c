#include "colours.h"

#include <math.h>

enum { POINTS = 13 };

static const struct iris_colour points[][POINTS] = {
    [IRIS_VIRIDIS] = {{0x44, 0x01, 0x54},
                      {0x48, 0x28, 0x78},
                      {0x3e, 0x49, 0x89},
                      {0x31, 0x68, 0x8e},
                      {0x26, 0x82, 0x8e},
                      {0x1f, 0x9e, 0x89},
                      {0x35, 0xb7, 0x79},
                      {0x6e, 0xce, 0x58},
                      {0xb5, 0xde, 0x2b},
                      {0xfd, 0xe7, 0x25}},
    [IRIS_INFERNO] = {{0x00, 0x00, 0x04},
                      {0x1b, 0x0c, 0x41},
                      {0x4a, 0x0c, 0x6b},
                      {0x78, 0x1c, 0x6d},
                      {0xa5, 0x2c, 0x60},
                      {0xcf, 0x44, 0x46},
                      {0xed, 0x69, 0x25},
                      {0xfb, 0x9b, 0x06},
                      {0xf7, 0xd1, 0x3d},
                      {0xfc, 0xff, 0xa4}},
    [IRIS_RED_BLUE] = {{0x6e, 0x37, 0x2a},
                       {0x94, 0x4c, 0x3b},
                       {0xbd, 0x63, 0x4d},
                       {0xd4, 0x84, 0x6f},
                       {0xe2, 0xa9, 0x9a},
                       {0xed, 0xce, 0xc6},
                       {0xf3, 0xf3, 0xf3},
                       {0xc6, 0xd6, 0xeb},
                       {0x95, 0xb9, 0xe3},
                       {0x5c, 0x9d, 0xda},
                       {0x00, 0x82, 0xc8},
                       {0x01, 0x66, 0x9d},
                       {0x01, 0x4a, 0x75}},
};

static unsigned char
between(unsigned char a, unsigned char b, double part)
{
    return (unsigned char)(a + (b - a) * part + 0.5);
}

struct iris_colour
iris_map_colour(enum iris_map map, double place)
{
    const struct iris_colour *p;
    int last = map == IRIS_RED_BLUE ? POINTS - 1 : 9; /* point */
    int steps = map == IRIS_RED_BLUE ? IRIS_MAP_STEPS - 1 : IRIS_MAP_STEPS, i;
    double step, at;

    if (isnan(place))
        return IRIS_NO_VALUE;
    step = fmin(floor(fmin(fmax(place, 0), 1) * steps), steps - 1);
    at = step / (steps - 1) * last;
    i = at < last - 1 ? (int)at : last - 1;
    p = points[map] + i;
    return (struct iris_colour){between(p[0].r, p[1].r, at - i), between(p[0].g, p[1].g, at - i),
                                between(p[0].b, p[1].b, at - i)};
}
