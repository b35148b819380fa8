#include "fits.h"

#include <fitsio.h>
#include <math.h>
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
put_remarks(fitsfile *f, const struct iris_cube_law *law, int *bad)
{
    size_t i;

    put_text(f, "ORIGIN", "iris", NULL, bad);
    put_text(f, "CREATOR", "iris", NULL, bad);
    fits_write_comment(f, "Axis 3 has the channel labels of the data set: positive velocities are",
                       bad);
    fits_write_comment(f, "of gas that comes towards the observer, where VRAD means the contrary.",
                       bad);
    fits_write_comment(f, "No motion of the observer is modelled: no SPECSYS.", bad);
    for (i = 0; i < law->n_history; i++)
        fits_write_history(f, law->history[i], bad);
}

static void
put_sizes(fitsfile *f, const LONGLONG size[AXES], int *bad)
{
    static const char *const key[AXES] = {"NAXIS1", "NAXIS2", "NAXIS3"};
    LONGLONG n;
    int i;

    for (i = 0; i < AXES; i++) {
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
                     "cannot make the header of a FITS cube: %s", text);
}

enum iris_status
iris_fits_header(const struct iris_cube_law *law, size_t line, struct iris_buf *out,
                 struct iris_err *err)
{
    LONGLONG size[AXES] = {(LONGLONG)law->n_lon, (LONGLONG)law->n_lat, (LONGLONG)law->n_v};
    LONGLONG one[AXES] = {1, 1, 1};
    struct scale lon, lat, v;
    enum iris_status st;
    fitsfile *f = NULL;
    int bad = 0, closed = 0;

    if ((st = scale_of("longitudes", law->lon_min, law->lon_max, law->n_lon, &lon, err)) ||
        (st = scale_of("latitudes", law->lat_min, law->lat_max, law->n_lat, &lat, err)) ||
        (st = scale_of("velocities", law->v_min * 1e3, law->v_max * 1e3, law->n_v, &v, err)) ||
        (st = check_line(law, line, err)))
        return st;
    fits_create_file(&f, "mem://", &bad);
    if (line) /* an extension needs something to extend */
        fits_create_img(f, BYTE_IMG, 0, NULL, &bad);
    /* An image is filled when it is left, in memory: so it is one of a single
     * pixel, and the sizes are cards for as long as the cards are taken. */
    fits_create_imgll(f, FLOAT_IMG, AXES, one, &bad);
    put_sizes(f, size, &bad);
    put_text(f, "EXTNAME", law->line_name[line], NULL, &bad);
    put_sky(f, &lon, &lat, &bad);
    put_velocity(f, law->v_min * 1e3, &v, law->rest_frequency ? law->rest_frequency + line : NULL,
                 &bad);
    put_values(f, law, &bad);
    put_remarks(f, law, &bad);
    if (!bad)
        take_cards(f, out, &bad);
    if (f) {
        put_sizes(f, one, &closed);
        fits_close_file(f, &closed);
    }
    return bad ? failed(bad, err) : iris_buf_check(out, err);
}
