/* units -- unit systems, as factors per SI unit.
 *
 * A value in SI times the factor is the value in the system. Everything the
 * physics modules take and give is in one such system, by default the
 * "processing" units in which a data set is written.
 */
#ifndef IRIS_UNITS_H
#define IRIS_UNITS_H

/* kg; IAU 2015 Resolution B3 (GM) with G of CODATA 2018 */
#define IRIS_SOLAR_MASS 1.98841e30

struct iris_unit_system {
    double length;      /* per m */
    double time;        /* per s */
    double mass;        /* per kg */
    double temperature; /* per K */
    double parsec;      /* one parsec in units of length */
};

/* Processing units from what one unit is in cgs.
 *
 *   in   length_cm, mass_g, velocity_cm_per_s, temperature_K  all > 0
 *   in   meters_per_parsec
 *   source  spec of the reference: l = 100/length_cm, m = 1000/mass_g,
 *           time = l / (100/velocity), temperature = 1/temperature_K
 */
void iris_units_processing(double length_cm, double mass_g, double velocity_cm_per_s,
                           double temperature_K, double meters_per_parsec,
                           struct iris_unit_system *u);

double iris_units_velocity(const struct iris_unit_system *u); /* per m/s */
double iris_units_density(const struct iris_unit_system *u);  /* per kg/m^3 */

#endif
