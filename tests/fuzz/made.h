/* made -- small good files that targets change or read. They lie in fuzz_directory. */
#ifndef MADE_H
#define MADE_H

#include "hyper.h"

extern const char made_molecule[]; /* text in LAMDA format: three levels */

/* Settings of a tiny grid, with a line of "xo.dat", which is put there.
 *
 *   return  to be freed with iris_hyper_free
 */
struct iris_hyper *made_settings(void);

/* A snapshot of 32 cells. */
void made_snapshot(const char *name);

/* The line's tables. */
void made_lines(const char *name);

/* A container of a data set with one entry of type simple. */
void made_container(const char *name);

#endif
