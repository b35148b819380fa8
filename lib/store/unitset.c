#include "unitset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "elementary.h"
#include "sampler.h"
#include "units.h"

/* Deviations from 1 up to this count as none. */
static const double same = 1e-6;

static void
processing(const struct iris_settings *s, struct iris_unit_system *p)
{
    iris_settings_units(s, p);
}

int
iris_unitset_complete(enum iris_type type, const struct iris_unit_factors *u)
{
    int common = !isnan(u->density) && !isnan(u->length) && !isnan(u->length_parsec) &&
                 !isnan(u->time) && !isnan(u->mass) && !isnan(u->th);

    switch (type) {
    case IRIS_STANDARD:
        return common && !isnan(u->velocity) && !isnan(u->temperature);
    case IRIS_SIMPLE:
        return common && !isnan(u->v_density);
    case IRIS_SYNTHETIC:
        break;
    }
    return common && !isnan(u->temperature);
}

static enum iris_status
check_std(enum iris_kind k, double std, struct iris_err *err)
{
    if (isfinite(std) && std > 0)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_DATA,
                     "the %s arrays of the sample have a standard deviation of %g: no unit follows",
                     iris_kind_file(k), std);
}

enum iris_status
iris_unitset_own(enum iris_type type, const struct iris_settings *s, const double std[IRIS_KINDS],
                 struct iris_unit_factors *u, struct iris_err *err)
{
    double nan = (double)NAN, density_SI;
    struct iris_unit_system p;
    enum iris_status st;

    processing(s, &p);
    *u = (struct iris_unit_factors){nan,      nan,    nan,    nan,          p.length,
                                    p.parsec, p.time, p.mass, p.temperature};
    if (type == IRIS_STANDARD) {
        u->velocity = u->density = u->temperature = 1;
        return IRIS_OK;
    }
    st = check_std(IRIS_COLUMN, std[IRIS_COLUMN], err);
    if (!st)
        st = check_std(IRIS_OBSERVED, std[IRIS_OBSERVED], err);
    if (st)
        return st;
    u->density = 1 / std[IRIS_COLUMN];
    density_SI = u->density * iris_units_density(&p);
    u->length = iris_cbrt(p.mass / density_SI);
    u->length_parsec = u->length * s->dataset.meters_per_parsec;
    if (type == IRIS_SIMPLE) {
        u->v_density = 1 / std[IRIS_OBSERVED];
        u->time = u->v_density * iris_units_density(&p) * p.time / density_SI;
    } else {
        u->temperature = 1 / std[IRIS_OBSERVED];
        u->th = u->temperature * p.temperature;
    }
    return IRIS_OK;
}

/* The stored factor where it is the computed one but for rounding. */
static double
either(double stored, double computed)
{
    return fabs(stored - computed) <= 1e-12 * computed ? stored : computed;
}

enum iris_status
iris_unitset_taken(enum iris_type type, const struct iris_settings *s,
                   const struct iris_unit_factors *from, struct iris_unit_factors *u,
                   struct iris_err *err)
{
    const struct {
        const char *key;
        double value;
    } needed[] = {{"_length_iris_per_SI", from->length},
                  {"_length_iris_per_parsec", from->length_parsec},
                  {"_time_iris_per_SI", from->time},
                  {"_mass_iris_per_SI", from->mass},
                  {"_temperature_iris_per_SI", from->th}};
    struct iris_unit_system p;
    double density;
    size_t i;

    for (i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!isfinite(needed[i].value) || !(needed[i].value > 0))
            return iris_fail(err, IRIS_E_DATA, "no units to take: dataset_hyper.%s is not set",
                             needed[i].key);
    }
    processing(s, &p);
    /* a data set's own factors are taken to the bit, so that the same units
     * keep the same name */
    density = from->mass / (from->length * from->length * from->length);
    *u = *from;
    u->velocity = either(from->velocity, from->length / from->time / iris_units_velocity(&p));
    u->density = either(from->density, density / iris_units_density(&p));
    u->temperature = either(from->temperature, from->th / p.temperature);
    u->v_density = (double)NAN;
    if (type == IRIS_SIMPLE)
        u->v_density = either(from->v_density,
                              density * from->time / (iris_units_density(&p) * p.time));
    return IRIS_OK;
}

static enum iris_status
need(const char *key, double value, struct iris_err *err)
{
    if (isfinite(value) && value > 0)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_DATA, "dataset_hyper.%s is not set; iris-units sets it", key);
}

/* The name of a set of units: a hash of all that describes them. */
static void
name_units(enum iris_type type, const struct iris_unit_factors *u, const struct iris_scaling *s,
           char digest[IRIS_UNITS_DIGEST])
{
    struct {
        double per_SI[5];
        float factor[IRIS_TENSOR_CHANNELS + 2];
        uint32_t type, zero;
    } all;
    char text[IRIS_DIGEST_TEXT];

    memset(&all, 0, sizeof all);
    all.per_SI[0] = u->length;
    all.per_SI[1] = u->length_parsec;
    all.per_SI[2] = u->time;
    all.per_SI[3] = u->mass;
    all.per_SI[4] = u->th;
    memcpy(all.factor, s->tensor, sizeof s->tensor);
    all.factor[IRIS_TENSOR_CHANNELS] = s->column;
    all.factor[IRIS_TENSOR_CHANNELS + 1] = s->observed;
    all.type = (uint32_t)type;
    iris_digest_memory(&all, sizeof all, text);
    snprintf(digest, IRIS_UNITS_DIGEST, "%.8s", text);
}

enum iris_status
iris_unitset_scaling(enum iris_type type, const struct iris_unit_factors *u, struct iris_scaling *s,
                     struct iris_err *err)
{
    double factor[3] = {1, u->density, 1}; /* velocity, density, temperature or v_density */
    enum iris_status st;
    size_t i;
    int differs = 0;

    *s = (struct iris_scaling){.column = 1, .observed = 1};
    st = need("_density_iris_per_processing", u->density, err);
    if (!st && type == IRIS_STANDARD) {
        factor[0] = u->velocity;
        st = need("_velocity_iris_per_processing", u->velocity, err);
    }
    if (!st && type == IRIS_SIMPLE) {
        factor[2] = u->v_density;
        st = need("_v_density_iris_per_processing", u->v_density, err);
    } else if (!st) {
        factor[2] = u->temperature;
        st = need("_temperature_iris_per_processing", u->temperature, err);
    }
    if (st)
        return st;
    for (i = 0; i < 3; i++)
        differs |= fabs(factor[i] - 1) > same;
    for (i = 0; i < 3 && !differs; i++)
        factor[i] = 1;
    for (i = 0; i < IRIS_TENSOR_CHANNELS; i++)
        s->tensor[i] = 1;
    if (type == IRIS_STANDARD) {
        s->tensor[IRIS_V_R] = (float)factor[0];
        s->tensor[IRIS_RHO] = (float)factor[1];
        s->tensor[IRIS_T] = s->tensor[IRIS_T_DUST] = (float)factor[2];
    } else {
        s->column = (float)factor[1];
        s->observed = (float)factor[2];
    }
    name_units(type, u, s, s->digest);
    return IRIS_OK;
}

const float *
iris_scaling_of(const struct iris_scaling *s, enum iris_kind k, size_t *channels)
{
    *channels = k == IRIS_TENSOR ? IRIS_TENSOR_CHANNELS : 1;
    return k == IRIS_TENSOR ? s->tensor : k == IRIS_COLUMN ? &s->column : &s->observed;
}
