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

/* A snapshot of 32 cells, or one file of it, 0 to files - 1; files is 1, 2 or 4. */
void made_snapshot(const char *name, int file, int files);

/* The line's tables. */
void made_lines(const char *name);

/* A container of a data set with one entry of type simple. */
void made_container(const char *name);

#endif
