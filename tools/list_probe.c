#include "list.h"
#include "probe.h"

/* One sentence, however many it are: the table has them all. */
static enum iris_status
fail_some(size_t bad, size_t all, const char *first, const struct iris_err *why,
          struct iris_err *err)
{
    if (bad == 1)
        return iris_fail(err, IRIS_E_SOME, "'%s' cannot be used: %s", first, why->msg);
    return iris_fail(err, IRIS_E_SOME, "%zu of %zu snapshots cannot be used, the first is '%s': %s",
                     bad, all, first, why->msg);
}

enum iris_status
list_probe(const struct iris_cli *cli, const struct iris_find *f, const struct iris_hyper *h,
           struct iris_err *err)
{
    struct iris_manifest m = {0};
    struct iris_err first = {0};
    size_t i, bad = 0, first_bad = 0;
    enum iris_status st = iris_probe_manifest(&m, err);

    for (i = 0; i < f->n && !st; i++) {
        const struct iris_found *s = &f->found[i];
        struct iris_err why = {0};
        int taken;

        iris_cli_note(cli, "reading '%s'", s->path);
        st = iris_probe_add(&m, s->id, s->path, s->files, h, &taken, &why, err);
        if (!st && !taken && !bad++) {
            first_bad = i;
            first = why;
        }
    }
    if (!st)
        st = iris_cli_print(cli, &m, err);
    iris_manifest_release(&m);
    if (!st && bad)
        st = fail_some(bad, f->n, f->found[first_bad].id, &first, err);
    return st;
}
