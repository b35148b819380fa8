#include "units.h"

void
iris_units_processing(double length_cm, double mass_g, double velocity_cm_per_s,
                      double temperature_K, double meters_per_parsec, struct iris_unit_system *u)
{
    u->length = 100 / length_cm;
    u->time = velocity_cm_per_s / length_cm;
    u->mass = 1000 / mass_g;
    u->temperature = 1 / temperature_K;
    u->parsec = u->length * meters_per_parsec;
}

double
iris_units_velocity(const struct iris_unit_system *u)
{
    return u->length / u->time;
}

double
iris_units_density(const struct iris_unit_system *u)
{
    return u->mass / (u->length * u->length * u->length);
}
