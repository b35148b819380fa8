#include "fits.h"

#include <endian.h>
#include <fitsio.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { CARD = 80, AXES = 3 };

/* One axis: label = step * (pixel - zero) with pixels from 1. */
struct scale {
    double step, zero;
};

static enum iris_status
scale_of(const char *what, double min, double max, size_t n, struct scale *s, struct iris_err *err)
{
    if (!isfinite(min) || !isfinite(max) || max < min || (n > 1 && !(min < max)))
        return iris_fail(err, IRIS_E_DATA, "%s of a cube do not increase", what);
    if (n > 1)
        s->step = (max - min) / (double)(n - 1);
    else
        s->step = max > min ? max - min : 1;
    s->zero = 1 - min / s->step;
    return IRIS_OK;
}

static enum iris_status
check_line(const struct iris_cube_law *law, size_t line, struct iris_err *err)
{
    double nu = law->rest_frequency ? law->rest_frequency[line] : 1;

    if (!isfinite(nu) || nu <= 0)
        return iris_fail(err, IRIS_E_DATA, "the rest frequency of line '%s' is not positive",
                         law->line_name[line]);
    if (!isnan(law->beam_fwhm) && (!isfinite(law->beam_fwhm) || law->beam_fwhm <= 0))
        return iris_fail(err, IRIS_E_DATA, "the width of the beam is not positive");
    return IRIS_OK;
}

static void
put_number(fitsfile *f, const char *key, double v, const char *comment, int *bad)
{
    fits_write_key_dbl(f, key, v, -15, comment, bad);
}

static void
put_text(fitsfile *f, const char *key, const char *v, const char *comment, int *bad)
{
    fits_write_key_str(f, key, v, comment, bad);
}

static void
put_sky(fitsfile *f, const struct scale *lon, const struct scale *lat, int *bad)
{
    put_text(f, "CTYPE1", "GLON-CAR", "Galactic longitude, plate carree", bad);
    put_text(f, "CUNIT1", "deg", NULL, bad);
    put_number(f, "CRVAL1", 0, NULL, bad);
    put_number(f, "CRPIX1", lon->zero, NULL, bad);
    put_number(f, "CDELT1", lon->step, NULL, bad);
    put_text(f, "CTYPE2", "GLAT-CAR", "Galactic latitude, plate carree", bad);
    put_text(f, "CUNIT2", "deg", NULL, bad);
    put_number(f, "CRVAL2", 0, NULL, bad);
    put_number(f, "CRPIX2", lat->zero, NULL, bad);
    put_number(f, "CDELT2", lat->step, NULL, bad);
}

static void
put_velocity(fitsfile *f, double first, const struct scale *v, const double *frequency, int *bad)
{
    put_text(f, "CTYPE3", "VRAD", "label of the channel", bad);
    put_text(f, "CUNIT3", "m/s", NULL, bad);
    put_number(f, "CRVAL3", first, NULL, bad);
    put_number(f, "CRPIX3", 1, NULL, bad);
    put_number(f, "CDELT3", v->step, NULL, bad);
    if (frequency)
        put_number(f, "RESTFRQ", *frequency, "[Hz] rest frequency", bad);
}

static void
put_values(fitsfile *f, const struct iris_cube_law *law, int *bad)
{
    if (law->unit)
        put_text(f, "BUNIT", law->unit, NULL, bad);
    else
        fits_write_comment(f, "Values are in units of processing: no BUNIT.", bad);
    if (law->quantity)
        put_text(f, "BTYPE", law->quantity, NULL, bad);
    if (isnan(law->beam_fwhm))
        return;
    put_number(f, "BMAJ", law->beam_fwhm, "[deg] full width at half maximum", bad);
    put_number(f, "BMIN", law->beam_fwhm, "[deg] full width at half maximum", bad);
    put_number(f, "BPA", 0, "[deg]", bad);
}

static void
put_origin(fitsfile *f, int *bad)
{
    put_text(f, "ORIGIN", "iris", NULL, bad);
    put_text(f, "CREATOR", "iris", NULL, bad);
}

static void
put_remarks(fitsfile *f, const struct iris_cube_law *law, int *bad)
{
    size_t i;

    put_origin(f, bad);
    fits_write_comment(f, "Axis 3 has the channel labels of the data set: positive velocities are",
                       bad);
    fits_write_comment(f, "of gas that comes towards the observer, where VRAD means the contrary.",
                       bad);
    fits_write_comment(f, "No motion of the observer is modelled: no SPECSYS.", bad);
    for (i = 0; i < law->n_history; i++)
        fits_write_history(f, law->history[i], bad);
}

static void
put_sizes(fitsfile *f, const LONGLONG *size, int axes, int *bad)
{
    static const char *const key[AXES] = {"NAXIS1", "NAXIS2", "NAXIS3"};
    LONGLONG n;
    int i;

    for (i = 0; i < axes; i++) {
        n = size[i];
        fits_update_key(f, TLONGLONG, key[i], &n, NULL, bad);
    }
}

/* The cards as they stand, with END, padded with blanks. */
static void
take_cards(fitsfile *f, struct iris_buf *out, int *bad)
{
    size_t blanks;
    char *cards = NULL;
    int n = 0, released = 0;

    if (fits_hdr2str(f, 0, NULL, 0, &cards, &n, bad))
        return;
    iris_buf_append(out, cards, strlen(cards));
    blanks = (IRIS_FITS_BLOCK - strlen(cards) % IRIS_FITS_BLOCK) % IRIS_FITS_BLOCK;
    for (; blanks; blanks--)
        iris_buf_putc(out, ' ');
    fits_free_memory(cards, &released);
}

