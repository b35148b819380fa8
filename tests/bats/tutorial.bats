#!/usr/bin/env bats
# What iris-tutorial(7) says is typed as it says it, and prints what it says.
bats_require_minimum_version 1.5.0
load common
load remote
load slurm

setup_file() {
    export HOME=$BATS_FILE_TMPDIR
    unset MAKEFLAGS MFLAGS MAKELEVEL SOURCE FILES HYPER DATASET TYPE NP SET SEED ROUND PART RUN GRID WINDOW CACHE \
        UNITS_FROM SAMPLE ALLOW_FAILED REQUIRE STATE STOPPED GEN READ_AHEAD DEADLINE DEVICE SSH_CONFIG FETCH \
        RESTARTS IRIS_SLURM MPIRUN PACK "${!SBATCH_@}"
    # Debian's python3, which has the modules, and ranks that do not look for leaks
    mkdir "$HOME/bin"
    ln -s /usr/bin/python3 "$HOME/bin/python3"
    printf '#!/bin/bash\nshift 2\nexec %s "$@"\n' "$(mpi 2 | sed "s,^mpirun,$(command -v mpirun),")" >"$HOME/bin/mpirun"
    chmod +x "$HOME/bin/mpirun"
    export PATH=$HOME/bin:$PATH IRIS=$IRIS_SOURCE/workflows USER=${USER:-$(id -un)}
}

setup() {
    [ ! -d ~/iris-tutorial ] || cd ~/iris-tutorial
}

teardown() {
    far_stop
    [ -z "$CLUSTER" ] || slurm_down "$CLUSTER"
}

# part SECTION: its commands, display by display, each of which prints what the page
# shows behind it; a command `between` is called after each
part() {
    local dir=$BATS_TEST_TMPDIR/part cmd
    mkdir "$dir"
    perl "$IRIS_SOURCE/tests/helpers/page.pl" "$IRIS_SOURCE/man/iris-tutorial.7" "$1" "$dir"
    for cmd in "$dir"/*.cmd; do
        bash -e "$cmd" >"$cmd.said" 2>&1 </dev/null || { cat "$cmd" "$cmd.said"; return 1; }
        [ ! -e "${cmd%.cmd}.out" ] ||
            sed "s,$PWD,/home/me/iris-tutorial," "$cmd.said" | diff "${cmd%.cmd}.out" - || { cat "$cmd"; return 1; }
        ${2+"$2"}
    done
}

# learns WHAT FILE: the losses of that name fall
learns() {
    grep -o "$1 [0-9.]*" "$2" | awk '{ loss[++n] = $2 } END { exit !(n >= 10 && loss[n] < 0.5 * loss[1]) }'
}

@test "getting ready" {
    mkdir "$BATS_TEST_TMPDIR/ready"
    cd "$IRIS_SOURCE"
    perl tests/helpers/page.pl man/iris-tutorial.7 'Getting ready' "$BATS_TEST_TMPDIR/ready"
    [ "$(cat "$BATS_TEST_TMPDIR/ready/01.cmd")" = "make deps all" ]
    make -n deps all >/dev/null
    path=$PATH
    . "$BATS_TEST_TMPDIR/ready/02.cmd"
    [ "$PWD" = "$HOME/iris-tutorial" ]
    [ "$IRIS" = "$IRIS_SOURCE/workflows" ]
    [[ $PATH == "$IRIS_SOURCE/build/bin:$path" ]]
    . "$BATS_TEST_TMPDIR/ready/03.cmd"
    mpirun -n 2 true
    make -n -C "$IRIS_SOURCE" install DESTDIR=there PREFIX=/usr/local | grep -q 'there/usr/local/share/iris$'
}

@test "a first data set" {
    part "A FIRST DATA SET"
    for f in galaxy.png sheet.png galaxy.h5; do [ -s "$f" ]; done
    said=$(grep -l 'epoch 20' "$BATS_TEST_TMPDIR"/part/*.said)
    learns "loss" "$said"
    learns "validation" "$said"
    # the pairs are pictures of something
    grep -q 'column map 0: mean [1-9]' "$BATS_TEST_TMPDIR"/part/*.said
    # without the lines of ## a manifest is a table with one line of names
    grep -v '^##' merged.tsv | awk -F'\t' 'NR == 1 { n = NF; named = $1 == "#id" } NF != n { exit 1 } END { exit !(named && NR == 65) }'
}

@test "your own snapshot" {
    [ -d galaxy ] || skip "no first data set"
    part "YOUR OWN SNAPSHOT"
    for f in look gas far; do [ -s "$f.png" ]; done
    grep -qx 'points	16	.' "$BATS_TEST_TMPDIR"/part/*.said
    grep -q UnitVelocity_in_cm_per_s "$BATS_TEST_TMPDIR"/part/*.said
}

@test "snapshots of a server" {
    [ -d own ] || skip "no data set of part two"
    [ -x /usr/sbin/sshd ] || skip "no sshd"
    far_start
    far_alias archive
    cp -a simulation "$FAR/home"
    printf '#!/bin/bash\nexec /usr/bin/ssh -F %q "$@"\n' "$FAR/config" >"$BATS_TEST_TMPDIR/ssh"
    chmod +x "$BATS_TEST_TMPDIR/ssh"
    PATH=$BATS_TEST_TMPDIR:$PATH
    part "SNAPSHOTS OF A SERVER"
    grep -q '	archive$' far.tsv
}

# nothing is in the queue
finished() {
    within 400 eval '[ -z "$(squeue -h)" ]' || { tail -n 15 ./*.out; return 1; }
}

@test "with Slurm" {
    [ -d galaxy ] || skip "no first data set"
    need_slurm
    export PATH
    CLUSTER=$BATS_TEST_TMPDIR/slurm
    slurm_up "$CLUSTER" 1 8
    part "WITH SLURM" finished
}
