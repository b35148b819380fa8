#include <inttypes.h>
#include <stdio.h>

#include "gen.h"

static enum iris_status
plan_rows(const char *input, struct iris_plan *plan, struct iris_manifest *m, struct iris_err *err)
{
    enum iris_status st;
    size_t r, index;

    st = iris_cli_await(input, err);
    if (!st)
        st = iris_manifest_read(input, "snapshots", m, err);
    if (!st)
        st = iris_manifest_column(m, "todo", "u32", &index, err);
    for (r = 0; r < m->n_rows && !st; r++) {
        st = iris_plan_add(plan, m, r, err);
        if (!st)
            st = iris_manifest_set_u64(m, r, "todo", plan->snapshot[r].todo, err);
    }
    return st;
}

enum iris_status
gen_plan(const struct iris_cli *cli, const char *root, const char *input, int print,
         const struct iris_entry_run *run, struct iris_err *err)
{
    struct iris_dataset dataset;
    struct iris_manifest m = {0};
    struct iris_plan plan;
    enum iris_status st;

    st = iris_dataset_open(&dataset, root, IRIS_DATASET_PLANNED, err);
    if (st)
        return st;
    iris_plan_init(&plan, run, &dataset);
    st = plan_rows(input, &plan, &m, err);
    if (!st && print) {
        st = iris_cli_print(cli, &m, err);
    } else if (!st) {
        fprintf(stderr,
                "%s: would make %" PRIu64 " of %" PRIu64 " points of %zu snapshots in '%s'\n",
                iris_prog, plan.total - plan.skipped, plan.total, plan.n, root);
    }
    iris_manifest_release(&m);
    iris_plan_release(&plan);
    iris_dataset_close(&dataset);
    return st;
}
