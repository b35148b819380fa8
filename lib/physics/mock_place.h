/* mock_place -- where the cells of the mock snapshot are; private to mock.
 *
 * Lengths here are pc from the centre, densities hydrogen nuclei per
 * cm^3, velocities km/s, unless a name says otherwise.
 */
#ifndef IRIS_MOCK_PLACE_H
#define IRIS_MOCK_PLACE_H

#include <stdint.h>

#include "mock.h"

#define PC_PER_CODE 100.0
#define BOX_PC      (IRIS_MOCK_BOX * PC_PER_CODE)
#define TAU         6.28318530717958647692
#define BAR_COS     0.90630778703664996 /* 25 degrees */
#define BAR_SIN     0.42261826174069944

/* What a counter belongs to. */
enum purpose { DRAW_CELL = 1, DRAW_WAVE, DRAW_COMPLEX = 16, DRAW_CLOUD = 32 };

enum population { ZONE, BAR, DIFFUSE };

/* A stream of random numbers that begins anew for each item. */
struct iris_mock_draw {
    uint32_t counter[4];
    uint32_t key[2];
    uint32_t word[4];
    int left;
    int has_spare;
    double spare;
};

/* Where a cell is and what structure it belongs to. */
struct iris_mock_place {
    enum population population;
    int in_cloud;
    int in_lane;
    double x[3];
    double anchor[3]; /* whose large-scale velocity it shares */
    double drift[3];  /* velocity of its cloud, clump and core against that */
    double n;         /* density before the clumping of the cell itself */
    double own_pdf;   /* chance per pc^3 of a cell here, this structure alone */
};

void iris_mock_begin(struct iris_mock_draw *d, uint64_t seed, unsigned purpose, uint64_t item);

/* In the open interval (0, 1); and with mean 0 and variance 1. */
double iris_mock_uniform(struct iris_mock_draw *d);
double iris_mock_normal(struct iris_mock_draw *d);

/* Put a cell somewhere. */
void iris_mock_place(struct iris_mock_draw *d, uint64_t seed, struct iris_mock_place *p);

/* Chance per pc^3 of a cell at x, but for clouds. */
double iris_mock_smooth_pdf(const double x[3]);

#endif
