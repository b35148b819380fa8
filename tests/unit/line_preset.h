/* line_preset -- the line of the main preset, 13CO 2-1, in processing units: what
 * tests, benches and the GPU's checks make their tables by. */
#ifndef LINE_PRESET_H
#define LINE_PRESET_H

#include "linetable.h"

#define LINE_K 1.380649e-23
#define LINE_H 6.62607e-34
#define LINE_C 299792500.0

static inline struct iris_unit_system
line_units(void)
{
    struct iris_unit_system u;

    iris_units_processing(1e7, 1, 1e7, 1, 3.08567758128e16, &u);
    return u;
}

static inline struct iris_balance_law
line_balance_law(void)
{
    return (struct iris_balance_law){.k = LINE_K,
                                     .h = LINE_H,
                                     .c = LINE_C,
                                     .T_continuum = 2.73,
                                     .abundance_He = 0.1,
                                     .ortho_to_para = 3};
}

/* The preset's table of 13CO 2-1, with as many nodes as asked. */
static inline struct iris_table_law
line_table_law(size_t n_N, size_t n_x, size_t n_T)
{
    return (struct iris_table_law){.upper = 2,
                                   .lower = 1,
                                   .n_N = n_N,
                                   .n_x = n_x,
                                   .n_T = n_T,
                                   .N_max = 1e12,
                                   .bolic = 1,
                                   .T_max = 3000,
                                   .m_H = 1.673557626764302e-27,
                                   .m_He = 6.646476726466552e-27,
                                   .L = 6.022141e23,
                                   .number = 1e15,
                                   .units = line_units(),
                                   .balance = line_balance_law()};
}

#endif
