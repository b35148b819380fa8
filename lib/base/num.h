/* num -- numbers from text and back, checked.
 *
 * Nothing here depends on the locale as long as the program keeps the "C"
 * locale, which every tool does.
 */
#ifndef IRIS_NUM_H
#define IRIS_NUM_H

#include <stddef.h>
#include <stdint.h>

/* Parse the whole of s. Leading blanks, signs on unsigned numbers, trailing
 * bytes and values out of range are refused.
 *
 *   return  0, or -1 with *v untouched
 */
int iris_parse_u64(const char *s, uint64_t *v);
int iris_parse_i64(const char *s, int64_t *v);

/* A finite decimal number, or inf, -inf, nan as iris_format_f64 writes them. */
int iris_parse_f64(const char *s, double *v);

/* A number of bytes with an optional suffix K, M, G or T (powers of 1024). */
int iris_parse_bytes(const char *s, uint64_t *v);

/* The shortest decimal form that reads back to the same double, in the form
 * Python's repr uses: fixed notation with a decimal point for
 * 1e-4 <= |v| < 1e16 and zero, else an exponent with a sign and at least two
 * digits. Infinities are "inf" and "-inf", not a number is "nan".
 *
 *   out  text  NUL terminated
 *   return  text
 */
#define IRIS_F64_TEXT 32
char *iris_format_f64(double v, char text[IRIS_F64_TEXT]);

/* a * b and a + b, or -1 with *out untouched when they do not fit. */
int iris_mul_size(size_t a, size_t b, size_t *out);
int iris_add_size(size_t a, size_t b, size_t *out);

/* Order of names as people read it: runs of digits compare as numbers, other
 * bytes as unsigned char; equal numbers with different leading zeros and then
 * whole strings are told apart by strcmp, so the order is total.
 */
int iris_natural_cmp(const char *a, const char *b);

#endif
