#include <inttypes.h>

#include "gen.h"

static enum iris_status
print_entries(const struct iris_cli *cli, const struct iris_plan *plan, struct iris_err *err)
{
    struct iris_manifest m = {0};
    enum iris_status st;

    st = iris_plan_entries(plan, &m, err);
    if (!st)
        st = iris_cli_print(cli, &m, err);
    iris_manifest_release(&m);
    return st;
}

static enum iris_status
say_first(const struct iris_plan *plan, struct iris_err *err)
{
    size_t i;
    uint32_t k;

    for (i = 0; plan->failed && i < plan->n; i++) {
        const struct iris_plan_snapshot *s = &plan->snapshot[i];

        for (k = 0; k < s->points; k++) {
            /* messages name no directories, since they go into the rows */
            if (s->message[k])
                return iris_fail(err, IRIS_E_SOME,
                                 "%" PRIu64 " of %" PRIu64
                                 " points failed; the first, snapshot '%s' point %" PRIu32
                                 "%s%s%s: %s",
                                 plan->failed, plan->total, s->id, k, s->path ? " of '" : "",
                                 s->path ? s->path : "", s->path ? "'" : "", s->message[k]);
        }
    }
    return IRIS_OK;
}

enum iris_status
gen_report(const struct iris_cli *cli, const struct iris_plan *plan, struct iris_err *err)
{
    enum iris_status st = print_entries(cli, plan, err);

    return st ? st : say_first(plan, err);
}
