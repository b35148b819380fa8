#include <math.h>
#include <string.h>

#include "num.h"
#include "show.h"

/* ---- what a panel shows ---- */

static const char *
name_of(int what)
{
    static const char *const moment[IRIS_MOMENTS] = {"moment0", "moment1", "moment2"};

    if (what >= SHOW_MOMENT && what < SHOW_MOMENT + IRIS_MOMENTS)
        return moment[what - SHOW_MOMENT];
    if (what < IRIS_KINDS)
        return iris_kind_column((enum iris_kind)what);
    return what == SHOW_SNAPSHOT ? "snapshot"
                                 : iris_field_name((enum iris_field)(what - SHOW_FIELD));
}

/* Find a word among those from first to limit; limit where there is none. */
static int
find(const char *word, size_t n, int first, int limit)
{
    while (first < limit && (strlen(name_of(first)) != n || strncmp(word, name_of(first), n)))
        first++;
    return first;
}

enum iris_status
show_parse_kind(const char *word, int *kind, struct iris_err *err)
{
    *kind = strcmp(word, "cube") ? find(word, strlen(word), 0, IRIS_KINDS) : SHOW_CUBE;
    if (*kind < IRIS_KINDS || !strcmp(word, "cube"))
        return IRIS_OK;
    return iris_fail(err, IRIS_E_USAGE, "bad kind '%s': need column, observed, tensor or cube",
                     word);
}

static enum iris_status
parse_what(const char *word, size_t n, int *what, struct iris_err *err)
{
    *what = find(word, n, 0, SHOW_WHATS);
    if (*what < SHOW_WHATS)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_USAGE,
                     "bad kind '%.*s': need column, observed, tensor, snapshot, moment0 to "
                     "moment2 or a field",
                     (int)n, word);
}

/* The kind before a colon, -1 for all; *text is moved behind it. */
static enum iris_status
parse_prefix(const char **text, int *kind, struct iris_err *err)
{
    const char *colon = strchr(*text, ':');
    enum iris_status st;

    *kind = -1;
    if (!colon)
        return IRIS_OK;
    st = parse_what(*text, (size_t)(colon - *text), kind, err);
    *text = colon + 1;
    return st;
}

enum iris_status
show_parse_scale(const char *text, struct show *o, struct iris_err *err)
{
    enum iris_curve curve;
    enum iris_status st;
    int kind, k;

    st = parse_prefix(&text, &kind, err);
    if (!st)
        st = iris_curve_parse(text, &curve, err);
    for (k = 0; k < SHOW_WHATS && !st; k++) {
        if (kind < 0 || kind == k) {
            o->look[k].has_curve = 1;
            o->look[k].curve = curve;
        }
    }
    return st;
}

enum iris_status
show_parse_range(const char *text, struct show *o, struct iris_err *err)
{
    char lo[64] = "";
    enum iris_status st;
    const char *comma;
    double range[2];
    int kind, k;

    st = parse_prefix(&text, &kind, err);
    if (st)
        return st;
    comma = strchr(text, ',');
    if (comma && (size_t)(comma - text) < sizeof lo)
        memcpy(lo, text, (size_t)(comma - text));
    if (!comma || iris_parse_f64(lo, &range[0]) || iris_parse_f64(comma + 1, &range[1]) ||
        !(range[1] - range[0] > 1e-200) || !isfinite(range[0]) || !isfinite(range[1]))
        return iris_fail(err, IRIS_E_USAGE, "bad range '%s': need LO,HI with LO below HI", text);
    o->range_of_all |= kind < 0;
    for (k = 0; k < SHOW_WHATS; k++) {
        if (kind < 0 || kind == k) {
            o->look[k].has_range = 1;
            memcpy(o->look[k].range, range, sizeof range);
        }
    }
    return IRIS_OK;
}

/* What holds for tensors holds for their fields, but for what was said of these. */
void
show_settle(struct show *o)
{
    const struct show_look *all = &o->look[IRIS_TENSOR];
    int k;

    for (k = SHOW_FIELD; k < SHOW_WHATS; k++) {
        struct show_look *look = &o->look[k];

        if (!look->has_curve) {
            look->has_curve = all->has_curve;
            look->curve = all->curve;
        }
        if (!look->has_range) {
            look->has_range = all->has_range;
            memcpy(look->range, all->range, sizeof look->range);
        }
    }
}

/* ---- which part of it ---- */

enum iris_status
show_parse_fields(const char *text, struct show *o, struct iris_err *err)
{
    size_t n, k;

    for (;; text += n + 1) {
        int what;

        n = strcspn(text, ",");
        what = find(text, n, SHOW_FIELD, SHOW_WHATS);
        if (what == SHOW_WHATS)
            return iris_fail(err, IRIS_E_USAGE,
                             "bad field '%.*s': need v_r, rho, T, x_H2, x_CO or T_dust", (int)n,
                             text);
        for (k = 0; k < o->what.fields && o->what.field[k] != (enum iris_field)(what - SHOW_FIELD);
             k++)
            ;
        o->what.field[k] = (enum iris_field)(what - SHOW_FIELD);
        o->what.fields += k == o->what.fields;
        if (!text[n])
            return IRIS_OK;
    }
}

enum iris_status
show_parse_slice(const char *text, struct show *o, struct iris_err *err)
{
    static const char *const axis[IRIS_SLICES] = {
        [IRIS_SLICE_LAT] = "lat", [IRIS_SLICE_LON] = "lon", [IRIS_SLICE_R] = "r"};
    size_t n = strcspn(text, ":");
    int k;

    for (k = 0; k < IRIS_SLICES; k++) {
        if (strlen(axis[k]) == n && !strncmp(text, axis[k], n))
            break;
    }
    if (k == IRIS_SLICES || !text[n] || iris_parse_f64(text + n + 1, &o->what.slice.at) ||
        !isfinite(o->what.slice.at))
        return iris_fail(err, IRIS_E_USAGE, "bad slice '%s': need lat:DEG, lon:DEG or r:PC", text);
    o->what.slice.axis = (enum iris_slice_axis)k;
    o->what.has_slice = 1;
    return IRIS_OK;
}

enum iris_status
show_parse_moments(const char *text, struct show *o, struct iris_err *err)
{
    const char *p;

    for (p = text;; p += 2) {
        if (*p < '0' || *p >= '0' + IRIS_MOMENTS || (p[1] && p[1] != ','))
            return iris_fail(err, IRIS_E_USAGE, "bad moments '%s': need 0, 1 or 2, or a list",
                             text);
        o->moments |= 1u << (*p - '0');
        if (!p[1])
            return IRIS_OK;
    }
}

enum iris_status
show_parse_size(const char *text, double *size, struct iris_err *err)
{
    if (iris_parse_f64(text, size) || !(*size >= 1e-6 && *size <= 1e12))
        return iris_fail(err, IRIS_E_USAGE, "bad size '%s': need pc, 1e-6 to 1e12", text);
    return IRIS_OK;
}
