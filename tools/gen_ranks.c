#define _GNU_SOURCE /* strsep */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen.h"
#include "machine.h"
#include "num.h"
#include "snapshot.h"

enum { FIELDS = 20 };
#define UNKNOWN "unknown" /* the build of a program that cannot read itself */

/* The program as it is on disk: builds of one version may differ. */
static void
put_build(struct iris_buf *b)
{
    char hash[IRIS_DIGEST_TEXT] = UNKNOWN;

    iris_digest_file("/proc/self/exe", hash, NULL);
    iris_buf_printf(b, "%.8s\t", hash);
}

/* What the command line says that is not in the digest. */
static void
put_options(struct iris_buf *b, const struct gen_options *o)
{
    struct iris_buf text = {0};
    char hash[IRIS_DIGEST_TEXT];

    iris_buf_printf(&text, "%d\n%d\n%zu\n%s\n%s\n", (int)o->mode, (int)o->type, o->read_ahead,
                    o->dataset ? o->dataset : "", o->run ? o->run : "");
    iris_buf_printf(&text, "%d\n%d\n%zu\n%d\n", (int)o->gpu.device, o->gpu.number, o->gpu.leases,
                    o->gpu.mix);
    iris_digest_memory(iris_buf_str(&text), text.len, hash);
    iris_buf_printf(b, "%.8s\t", hash);
    b->failed |= text.failed;
    iris_buf_release(&text);
}

/* Whether GPUs matter to a run. */
static int
asks_for_gpus(const struct gen_options *o)
{
    return o->gpu.device != CLI_DEVICE_CPU && !o->precise &&
           (o->mode == GEN_MAKE || o->mode == GEN_ESTIMATE || o->mode == GEN_INFO);
}

static void
put_gpus(struct iris_buf *b, const struct gen_options *o)
{
    char model[128], why[1024] = "";
    int n = asks_for_gpus(o) ? cli_gpu_count(&o->gpu, why, sizeof why) : 0;

    iris_buf_printf(b, "%d\t", n);
    iris_buf_put_plain(b, iris_machine_gpu_model(model, sizeof model) ? "." : model);
    iris_buf_putc(b, '\t');
    iris_buf_put_plain(b, why);
    iris_buf_putc(b, '\t');
}

/* A row of fields, in the order of read_rank. */
static void
write_rank(struct iris_buf *b, const struct gen_options *o, const struct iris_pool *pool,
           const char *digest, const struct iris_err *failed)
{
    const struct iris_pool_node *node = iris_pool_node(pool);
    const struct iris_kernels *kernels = NULL;
    char host[128] = "", hdf5[32];
    struct iris_err unused;

    gethostname(host, sizeof host - 1);
    iris_cli_kernels(&kernels, &unused);
    iris_buf_printf(b, "%s\t", IRIS_VERSION);
    put_build(b);
    iris_buf_printf(b, "%s\t", digest ? digest : ".");
    put_options(b, o);
    iris_buf_printf(b, "%s\t%s\t%s\t%s\t", host, iris_pool_library(pool),
                    iris_snapshot_library(hdf5, sizeof hdf5), kernels ? kernels->name : "unknown");
    iris_buf_printf(b, "%d\t%d\t%d\t", node->first, node->rank, node->size);
    iris_buf_printf(b, "%zu\t%" PRIu64 "\t%" PRIu64 "\t%zu\t", iris_machine_processors(),
                    iris_machine_memory(), iris_machine_memory_free(), iris_machine_gpus());
    put_gpus(b, o);
    iris_buf_printf(b, "%d\t%s", failed ? (int)failed->status : 0, failed ? failed->msg : "");
}

static uint64_t
number(const char *text)
{
    uint64_t v = 0;

    iris_parse_u64(text, &v);
    return v;
}

