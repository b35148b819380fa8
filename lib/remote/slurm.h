/* slurm -- what Slurm says of the job that this process is in.
 *
 * It is asked by its program squeue, which asks a server that all jobs have in
 * common: ask seldom.
 */
#ifndef IRIS_SLURM_H
#define IRIS_SLURM_H

#include "err.h"

/* How long the job may still run. For an element of an array it is its own time,
 * for the parts of a heterogeneous job that of the first to end.
 *
 *   out  seconds  INFINITY when the job has no limit
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  not in a job of Slurm: SLURM_JOB_ID is not set, or no number
 *           IRIS_E_RETRY  it does not answer within 10 s, or does not know the job or
 *                         its time at present: another time it may
 *           IRIS_E_IO     squeue cannot be run, or what it says is no time
 *           *seconds is untouched unless IRIS_OK
 */
enum iris_status iris_slurm_left(double *seconds, struct iris_err *err);

/* The same with another patience, in s. */
enum iris_status iris_slurm_left_within(double patience, double *seconds, struct iris_err *err);

#endif
