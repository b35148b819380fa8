#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dataset.h"
#include "maker_work.h"
#include "snapshot.h"

void
iris_spend(struct iris_maker *m, enum iris_phase phase, double start)
{
    m->spent.seconds[phase] += iris_seconds() - start;
}

void
iris_maker_drop(struct iris_maker *m)
{
    if (m->device.forget)
        m->device.forget(m->device.self);
    iris_cells_release(&m->cells);
    if (m->commons.drop)
        m->commons.drop(m->commons.self);
    free(m->snapshot);
    m->snapshot = NULL;
}

enum iris_status
iris_maker_init(struct iris_maker *m, const struct iris_hyper *h, const struct iris_entry_run *run,
                const char *root, const struct iris_tables *tables, struct iris_pause pause,
                struct iris_err *err)
{
    *m = (struct iris_maker){.hyper = h, .tables = *tables, .pause = pause};
    iris_hyper_settings(h, &m->settings);
    iris_maker_turn(m, run);
    m->root = strdup(root);
    return m->root ? IRIS_OK : iris_fail_memory(err);
}

void
iris_maker_turn(struct iris_maker *m, const struct iris_entry_run *run)
{
    iris_maker_drop(m);
    m->run = *run;
    memcpy(m->digest, run->digest, sizeof m->digest);
    m->run.settings = &m->settings;
    m->run.digest = m->digest;
}

void
iris_maker_release(struct iris_maker *m)
{
    iris_maker_drop(m);
    iris_observe_release(&m->observe);
    iris_observe_release(&m->whole);
    m->can_observe = m->can_finish = 0;
    free(m->root);
    m->root = NULL;
}

/* What is held becomes the snapshot of that id. */
static enum iris_status
claim(struct iris_maker *m, const char *id, const struct iris_source *source, int *foreign,
      int *publishing, struct iris_err *err)
{
    struct iris_dataset dataset = IRIS_DATASET_INIT;
    enum iris_status st = IRIS_OK;

    dataset.root = m->root;
    if (!m->looks_only)
        st = iris_dataset_claim(&dataset, m->digest, id, source, err);
    *foreign = st == IRIS_E_DATA;
    *publishing = st == IRIS_E_IO;
    if (!st && !(m->snapshot = strdup(id)))
        st = iris_fail_memory(err);
    return st;
}

/* Load it here, whatever others do. */
static enum iris_status
load(struct iris_maker *m, const char *id, const char *path, uint64_t files,
     const struct iris_memory *memory, struct iris_buf *warnings, int *foreign, int *publishing,
     struct iris_err *err)
{
    struct iris_snapshot_info info = {0};
    double start = iris_seconds();
    struct iris_source source;
    enum iris_status st;

    st = iris_snapshot_load(path, files, &m->settings, iris_snapshot_fields(m->run.type),
                            m->pause.fn, m->pause.self, memory, &m->cells, &info, err);
    iris_spend(m, IRIS_LOADING, start);
    if (st)
        return st;
    m->spent.read += info.bytes;
    st = iris_buf_check(&info.warnings, err);
    if (!st) {
        iris_buf_append(warnings, iris_buf_str(&info.warnings), info.warnings.len);
        st = iris_buf_check(warnings, err);
    }
    iris_buf_release(&info.warnings);
    if (st)
        return st;
    source.bytes = info.bytes;
    memcpy(source.content, info.content, sizeof source.content);
    return claim(m, id, &source, foreign, publishing, err);
}

/* ---- one for many processes ---- */

/* What those who did not load a snapshot know of it. */
struct loaded {
    struct iris_cells cells; /* their pointers are another process's */
    enum iris_status status;
    int foreign, publishing;
    char message[sizeof((struct iris_err *)0)->msg];
};
_Static_assert(sizeof(struct loaded) <= IRIS_COMMONS_NOTE, "a note is longer than there is room");

static enum iris_status
load_for_all(struct iris_maker *m, const char *id, const char *path, uint64_t files,
             struct iris_buf *warnings, int *foreign, int *publishing, struct iris_err *err)
{
    struct loaded note = {.status = IRIS_OK};
    struct iris_err own = {0};

    note.status = load(m, id, path, files, &m->commons.memory, warnings, foreign, publishing, &own);
    note.foreign = *foreign;
    note.publishing = *publishing;
    note.cells = m->cells;
    memcpy(note.message, own.msg, sizeof note.message);
    /* who was stopped knows nothing of the snapshot */
    m->commons.done(m->commons.self, note.status == IRIS_E_RETRY ? NULL : &note, sizeof note,
                    !note.status);
    return note.status ? iris_fail(err, note.status, "%s", own.msg) : IRIS_OK;
}

static enum iris_status
take_loaded(struct iris_maker *m, const char *id, const struct loaded *note, void *block,
            int *foreign, int *publishing, struct iris_err *err)
{
    *foreign = note->foreign;
    *publishing = note->publishing;
    if (note->status)
        return iris_fail(err, note->status, "%s", note->message);
    m->cells = note->cells;
    m->cells.block = NULL;
    iris_cells_place(&m->cells, block, note->cells.n);
    m->snapshot = strdup(id);
    return m->snapshot ? IRIS_OK : iris_fail_memory(err);
}

static enum iris_status
load_once(struct iris_maker *m, const char *id, const char *path, uint64_t files,
          struct iris_buf *warnings, int *foreign, int *publishing, struct iris_err *err)
{
    struct loaded note = {.status = IRIS_OK};
    double start = iris_seconds();
    struct iris_buf name = {0};
    char key[IRIS_DIGEST_TEXT];
    void *block = NULL;
    enum iris_status st;
    int got;

    iris_buf_printf(&name, "%s\n%s\n%s\n%llu", m->digest, id, path, (unsigned long long)files);
    st = iris_buf_check(&name, err);
    if (!st)
        iris_digest_memory(name.data, name.len, key);
    iris_buf_release(&name);
    if (st)
        return st;
    got = m->commons.get(m->commons.self, key, &m->pause, &block, &note, sizeof note);
    iris_spend(m, IRIS_WAITING, start);
    switch (got) {
    case 0:
        return take_loaded(m, id, &note, block, foreign, publishing, err);
    case 1:
        return load_for_all(m, id, path, files, warnings, foreign, publishing, err);
    default:
        return iris_fail(err, IRIS_E_RETRY, "stopped");
    }
}

enum iris_status
iris_maker_load(struct iris_maker *m, const char *id, const char *path, uint64_t files,
                struct iris_buf *warnings, int *foreign, int *publishing, struct iris_err *err)
{
    enum iris_status st;

    *foreign = *publishing = 0;
    if (m->snapshot && !strcmp(m->snapshot, id))
        return IRIS_OK;
    iris_maker_drop(m);
    if (m->commons.get)
        st = load_once(m, id, path, files, warnings, foreign, publishing, err);
    else
        st = load(m, id, path, files, NULL, warnings, foreign, publishing, err);
    if (st)
        iris_maker_drop(m);
    return st;
}

enum iris_status
iris_maker_adopt(struct iris_maker *m, const char *id, const struct iris_source *source,
                 int *foreign, int *publishing, struct iris_err *err)
{
    enum iris_status st;

    iris_maker_drop(m);
    st = claim(m, id, source, foreign, publishing, err);
    if (st)
        iris_maker_drop(m);
    return st;
}
