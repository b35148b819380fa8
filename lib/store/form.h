/* form -- what a path leads to, by what it begins with. */
#ifndef IRIS_FORM_H
#define IRIS_FORM_H

#include "err.h"

enum iris_form {
    IRIS_FORM_DIRECTORY,
    IRIS_FORM_CONTAINER,
    IRIS_FORM_HDF5,
    IRIS_FORM_FITS,
    IRIS_FORM_OTHER
};

/* HDF5 is what is no container.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  missing or unreadable
 */
enum iris_status iris_form_of(const char *path, enum iris_form *form, struct iris_err *err);

#endif
