/* machine -- what this machine has for a program: memory, processors, room on disks.
 *
 * Nothing here fails: what cannot be found out is 0, unless said otherwise. What
 * is asked of the kernel may change at any time; nothing is kept.
 *
 * The functions that end in _at take the directory that /proc, /sys and /dev are
 * looked for in; those without take "".
 */
#ifndef IRIS_MACHINE_H
#define IRIS_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of memory that processes here may have in all: what the machine has, or
 * the least that any control group (version 1 or 2) of this process or one above
 * it allows. */
uint64_t iris_machine_memory(void);
uint64_t iris_machine_memory_at(const char *root);

/* Bytes of it that may still be taken. What a control group has used counts, but
 * for files in memory that have not been used for some time: they make room. When
 * nothing is left it is 1, since 0 stands for not known. */
uint64_t iris_machine_memory_free(void);
uint64_t iris_machine_memory_free_at(const char *root);

/* Processors that this process may use, at least 1. */
size_t iris_machine_processors(void);

/* NVIDIA GPUs that have a driver. CUDA_VISIBLE_DEVICES may hide some of them. */
size_t iris_machine_gpus(void);
size_t iris_machine_gpus_at(const char *root);

/* What the first of them is called, as their driver has it.
 *
 *   return  0, or -1 with model ""
 */
int iris_machine_gpu_model(char *model, size_t size);
int iris_machine_gpu_model_at(const char *root, char *model, size_t size);

/* The most bytes of memory that this process has had at any time. */
uint64_t iris_process_peak(void);
uint64_t iris_process_peak_at(const char *root);

/* The bytes of memory that this process has now, without what it shares with others
 * by memory that is mapped for that. */
uint64_t iris_process_own(void);
uint64_t iris_process_own_at(const char *root);

/* Bytes that this user may still write on the disk of a path, which need not be
 * there yet: what counts is the nearest directory above it that is.
 *
 *   return  0, or -1 with *bytes untouched and errno set
 */
int iris_disk_free(const char *path, uint64_t *bytes);

#endif