static enum iris_status
failed(int bad, struct iris_err *err)
{
    char text[FLEN_STATUS] = "";

    fits_get_errstatus(bad, text);
    fits_clear_errmsg();
    return iris_fail(err, bad == MEMORY_ALLOCATION ? IRIS_E_IO : IRIS_E_DATA,
                     "cannot make the header of a FITS image: %s", text);
}

/* A header in memory. An image is filled when it is left: so it is one of a single
 * pixel, and the sizes are cards for as long as the cards are taken. */
static fitsfile *
begin(const LONGLONG *size, int axes, int extension, const char *name, int *bad)
{
    LONGLONG one[AXES] = {1, 1, 1};
    fitsfile *f = NULL;

    fits_create_file(&f, "mem://", bad);
    if (extension) /* it needs something to extend */
        fits_create_img(f, BYTE_IMG, 0, NULL, bad);
    fits_create_imgll(f, FLOAT_IMG, axes, one, bad);
    put_sizes(f, size, axes, bad);
    put_text(f, "EXTNAME", name, NULL, bad);
    return f;
}

static enum iris_status
end(fitsfile *f, int axes, struct iris_buf *out, int bad, struct iris_err *err)
{
    LONGLONG one[AXES] = {1, 1, 1};
    int closed = 0;

    if (!bad)
        take_cards(f, out, &bad);
    if (f) {
        put_sizes(f, one, axes, &closed);
        fits_close_file(f, &closed);
    }
    return bad ? failed(bad, err) : iris_buf_check(out, err);
}

enum iris_status
iris_fits_header(const struct iris_cube_law *law, size_t line, struct iris_buf *out,
                 struct iris_err *err)
{
    LONGLONG size[AXES] = {(LONGLONG)law->n_lon, (LONGLONG)law->n_lat, (LONGLONG)law->n_v};
    struct scale lon, lat, v;
    enum iris_status st;
    fitsfile *f;
    int bad = 0;

    if ((st = scale_of("longitudes", law->lon_min, law->lon_max, law->n_lon, &lon, err)) ||
        (st = scale_of("latitudes", law->lat_min, law->lat_max, law->n_lat, &lat, err)) ||
        (st = scale_of("velocities", law->v_min * 1e3, law->v_max * 1e3, law->n_v, &v, err)) ||
        (st = check_line(law, line, err)))
        return st;
    f = begin(size, AXES, line > 0, law->line_name[line], &bad);
    put_sky(f, &lon, &lat, &bad);
    put_velocity(f, law->v_min * 1e3, &v, law->rest_frequency ? law->rest_frequency + line : NULL,
                 &bad);
    put_values(f, law, &bad);
    put_remarks(f, law, &bad);
    return end(f, AXES, out, bad, err);
}

static void
put_axis(fitsfile *f, int k, const struct iris_fits_axis *axis, int *bad)
{
    char key[FLEN_KEYWORD];

    fits_make_keyn("CTYPE", k, key, bad);
    put_text(f, key, axis->type, NULL, bad);
    fits_make_keyn("CNAME", k, key, bad);
    put_text(f, key, axis->meaning, NULL, bad);
    fits_make_keyn("CUNIT", k, key, bad);
    put_text(f, key, axis->unit, NULL, bad);
    fits_make_keyn("CRVAL", k, key, bad);
    put_number(f, key, axis->first, NULL, bad);
    fits_make_keyn("CRPIX", k, key, bad);
    put_number(f, key, 1, NULL, bad);
    fits_make_keyn("CDELT", k, key, bad);
    put_number(f, key, axis->step, NULL, bad);
}

enum iris_status
iris_fits_map_header(const struct iris_fits_map *map, size_t extension, struct iris_buf *out,
                     struct iris_err *err)
{
    LONGLONG size[2] = {(LONGLONG)map->axis[0].n, (LONGLONG)map->axis[1].n};
    fitsfile *f;
    int bad = 0;
    size_t i;

    for (i = 0; i < 2; i++) {
        if (!isfinite(map->axis[i].first) || !isfinite(map->axis[i].step))
            return iris_fail(err, IRIS_E_DATA, "an axis of a map is not finite");
    }
    f = begin(size, 2, extension > 0, map->name, &bad);
    for (i = 0; i < 2; i++)
        put_axis(f, (int)i + 1, &map->axis[i], &bad);
    if (strcmp(map->unit, "1"))
        put_text(f, "BUNIT", map->unit, NULL, &bad);
    put_text(f, "BTYPE", map->quantity, NULL, &bad);
    put_origin(f, &bad);
    for (i = 0; i < map->n_comment; i++)
        fits_write_comment(f, map->comment[i], &bad);
    for (i = 0; i < map->n_history; i++)
        fits_write_history(f, map->history[i], &bad);
    return end(f, 2, out, bad, err);
}

void
iris_fits_values(const double *v, size_t n, struct iris_buf *out)
{
    size_t blanks = (IRIS_FITS_BLOCK - n * 4 % IRIS_FITS_BLOCK) % IRIS_FITS_BLOCK, i;

    for (i = 0; i < n; i++) {
        float one = (float)v[i];
        uint32_t bits;

        memcpy(&bits, &one, sizeof bits);
        bits = htobe32(bits);
        iris_buf_append(out, &bits, sizeof bits);
    }
    for (; blanks; blanks--)
        iris_buf_putc(out, 0);
}