static enum iris_status
read_rank(const struct iris_buf *b, struct gen_rank *r, struct iris_err *err)
{
    const char *field[FIELDS];
    char *rest;
    size_t n;

    r->text = rest = strdup(iris_buf_str(b));
    if (!rest)
        return iris_fail_memory(err);
    for (n = 0; n < FIELDS; n++) {
        const char *next = n + 1 < FIELDS ? strsep(&rest, "\t") : rest;

        field[n] = next ? next : "";
    }
    r->version = field[0];
    r->build = field[1];
    r->digest = field[2];
    r->options = field[3];
    r->host = field[4];
    r->mpi = field[5];
    r->hdf5 = field[6];
    r->simd = field[7];
    r->first = (int)number(field[8]);
    r->node_rank = (int)number(field[9]);
    r->node_size = (int)number(field[10]);
    r->processors = number(field[11]);
    r->memory = number(field[12]);
    r->memory_free = number(field[13]);
    r->gpus = number(field[14]);
    r->usable_gpus = number(field[15]);
    r->model = field[16];
    r->no_gpu = field[17];
    r->status = (enum iris_status)number(field[18]);
    r->failure = field[19];
    return IRIS_OK;
}

/* ---- comparison ---- */

static enum iris_status
check_gpu(const struct gen_options *o, const struct gen_rank *r, struct iris_err *err)
{
    if (o->gpu.device != CLI_DEVICE_CUDA || o->mode == GEN_INFO || !asks_for_gpus(o) ||
        r->usable_gpus)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_IO, "no GPU on '%s': %s", r->host, r->no_gpu);
}

static int
is_other_build(const char *a, const char *b)
{
    return strcmp(a, b) && strcmp(a, UNKNOWN) && strcmp(b, UNKNOWN);
}

static enum iris_status
compare(const struct gen_options *o, const struct gen_rank *all, int rank, struct iris_err *err)
{
    const struct gen_rank *a = &all[0], *r = &all[rank];

    if (strcmp(a->version, r->version) || is_other_build(a->build, r->build))
        return iris_fail(err, IRIS_E_DATA,
                         "rank %d on '%s' is iris-gen %s (build %s), rank 0 on '%s' is %s (build "
                         "%s): all ranks must be the same program",
                         rank, r->host, r->version, r->build, a->host, a->version, a->build);
    if (r->status && !rank)
        return iris_fail(err, r->status, "%s", r->failure);
    if (r->status)
        return iris_fail(err, r->status, "rank %d on '%s': %s", rank, r->host, r->failure);
    if (strcmp(a->digest, r->digest))
        return iris_fail(err, IRIS_E_DATA,
                         "rank %d on '%s' has other settings or molecular files than rank 0 on "
                         "'%s': their digests are %s and %s",
                         rank, r->host, a->host, r->digest, a->digest);
    if (strcmp(a->options, r->options))
        return iris_fail(err, IRIS_E_DATA,
                         "rank %d on '%s' was started with another data set, type, run, mode, "
                         "device or --read-ahead than rank 0",
                         rank, r->host);
    return check_gpu(o, r, err);
}

static enum iris_status
read_all(const struct gen_options *o, const struct iris_buf *text, size_t n, struct gen_rank *all,
         struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i;

    for (i = 0; i < n && !st; i++)
        st = read_rank(&text[i], &all[i], err);
    for (i = 0; i < n && !st; i++)
        st = compare(o, all, (int)i, err);
    return st;
}

static enum iris_status
gather(const struct gen_options *o, struct iris_pool *pool, const struct iris_buf *own,
       struct gen_rank **all, struct iris_err *err)
{
    size_t n = (size_t)iris_pool_size(pool), i;
    struct iris_buf *text;
    enum iris_status st;

    if (iris_pool_rank(pool))
        return iris_pool_gather(pool, own, NULL, err);
    text = calloc(n, sizeof *text);
    *all = calloc(n, sizeof **all);
    st = iris_pool_gather(pool, own, *all ? text : NULL, err);
    if (!st && *all)
        st = read_all(o, text, n, *all, err);
    for (i = 0; i < n && text; i++)
        iris_buf_release(&text[i]);
    free(text);
    return st;
}

enum iris_status
gen_hear(struct iris_pool *pool, enum iris_status st, struct iris_err *err)
{
    struct iris_buf verdict = {0};
    enum iris_status failed;

    iris_buf_printf(&verdict, "%d\n%s", (int)st, st ? err->msg : "");
    failed = iris_pool_broadcast(pool, &verdict, err);
    if (!failed && iris_pool_rank(pool)) {
        const char *text = iris_buf_str(&verdict), *message = strchr(text, '\n');

        st = (enum iris_status)strtol(text, NULL, 10);
        if (st)
            iris_fail(err, st, "%s", message ? message + 1 : "");
    }
    iris_buf_release(&verdict);
    return failed ? failed : st;
}

