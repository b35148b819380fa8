/* backing -- a directory of the job's own for the files of Open MPI's shared memory.
 *
 * Open MPI puts them straight into /dev/shm, where they stay, and hold memory, when
 * the ranks are killed. In a directory that the ranks of a job have locked, those
 * that nobody needs any more can be told and removed.
 *
 *   /dev/shm/iris-UID-mpi-KEY        the ranks of one job on this node; nobody else
 *                                    may look into it
 *   /dev/shm/iris-UID-mpi-KEY/.held  locked, shared, by each of them
 *
 * Locks are those of flock(2) and end with the process that has them, however it
 * ends. Nothing here fails: where there can be no such directory Open MPI puts its
 * files where it always does.
 */
#ifndef IRIS_BACKING_H
#define IRIS_BACKING_H

struct iris_backing {
    char path[64];
    int dir;  /* -1: no directory */
    int held; /* its lock */
};

/* Make or join the directory of this job, have Open MPI use it, and remove those of
 * this user that nobody holds. All but what the environment has set already: a
 * directory that is named there is used as it is.
 *
 * Called before MPI_Init, by a process that a launcher has started, while it has one
 * thread: the environment is changed. The ranks of a node agree on the directory
 * without talking, by what the launcher has told them of the job.
 *
 *   owns  iris_backing_end
 */
void iris_backing_start(struct iris_backing *b);

/* Leave, after MPI_Finalize; the last one of the node removes the directory. Safe
 * twice. */
void iris_backing_end(struct iris_backing *b);

#endif
