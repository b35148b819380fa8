#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gen.h"
#include "machine.h"

/* What is to be written; bytes that are too many to count are as many as can be. */
struct need {
    uint64_t files, bytes;
};

static void
add_bytes(struct need *n, uint64_t times, uint64_t bytes)
{
    if (__builtin_mul_overflow(times, bytes, &bytes) ||
        __builtin_add_overflow(n->bytes, bytes, &n->bytes))
        n->bytes = UINT64_MAX;
}

static struct need
need_of(const struct iris_variant *v, uint32_t points)
{
    struct need n = {0, 0};
    enum iris_kind kind[2];
    size_t k, kinds = iris_type_kinds(v->run.type, kind);

    for (k = 0; k < kinds; k++)
        add_bytes(&n, points, iris_kind_bytes(kind[k], v->run.type, &v->settings));
    n.files = kinds * points;
    return n;
}

static enum iris_status
plan_rows(const char *input, struct iris_plan *plan, struct iris_manifest *m, struct need *all,
          struct iris_err *err)
{
    enum iris_status st;
    size_t r, index;

    st = iris_cli_await(input, err);
    if (!st)
        st = iris_manifest_read(input, "snapshots", m, err);
    if (!st)
        st = iris_manifest_column(m, "todo", "u32", &index, err);
    for (r = 0; r < m->n_rows && !st; r++) {
        const struct iris_plan_snapshot *s;
        struct need n = {0, 0};

        st = iris_plan_add(plan, m, r, err);
        if (st) {
            iris_fail_in(err, "%s", strcmp(input, "-") ? input : "standard input");
            break;
        }
        s = &plan->snapshot[r];
        n = need_of(iris_plan_variant(plan, s), s->points - s->there);
        all->files += n.files;
        add_bytes(all, 1, n.bytes);
        st = iris_manifest_set_u64(m, r, "todo", s->todo, err);
    }
    return st;
}

/* The manifest; lines that other programs pass over say what there is to do and why,
 * for each row and in all. */
static enum iris_status
print(const struct gen_options *o, const struct iris_plan *plan, const struct iris_manifest *m,
      const struct need *all, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;
    char why[160];
    size_t r;

    iris_manifest_print_head(m, &text);
    for (r = 0; r < plan->n; r++) {
        const struct iris_plan_snapshot *s = &plan->snapshot[r];
        struct need n = need_of(iris_plan_variant(plan, s), s->points - s->there);

        iris_buf_printf(&text,
                        "##task snapshot=%s todo=%" PRIu32 " there=%" PRIu32 " files=%" PRIu64
                        " bytes=%" PRIu64 " why=%s\n",
                        s->id, s->todo, s->there, n.files, n.bytes,
                        iris_plan_why(plan, s, why, sizeof why));
    }
    iris_buf_printf(&text,
                    "##plan snapshots=%zu points=%" PRIu64 " there=%" PRIu64 " files=%" PRIu64
                    " bytes=%" PRIu64 "\n",
                    plan->n, plan->total, plan->skipped, all->files, all->bytes);
    for (r = 0; r < m->n_rows; r++)
        iris_manifest_print_row(m, r, &text);
    iris_manifest_print_end(m, &text);
    st = iris_cli_write(&o->cli, &text, err);
    iris_buf_release(&text);
    return st;
}

/* How much room there is changes from one moment to the next, so it is not in what
 * is printed. */
static void
say_room(const struct gen_options *o, const struct iris_plan *plan, const struct need *all)
{
    uint64_t room;

    if (iris_disk_free(o->dataset, &room))
        return;
    iris_cli_note(&o->cli,
                  "%" PRIu64 " of %" PRIu64 " points to make: %" PRIu64
                  " files, %.1f MiB; %.1f MiB "
                  "are free",
                  plan->total - plan->skipped, plan->total, all->files,
                  (double)all->bytes / (1 << 20), (double)room / (1 << 20));
    if (all->bytes > room)
        iris_cli_warn(&o->cli, "the points take %.1f MiB, but only %.1f MiB are free where '%s' is",
                      (double)all->bytes / (1 << 20), (double)room / (1 << 20), o->dataset);
}

enum iris_status
gen_plan(const struct gen_options *o, const struct iris_variant_law *law, struct iris_err *err)
{
    struct iris_dataset dataset;
    struct iris_manifest m = {0};
    struct iris_plan plan;
    struct need all = {0, 0};
    enum iris_status st;

    st = iris_dataset_open(&dataset, o->dataset, IRIS_DATASET_PLANNED, err);
    if (st)
        return st;
    st = iris_plan_init(&plan, law, &dataset, err);
    if (!st)
        st = plan_rows(o->input, &plan, &m, &all, err);
    if (!st)
        say_room(o, &plan, &all);
    if (!st && o->mode == GEN_PLAN) {
        st = print(o, &plan, &m, &all, err);
    } else if (!st) {
        fprintf(stderr,
                "%s: would make %" PRIu64 " of %" PRIu64 " points of %zu snapshots in '%s'\n",
                iris_prog, plan.total - plan.skipped, plan.total, plan.n, o->dataset);
    }
    iris_manifest_release(&m);
    iris_plan_release(&plan);
    iris_dataset_close(&dataset);
    return st;
}
