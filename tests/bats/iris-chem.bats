#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_lines >hyper.json
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cp "$BATS_FILE_TMPDIR"/{hyper.json,co.dat} "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

teardown() {
    cd "$BATS_TEST_TMPDIR"
    if mountpoint -q "$BATS_TEST_TMPDIR/work/full" 2>/dev/null; then
        umount "$BATS_TEST_TMPDIR/work/full"
    fi
}

# attribute FILE NAME: the value as h5dump prints it
attribute() {
    h5dump -m %.17g -a "$2" "$1" | sed -n 's/^ *(0): //p' | sed 's/^"\(.*\)"$/\1/'
}

# value FILE DATASET INDEX: one number of a dataset
value() {
    h5dump -m %.17g -y -d "$2" -s "$3" -c "$(sed 's/[0-9]\+/1/g' <<<"$3")" "$1" |
        sed -n '/DATA {/,/}/s/^ *\([-+0-9.e]\+\)$/\1/p' | head -n 1
}

# near A B: within 1e-13
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; m = b < 0 ? -b : b; exit !(m > 0 && d <= 1e-13 * m && -d <= 1e-13 * m) }' ||
        { echo "$1 is not $2"; return 1; }
}

@test "help and version" {
    run -0 --separate-stderr iris-chem --help
    [[ $output == "usage: iris-chem "* ]]
    run -0 --separate-stderr iris-chem --version
    [[ $output == "iris-chem (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-chem
}

@test "wrong command lines" {
    for words in "" "-H hyper.json" "-o a.h5" "-H hyper.json -o -" "-H hyper.json -o a.h5 more" \
        "-H hyper.json -o a.h5 --new" "-H hyper.json -o a.h5 --show=" "-H hyper.json -o a.h5 --show=1,0" \
        "-H hyper.json -o a.h5 --show=1,0,20,0,0" "-H hyper.json -o a.h5 --show=1,0.6,20" \
        "-H hyper.json -o a.h5 --show=-1,0,20" "-H hyper.json -o a.h5 --show=1,0,nan" \
        "-H hyper.json -o a.h5 --show=1,0,20,x" "-H hyper.json -o a.h5 --show=1,0,20,1"; do
        run -64 --separate-stderr iris-chem $words
        one_sentence iris-chem
        [ -z "$output" ]
    done
    run -64 --separate-stderr iris-chem -H hyper.json -o ''
    [ "$(ls | tr '\n' ' ')" = "co.dat hyper.json " ]
}

@test "missing and wrong files" {
    run -74 --separate-stderr iris-chem -H missing.json -o a.h5
    one_sentence iris-chem
    [[ $stderr == *"'missing.json'"* ]]
    run -65 --separate-stderr iris-chem -H co.dat -o a.h5
    [[ $stderr == "iris-chem: co.dat:1: "* ]]
    iris-hyper --preset=hyper.json -s 'observer_hyper.chem_path=["none.dat"]' >none.json
    run -74 --separate-stderr iris-chem -H none.json -o a.h5
    one_sentence iris-chem
    [[ $stderr == "iris-chem: none.json: observer_hyper.chem_path[0]: "*none.dat* ]]
    iris-hyper --preset=hyper.json -s 'observer_hyper.transition=[[2, 0]]' >transition.json
    run -65 --separate-stderr iris-chem -H transition.json -o a.h5
    one_sentence iris-chem
    [[ $stderr == "iris-chem: transition.json: observer_hyper.transition[0]: "*co.dat*"level 2 to level 0" ]]
    iris-hyper --preset=hyper.json -s observer_hyper.n_lines=null >no.json
    run -65 --separate-stderr iris-chem -H no.json -o a.h5
    one_sentence iris-chem
    [[ $stderr == *"observer_hyper.n_lines"* ]]
    [ ! -e a.h5 ]
}

@test "molecular files that are wrong, with their line" {
    iris-hyper --preset=hyper.json -s 'observer_hyper.chem_path=["bad.dat"]' >bad.json
    # cut short, no number of levels, an energy that is no number, nothing
    head -n 20 co.dat >cut.dat
    sed '6s/.*/many/' co.dat >levels.dat
    sed '9s/[0-9.]\+/x/2' co.dat >level.dat
    : >empty.dat
    for bad in cut levels level empty; do
        mv $bad.dat bad.dat
        run -65 --separate-stderr iris-chem -H bad.json -o a.h5
        one_sentence iris-chem
        [[ $stderr =~ ^"iris-chem: bad.json: observer_hyper.chem_path[0]: "([^ ]*/)?bad\.dat:[0-9]+:\  ]]
        [ ! -e a.h5 ]
    done
}

@test "a place that cannot be written is an I/O error" {
    mkdir there
    for place in nowhere/a.h5 there /dev/full; do
        run -74 --separate-stderr iris-chem -H hyper.json -o $place
        one_sentence iris-chem
        [[ $stderr == *"'$place"* ]]
    done
}

@test "a full disk is an I/O error and leaves nothing" {
    mkdir full
    mount -t tmpfs -o size=64k tmpfs full 2>/dev/null || skip "cannot mount a small file system"
    iris-hyper --preset=hyper.json -s 'observer_hyper.T_steps=[100]' >large.json
    run -74 --separate-stderr iris-chem -H large.json -o full/a.h5
    one_sentence iris-chem
    [[ $stderr == *"No space left on device"* ]]
    [ -z "$(ls full)" ]
    iris-chem -H hyper.json -o full/a.h5
    # and when there was a file before
    run -74 --separate-stderr iris-chem -H large.json -o full/a.h5
    one_sentence iris-chem
    [ "$(ls full)" = a.h5 ]
    run -0 --separate-stderr iris-chem -v -H hyper.json -o full/a.h5
    [[ $stderr == *"is there already" ]]
}

@test "quiet on success, one file" {
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5
    [ -z "$output" ]
    [ -z "$stderr" ]
    [ "$(ls | tr '\n' ' ')" = "a.h5 co.dat hyper.json " ]
}

@test "dry run writes nothing" {
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5 --dry-run
    [ "$stderr" = "iris-chem: would write 'a.h5': 1 line, 120 nodes, about 7680 bytes" ]
    [ ! -e a.h5 ]
    iris-chem -H hyper.json -o a.h5
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5 --dry-run --show=1,0,10
    [ "$stderr" = "iris-chem: would do nothing: 'a.h5' is there already" ]
    [ -z "$output" ]
}

@test "a file that is there is left alone" {
    iris-chem -H hyper.json -o a.h5
    touch -d 2001-01-01 a.h5
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5
    [ -z "$output" ]
    [ -z "$stderr" ]
    [ "$(stat -c %y a.h5 | cut -c 1-4)" = 2001 ]
    # settings that do not matter, the same molecule by another name
    cp co.dat other.dat
    iris-hyper --preset=hyper.json -s 'observer_hyper.chem_path=["other.dat"]' \
        -s 'observer_hyper.kappa_dust=[0.5]' -s suite_hyper.seed=3 >other.json
    run -0 --separate-stderr iris-chem -v -H other.json -o a.h5
    [ "$stderr" = "iris-chem: 'a.h5' is there already" ]
    [ "$(stat -c %y a.h5 | cut -c 1-4)" = 2001 ]
}

@test "a file of other settings, of another molecule or damaged is made again" {
    iris-chem -H hyper.json -o good.h5
    iris-hyper --preset=hyper.json -s 'observer_hyper.T_steps=[6]' >other.json
    iris-chem -H other.json -o a.h5
    run -0 --separate-stderr iris-chem -v -H hyper.json -o a.h5
    [[ $stderr == "iris-chem: made again: the table of line 0 in 'a.h5' was made with observer_hyper.T_steps 6, the settings have 5"* ]]
    cmp a.h5 good.h5
    cp co.dat keep.dat
    echo >>co.dat
    run -0 --separate-stderr iris-chem -v -H hyper.json -o a.h5
    [[ $stderr == *"another molecular file"* ]]
    cp keep.dat co.dat
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5
    [ -z "$stderr" ]
    cmp a.h5 good.h5
    flip a.h5 -500
    run -0 --separate-stderr iris-chem -v -H hyper.json -o a.h5
    [[ $stderr == *"'line0/node' is damaged"* ]]
    cmp a.h5 good.h5
    truncate -s 5000 a.h5
    iris-chem -H hyper.json -o a.h5
    cmp a.h5 good.h5
    echo nonsense >a.h5
    iris-chem -H hyper.json -o a.h5
    cmp a.h5 good.h5
}

@test "equal settings give equal bytes, wherever the files are" {
    iris-chem -H hyper.json -o a.h5
    sleep 1.1
    mkdir -p else/where
    cp co.dat hyper.json else/where
    (cd else && iris-chem -H where/hyper.json -o b.h5)
    iris-hyper --preset=hyper.json -s 'observer_hyper.chem_path=["else/where/co.dat"]' | iris-chem -H - -o c.h5
    cmp a.h5 else/b.h5
    cmp a.h5 c.h5
}

@test "the number of threads and the instructions make no difference" {
    iris-chem -H hyper.json -o a.h5
    for jobs in 1 3 200; do
        iris-chem -H hyper.json -o b.h5 -j $jobs
        cmp a.h5 b.h5
        rm b.h5
    done
    iris-chem -H hyper.json -o b.h5 --jobs=2
    cmp a.h5 b.h5
    for level in base avx2 avx512; do
        run --separate-stderr env IRIS_SIMD=$level iris-chem -H hyper.json -o $level.h5
        [ "$status" = 64 ] || cmp a.h5 $level.h5
    done
    cmp a.h5 base.h5
    run -64 --separate-stderr env IRIS_SIMD=sse9 iris-chem -H hyper.json -o c.h5
    one_sentence iris-chem
    [[ $stderr == *IRIS_SIMD*sse9*base* ]]
    [ ! -e c.h5 ]
}

@test "bad numbers of threads" {
    for jobs in 0 -1 x 1.5 '' 99999999999999999999; do
        run -64 --separate-stderr iris-chem -H hyper.json -o a.h5 -j "$jobs"
        one_sentence iris-chem
        [[ $stderr == *"bad number of jobs '$jobs'"* ]]
        [ ! -e a.h5 ]
    done
}

@test "the file says what it holds" {
    command -v h5dump >/dev/null || skip "no h5dump"
    tiny_lines -s observer_hyper.n_lines=2 -s 'observer_hyper.chem_path=["co.dat", "co.dat"]' \
        -s 'observer_hyper.transition=[[2, 1], [1, 0]]' -s 'observer_hyper.kappa_dust=[0.001, 0.001]' \
        -s 'observer_hyper.N_H_TOT_steps=[8, 7]' -s 'observer_hyper.interpolation_max_N_H_TOT=[1e12, 1e11]' \
        -s 'observer_hyper.bolic_normalization=[1, 1]' -s 'observer_hyper.abundance_H2_steps=[3, 4]' \
        -s 'observer_hyper.T_steps=[5, 6]' -s 'observer_hyper.interpolation_max_T=[3000, 200]' \
        -s 'cube_hyper.data_path=["a", "b"]' -s 'cube_hyper.beam_efficiency=null' >two.json
    iris-chem -H two.json -o a.h5
    [ "$(attribute a.h5 format)" = iris-lines ]
    [ "$(attribute a.h5 version)" = 1 ]
    [ "$(attribute a.h5 lines)" = 2 ]
    [ "$(attribute a.h5 complete)" = 1 ]
    [ "$(attribute a.h5 line0/molecule)" = "$(sed -n 2p co.dat)" ]
    [ "$(attribute a.h5 line0/content)" = "$(xxh128sum <co.dat | cut -d ' ' -f 1)" ]
    [ "$(attribute a.h5 line0/levels)" = "$(sed -n 6p co.dat | tr -d ' ')" ]
    [ "$(attribute a.h5 line0/upper) $(attribute a.h5 line0/lower)" = "2 1" ]
    [ "$(attribute a.h5 line1/upper) $(attribute a.h5 line1/lower)" = "1 0" ]
    near "$(attribute a.h5 line1/frequency_Hz)" \
        "$(awk '$2 == 2 && $3 == 1 && NF > 4 { printf "%.17g\n", $5 * 1e9; exit }' co.dat)"
    near "$(attribute a.h5 line1/einstein_A_per_s)" \
        "$(awk '$2 == 2 && $3 == 1 && NF > 4 { print $4; exit }' co.dat)"
    [ "$(attribute a.h5 line0/settings/observer_hyper.T_steps)" = 5 ]
    [ "$(attribute a.h5 line1/settings/observer_hyper.T_steps)" = 6 ]
    [ "$(attribute a.h5 line1/settings/observer_hyper.transition)" = "[1, 0]" ]
    [ "$(attribute a.h5 line1/settings/suite_hyper.table)" = '"reference"' ]
    [ "$(h5dump -A -g line0/settings a.h5 | grep -c 'ATTRIBUTE "')" = 23 ]
    [ "$(attribute a.h5 line0/density_H/unit)" = m^-3 ]
    [ "$(attribute a.h5 line0/density/cgs_unit)" = g/cm^3 ]
    near "$(attribute a.h5 line0/density/to_cgs)" 1e-21
    [ "$(attribute a.h5 line0/temperature/unit)" = K ]
    [[ $(attribute a.h5 line0/node/columns) == "j0 dj0/drho dj0/dx_H2 dj0/dT alpha0 "* ]]
    [ "$(wc -w <<<"$(attribute a.h5 line0/node/columns)")" = 8 ]
    [ "$(wc -w <<<"$(attribute a.h5 line0/node/cgs_unit)")" = 8 ]
    h5dump -H -d line1/node a.h5 | grep -q 'F64LE'
    h5dump -H -d line1/node a.h5 | grep -q '( 7, 4, 6, 8 )'
    near "$(value a.h5 line0/density_H 7)" 1e12
    near "$(value a.h5 line1/density_H 6)" 1e11
    [ "$(value a.h5 line1/x_H2 3)" = 0.5 ]
    [ "$(value a.h5 line1/temperature 5)" = 200 ]
}

@test "a table of equal ratios of temperature" {
    command -v h5dump >/dev/null || skip "no h5dump"
    iris-hyper --preset=hyper.json -s 'suite_hyper.table="fine"' >fine.json
    iris-chem -H fine.json -o a.h5
    near "$(value a.h5 line0/temperature 0)" 2
    near "$(value a.h5 line0/temperature 4)" 3000
    [ "$(attribute a.h5 line0/settings/suite_hyper.table)" = '"fine"' ]
}

@test "what the tables say at a place" {
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5 --show=1e12,0.5,3000
    [ "${lines[0]}" = "$(printf '#line\tN_H[m^-3]\tx_H2\tT[K]\tj0[W/m^3/sr]\talpha0[Hz/m]')" ]
    [ "${#lines[@]}" = 2 ]
    [[ ${lines[1]} == "$(printf '0\t1000000000000.0\t0.5\t3000.0\t')"* ]]
    # the same from the file as from memory
    made=$output
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5 --show=1e12,0.5,3000,0
    [ "$output" = "$made" ]
    command -v h5dump >/dev/null || skip "no h5dump"
    # the last node, in units of 1 g, 1e7 cm and 1 s
    read -r _ _ _ _ j alpha <<<"${lines[1]}"
    near "$(awk -v v="$j" 'BEGIN { printf "%.17g", v * 1e8 }')" "$(value a.h5 line0/node 7,2,4,0)"
    near "$(awk -v v="$alpha" 'BEGIN { printf "%.17g", v * 1e5 }')" "$(value a.h5 line0/node 7,2,4,4)"
}

@test "warnings of a molecular file, once" {
    # a frequency that does not fit the energies
    line=$(awk '$2 == 3 && $3 == 2 && NF > 4 { print NR; exit }' co.dat)
    awk -v line="$line" 'NR == line { $5 = 230.538 } 1' co.dat >odd.dat
    mv odd.dat co.dat
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5 --dry-run --quiet
    [[ $stderr == "iris-chem: would write "* ]]
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5
    one_sentence "iris-chem: warning"
    [[ $stderr == *"co.dat:$line: "* ]]
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5
    [ -z "$stderr" ]
    rm a.h5
    run -0 --separate-stderr iris-chem -H hyper.json -o a.h5 -q
    [ -z "$stderr" ]
}

# ---- the full preset ----

# full: settings of the preset's own tables
full() {
    iris-hyper --preset=SEDIGISM_13C16O -s 'observer_hyper.chem_path=["co.dat"]' >full.json
}

# Start a long run and wait until it is at work.
start_long() {
    full
    iris-hyper --preset=full.json -s 'observer_hyper.T_steps=[512]' >long.json
    IRIS_SIMD=base iris-chem -H long.json -o a.h5 -j 2 3>&- &
    pid=$!
    for _ in $(seq 500); do
        [ ! -e a.h5.tmp ] || return 0
        sleep 0.01
    done
    return 1
}

@test "a killed run leaves no file, and the next one makes it" {
    start_long
    kill -9 $pid
    wait $pid || true
    [ ! -e a.h5 ]
    [ -e a.h5.tmp ]
    iris-chem -H hyper.json -o a.h5
    iris-chem -H hyper.json -o b.h5
    cmp a.h5 b.h5
    no_leftovers
}

@test "a signal stops the run with 75 and leaves what was there" {
    iris-chem -H hyper.json -o b.h5
    for signal in INT TERM USR1; do
        cp b.h5 a.h5
        start_long
        kill -$signal $pid
        status=0
        wait $pid || status=$?
        [ "$status" = 75 ]
        cmp a.h5 b.h5
        no_leftovers
    done
}

@test "two runs do not write one file" {
    start_long
    run -75 --separate-stderr iris-chem -H hyper.json -o a.h5
    one_sentence iris-chem
    [[ $stderr == *"another program is writing"* ]]
    kill -9 $pid
    wait $pid || true
}

@test "the tables of the preset, with progress" {
    full
    run -0 --separate-stderr iris-chem -H full.json -o a.h5 --progress=0.1 --show=1e10,0.5,20
    [[ $stderr == *"iris-chem: "*"/64, "* ]]
    [ "$(stat -c %s a.h5)" -gt 33554432 ]
    made=$output
    run -0 --separate-stderr iris-chem -H full.json -o a.h5 --progress=0.1 --show=1e10,0.5,20
    [ -z "$stderr" ]
    [ "$output" = "$made" ]
}

@test "HDF5's own locks do not get in the way" {
    HDF5_USE_FILE_LOCKING=TRUE iris-chem -H hyper.json -o a.h5
    HDF5_USE_FILE_LOCKING=FALSE iris-chem -H hyper.json -o b.h5
    cmp a.h5 b.h5
}
