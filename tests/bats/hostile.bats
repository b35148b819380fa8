#!/usr/bin/env bats
# What somebody else may have arranged, and what the programs are built with against it.
bats_require_minimum_version 1.5.0
load common

setup() {
    made=
}

teardown() {
    [ -z "$made" ] || rm -rf "$made"
}

@test "a mistake in memory ends a program rather than serve somebody" {
    ! sanitized || skip "sanitizers take its place"
    [ -n "${IRIS_HARDEN-yes}" ] || skip "built without"
    local program said
    for program in "$(dirname "$(command -v iris-gen)")"/iris-*; do
        said=$(readelf -W -h -l -d "$program")
        has() { grep -qE "$1" <<<"$said" || { echo "$program: no $1"; return 1; }; }
        # anywhere in memory, with tables that are read only once they are filled
        has 'Type: +DYN '
        has '^ +INTERP '
        has '^ +GNU_RELRO '
        has '\(FLAGS_1\).*NOW.*PIE'
        # what is written is not run
        has '^ +GNU_STACK .* RW +0x'
        run ! grep -E '^ +[A-Z_]+ .* (RWE|WE) ' <<<"$said"
        # stacks and buffers are looked after
        said=$(readelf -W --dyn-syms "$program")
        [[ $IRIS_HARDEN != *stack-protector* ]] || has ' UND __stack_chk_fail\b'
        [[ $IRIS_HARDEN != *FORTIFY* ]] || has ' UND __(v?snprintf|memcpy)_chk\b'
    done
}

@test "a job removes nothing where another's link leads" {
    cd "$BATS_TEST_TMPDIR"
    export SLURM_CLUSTER_NAME=iris-test-$$ SLURM_JOB_ID=4711
    local own
    own=/dev/shm/iris-$(id -u)-job-$SLURM_CLUSTER_NAME-4711
    job() { bash -c 'source "$IRIS_SOURCE/workflows/slurm/job.bash"; on_nodes "$1"' - "$1"; }
    made=$own
    mkdir bin precious
    : >precious/file
    printf '#!/bin/sh\necho 4711\n' >bin/squeue
    chmod +x bin/squeue
    PATH=$PWD/bin:$PATH
    ln -s "$PWD/precious" "$own"
    run -74 --separate-stderr job enter
    [ "$stderr" = "'$own' is no directory of this user" ]
    [ -e precious/file ]
    job leave
    [ -e precious/file ]
    [ ! -e "$own" ]
    mkdir -m 777 "$own"
    if chown 12345 "$own" 2>/dev/null; then
        run -74 --separate-stderr job enter
    fi
    rmdir "$own"
    job enter
    [ "$(stat -c %a "$own")" = 700 ]
    [ -d "$own/0" ]
    : >"$own/old"
    job enter
    [ "$(ls "$own")" = 0 ]
    job leave
    [ ! -e "$own" ]
}
