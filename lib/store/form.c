#include "form.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5.h"

enum { MAGIC = 8 };

/* Whether it wants to be one. */
static int
is_container(const char *path)
{
    hid_t file;
    int is;

    iris_h5_quiet();
    file = iris_h5_open(path);
    is = file >= 0 && iris_h5_has_attribute(file, "/", "format");
    if (file >= 0)
        H5Fclose(file);
    return is;
}

enum iris_status
iris_form_of(const char *path, enum iris_form *form, struct iris_err *err)
{
    static const char hdf5[] = "\x89HDF\r\n\x1a\n", fits[] = "SIMPLE  ";
    char begin[MAGIC] = {0};
    struct stat sb;
    ssize_t n;
    int fd;

    *form = IRIS_FORM_DIRECTORY;
    if (stat(path, &sb))
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    if (S_ISDIR(sb.st_mode))
        return IRIS_OK;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    n = pread(fd, begin, MAGIC, 0);
    if (n < 0)
        iris_fail(err, IRIS_E_IO, "cannot read '%s':", path);
    close(fd);
    if (n < 0)
        return IRIS_E_IO;
    if (!memcmp(begin, fits, MAGIC))
        *form = IRIS_FORM_FITS;
    else if (memcmp(begin, hdf5, MAGIC))
        *form = IRIS_FORM_OTHER;
    else
        *form = is_container(path) ? IRIS_FORM_CONTAINER : IRIS_FORM_HDF5;
    return IRIS_OK;
}