static const char *
second_line(const struct iris_buf *text)
{
    const char *end = strchr(iris_buf_str(text), '\n');

    return end ? end + 1 : "";
}

/* The first rank that differs from rank 0 in how it read its command line, or else
 * what is wrong for all of them. */
static enum iris_status
judge(const struct iris_buf *text, int n, enum iris_status st, struct iris_err *err)
{
    int rank;

    for (rank = 1; rank < n; rank++) {
        const char *message = second_line(&text[rank]);
        int other = *message || !*second_line(&text[0]) ? rank : 0;

        if (!strcmp(iris_buf_str(&text[rank]), iris_buf_str(&text[0])))
            continue;
        message = second_line(&text[other]);
        return iris_fail(err, IRIS_E_USAGE, "rank %d has another command line than rank %d%s%s",
                         other, rank - other, *message ? ": " : "", message);
    }
    return st;
}

enum iris_status
gen_meet_parsed(struct iris_pool *pool, enum iris_status st, int asked, struct iris_err *err)
{
    size_t n = (size_t)iris_pool_size(pool), i;
    struct iris_buf own = {0}, *text = NULL;
    enum iris_status failed;

    if (n == 1)
        return st;
    iris_buf_printf(&own, "%d %d\n%s", (int)st, asked, st ? err->msg : "");
    if (!iris_pool_rank(pool))
        text = calloc(n, sizeof *text);
    failed = iris_pool_gather(pool, &own, text, err);
    if (!failed && text)
        st = judge(text, (int)n, st, err);
    for (i = 0; i < n && text; i++)
        iris_buf_release(&text[i]);
    free(text);
    iris_buf_release(&own);
    if (failed && iris_pool_rank(pool))
        return failed;
    return gen_hear(pool, failed ? failed : st, err);
}

enum iris_status
gen_meet(const struct gen_options *o, struct iris_pool *pool, const char *digest,
         const struct iris_err *failed, struct gen_rank **all, struct iris_err *err)
{
    struct iris_buf own = {0};
    enum iris_status st;

    *all = NULL;
    write_rank(&own, o, pool, digest, failed);
    st = gather(o, pool, &own, all, err);
    iris_buf_release(&own);
    return gen_hear(pool, st, err);
}

void
gen_ranks_free(struct gen_rank *all, size_t n)
{
    size_t i;

    for (i = 0; i < n && all; i++)
        free(all[i].text);
    free(all);
}

int
gen_have_gpus(const struct gen_options *o, const struct gen_rank *all, size_t n)
{
    size_t i = 0;

    if (!asks_for_gpus(o))
        return 0;
    while (i < n && all[i].usable_gpus)
        i++;
    if (i < n && cli_gpu_is_expected(&o->gpu))
        iris_cli_warn(&o->cli, "no GPU on '%s': %s; processors make the points", all[i].host,
                      all[i].no_gpu);
    return i == n;
}

enum iris_status
gen_info(const struct iris_cli *cli, const struct gen_rank *all, size_t n, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;
    size_t i;

    iris_buf_puts(&text, "#rank\thost\tnode\tnode_rank\tnode_ranks\tprocessors\tmemory\tmemory_free"
                         "\tgpus\tversion\tbuild\tmpi\thdf5\tsimd\tusable_gpus\tgpu_model"
                         "\tno_gpu\n");
    for (i = 0; i < n; i++) {
        const struct gen_rank *r = &all[i];

        iris_buf_printf(&text,
                        "%zu\t%s\t%d\t%d\t%d\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
                        "\t%s\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%s\t%s\n",
                        i, r->host, r->first, r->node_rank, r->node_size, r->processors, r->memory,
                        r->memory_free, r->gpus, r->version, r->build, r->mpi, r->hdf5, r->simd,
                        r->usable_gpus, r->model, *r->no_gpu ? r->no_gpu : ".");
    }
    st = iris_cli_write(cli, &text, err);
    iris_buf_release(&text);
    return st;
}
