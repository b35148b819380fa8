#include "backing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "digest.h"
#include "file.h"
#include "pool.h"

#define PLACE "/dev/shm"
#define HELD  ".held"

enum { TRIES = 1000, PREFIX = 32 };

static void
let_go(struct iris_backing *b)
{
    if (b->held >= 0)
        close(b->held);
    if (b->dir >= 0)
        close(b->dir);
    b->held = b->dir = -1;
}

/* ---- a directory and its lock ---- */

enum outcome { DONE, AGAIN, NEVER };

/* A directory of this user that nobody else may look into, and no link. */
static enum outcome
open_directory(struct iris_backing *b)
{
    struct stat sb;

    b->dir = open(b->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (b->dir < 0)
        return errno == ENOENT ? AGAIN : NEVER;
    if (fstat(b->dir, &sb) || sb.st_uid != geteuid() || sb.st_mode & 077)
        return NEVER;
    return DONE;
}

/* Who removes a directory has its lock alone, and takes away the lock's name first
 * and the directory then. So who has a lock that still has its name has the
 * directory; who has one without finds that another was faster. */
static enum outcome
lock_directory(struct iris_backing *b, int how)
{
    b->held = openat(b->dir, HELD, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (b->held < 0)
        return errno == ENOENT ? AGAIN : NEVER;
    if (flock(b->held, how | LOCK_NB))
        return errno == EWOULDBLOCK || errno == EINTR ? AGAIN : NEVER;
    return iris_file_has_name(b->held, b->dir, HELD) ? DONE : AGAIN;
}

static enum outcome
join(struct iris_backing *b)
{
    enum outcome is;

    if (mkdir(b->path, 0700) && errno != EEXIST)
        return NEVER;
    is = open_directory(b);
    return is == DONE ? lock_directory(b, LOCK_SH) : is;
}

/* Remove a directory that this process has locked alone. What is no plain file
 * stays, and the directory with it. */
static void
remove_directory(const struct iris_backing *b)
{
    int copy = openat(b->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *e;
    struct stat sb;

    while (stream && (e = readdir(stream))) {
        if (strcmp(e->d_name, HELD) != 0 && !fstatat(b->dir, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) &&
            S_ISREG(sb.st_mode))
            unlinkat(b->dir, e->d_name, 0);
    }
    if (stream)
        closedir(stream);
    else if (copy >= 0)
        close(copy);
    unlinkat(b->dir, HELD, 0);
    rmdir(b->path);
}

/* ---- names ---- */

/* What launchers say of a job, the same for its ranks on a node and not for those
 * of another job. */
static int
name_job(struct iris_buf *job)
{
    static const char *const name[] = {
        "PMIX_NAMESPACE",          "PMIX_SERVER_URI2",
        "PMIX_SERVER_URI21",       "PMIX_SERVER_URI3",
        "PMIX_SERVER_URI4",        "PMI_JOBID",
        "OMPI_MCA_ess_base_jobid", "SLURM_JOB_ID",
        "SLURM_STEP_ID",           "OMPI_MCA_orte_precondition_transports",
    };
    int known = 0;
    size_t i;

    for (i = 0; i < sizeof name / sizeof name[0]; i++) {
        const char *value = getenv(name[i]);

        iris_buf_printf(job, "%s\n", value ? value : "");
        known = known || value;
    }
    return known && !job->failed;
}

static void
name_prefix(char prefix[PREFIX])
{
    snprintf(prefix, PREFIX, "iris-%llu-mpi-", (unsigned long long)geteuid());
}

static int
name_directory(struct iris_backing *b)
{
    struct iris_buf job = {0};
    char prefix[PREFIX];
    int known = name_job(&job);

    name_prefix(prefix);
    snprintf(b->path, sizeof b->path, PLACE "/%s%016llx", prefix,
             (unsigned long long)iris_hash64(0, iris_buf_str(&job)));
    iris_buf_release(&job);
    return known;
}

/* ---- to start and to end ---- */

/* Remove a directory that nobody holds. Who is about to make it finds it locked, or
 * gone, and makes it again. */
static void
sweep_one(const char *name)
{
    struct iris_backing other = {.dir = -1, .held = -1};
    int len = snprintf(other.path, sizeof other.path, PLACE "/%s", name);

    if (len < (int)sizeof other.path && open_directory(&other) == DONE &&
        lock_directory(&other, LOCK_EX) == DONE)
        remove_directory(&other);
    let_go(&other);
}

static void
sweep(const struct iris_backing *b)
{
    const char *own = strrchr(b->path, '/') + 1;
    DIR *place = opendir(PLACE);
    const struct dirent *e;
    char prefix[PREFIX];

    name_prefix(prefix);
    while (place && (e = readdir(place))) {
        if (!strncmp(e->d_name, prefix, strlen(prefix)) && strcmp(e->d_name, own) != 0)
            sweep_one(e->d_name);
    }
    if (place)
        closedir(place);
}

/* In Open MPI 5 vader is called sm. */
static void
tell_mpi(const char *path)
{
    static const char *const name[] = {
        "OMPI_MCA_btl_vader_backing_directory",      "OMPI_MCA_btl_sm_backing_directory",
        "OMPI_MCA_osc_sm_backing_directory",         "OMPI_MCA_osc_rdma_backing_directory",
        "OMPI_MCA_shmem_mmap_backing_file_base_dir",
    };
    size_t i;

    for (i = 0; i < sizeof name / sizeof name[0]; i++)
        setenv(name[i], path, 0);
}

void
iris_backing_start(struct iris_backing *b)
{
    enum outcome is = AGAIN;
    unsigned idle = 0;
    int i;

    *b = (struct iris_backing){.dir = -1, .held = -1};
    if (!name_directory(b))
        return;
    for (i = 0; i < TRIES && (is = join(b)) == AGAIN; i++) {
        let_go(b);
        iris_pool_nap(&idle);
    }
    if (is == DONE) {
        tell_mpi(b->path);
        sweep(b);
    } else {
        let_go(b);
    }
}

/* A lock that is made stronger may be lost to somebody else, and the directory with
 * it. */
void
iris_backing_end(struct iris_backing *b)
{
    if (b->dir >= 0 && !flock(b->held, LOCK_EX | LOCK_NB) &&
        iris_file_has_name(b->held, b->dir, HELD))
        remove_directory(b);
    let_go(b);
}
