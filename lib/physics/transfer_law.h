/* transfer_law -- what a synthetic observation solves along a ray, and in what
 * it is expressed. Values are in the order of the words of the settings file,
 * counting from 0.
 */
#ifndef IRIS_TRANSFER_LAW_H
#define IRIS_TRANSFER_LAW_H

/* What absorbs: "optically thick", lines and dust; "selectively thin", lines
 * absorb the continuum and dust absorbs all; "optically thin", nothing. */
enum iris_transfer { IRIS_THICK, IRIS_SELECTIVE, IRIS_THIN };

/* How a ray is summed: "smooth", multistep or Simpson over the grid points;
 * "formal", exact for cells that are constant inside. */
enum iris_integration { IRIS_SMOOTH, IRIS_FORMAL };

/* What is taken from the total: "I", the continuum's intensity; "Tb", its
 * brightness temperature; "continuum": the continuum alone is shown. */
enum iris_subtraction { IRIS_SUBTRACT_I, IRIS_SUBTRACT_TB, IRIS_SUBTRACT_CONTINUUM };

/* "I" in units of the unit system, "I Jy per Sr"; Rayleigh-Jeans temperature
 * "Trj" in units of the unit system, "Trj K" in kelvin; brightness temperature
 * "Tb" and "Tb K" likewise. */
enum iris_output_units {
    IRIS_OUT_I,
    IRIS_OUT_JY,
    IRIS_OUT_TRJ,
    IRIS_OUT_TRJ_K,
    IRIS_OUT_TB,
    IRIS_OUT_TB_K
};

#endif
