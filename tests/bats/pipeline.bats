#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Settings and snapshots; simple/D and standard/D are made undisturbed, with
# every manifest beside them.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper >hyper.json
    snapshots 3
    for type in simple standard; do
        mkdir $type
        cp -a hyper.json snaps $type
        (cd $type && pipeline $type D)
    done
}

setup() {
    work=$BATS_TEST_TMPDIR/work
    mkdir "$work"
    cd "$work"
    cp -a "$BATS_FILE_TMPDIR"/{hyper.json,snaps} .
}

teardown() {
    cd /
    if [ -e "$BATS_TEST_TMPDIR/mounted" ]; then
        umount "$BATS_TEST_TMPDIR/work/disk"
    fi
}

# same_run DIR: the data set is that of DIR, and so are the manifests and
# settings that are here
same_run() {
    no_leftovers
    same_data D "$1/D"
    for file in *.tsv units.json; do
        cmp "$file" "$1/$file"
    done
    [ -s shuffled.tsv ]
}

# steps of the chain, each a command that can be run again
step_list() { iris-list -H hyper.json -o list.tsv snaps; }
step_gen() { $launcher iris-gen -H hyper.json -t "$type" -d D -o entries.tsv list.tsv </dev/null; }
step_merge() { iris-merge -d D -o merged.tsv entries.tsv; }
step_units() { iris-units -H hyper.json -d D -o units.json merged.tsv; }
step_normalize() { iris-normalize -H units.json -d D -o normalized.tsv merged.tsv; }
step_shuffle() { iris-shuffle --seed=7 --publish=D -H units.json $drop_raw -o shuffled.tsv normalized.tsv; }
steps="list gen merge units normalize shuffle"
output_of() {
    case $1 in
        list) echo list.tsv ;;
        gen) echo entries.tsv ;;
        merge) echo merged.tsv ;;
        units) echo units.json ;;
        normalize) echo normalized.tsv ;;
        shuffle) echo shuffled.tsv ;;
    esac
}
chain() {
    for step in $steps; do
        step_$step || return
    done
}
export_steps() {
    export launcher type drop_raw
    for step in $steps; do
        export -f step_$step
    done
}

@test "the chain makes a whole data set" {
    for type in simple standard; do
        run -0 --separate-stderr iris-check "$BATS_FILE_TMPDIR/$type/D"
        [ -z "$output$stderr" ]
        [ "$(tail -1 "$BATS_FILE_TMPDIR/$type/shuffled.tsv")" = "##rows 9" ]
    done
}

@test "twice the same bytes" {
    type=simple
    chain
    same_run "$BATS_FILE_TMPDIR/simple"
    chain # over itself
    same_run "$BATS_FILE_TMPDIR/simple"
}

@test "ranks do not change a byte" {
    for type in simple standard; do
        for n in 1 2 4; do
            rm -rf D *.tsv units.json
            launcher=$(mpi $n) chain
            same_run "$BATS_FILE_TMPDIR/$type"
        done
    done
}

@test "pipes instead of files" {
    iris-list -H hyper.json snaps |
        iris-gen -H hyper.json -t simple -d D - |
        iris-merge -d D - |
        tee merged.tsv |
        iris-units -H hyper.json -d D - >units.json
    iris-normalize -H units.json -d D - <merged.tsv |
        iris-shuffle --seed=7 --publish=D -H units.json - >shuffled.tsv
    same_run "$BATS_FILE_TMPDIR/simple"
}

@test "pipes through a launcher" {
    iris-list -H hyper.json snaps |
        $(mpi 2) iris-gen -H hyper.json -t standard -d D - |
        iris-merge -d D >merged.tsv
    iris-units -H hyper.json -d D <merged.tsv >units.json
    iris-normalize -H units.json -d D merged.tsv |
        iris-shuffle --seed=7 --publish=D -H units.json >shuffled.tsv
    same_run "$BATS_FILE_TMPDIR/standard"
}

@test "parts, merged, are the whole" {
    for part in 1 2 3; do
        iris-list -H hyper.json --part=$part/3 snaps |
            iris-gen -H hyper.json -t simple -d D -o part$part.tsv -
    done
    iris-merge -d D -o merged.tsv part*.tsv
    rm part*.tsv
    step_units
    step_normalize
    step_shuffle
    same_run "$BATS_FILE_TMPDIR/simple"
}

# ---- killed ----

# survive STEP DELAY...: killed after each delay it leaves its output missing
# or complete; then it is run to the end. Adds to $kills.
survive() {
    local step=$1 delay out
    shift
    out=$(output_of "$step")
    for delay in "$@"; do
        if killed_after "$delay" bash -c "step_$step"; then
            kills=$((kills + 1))
        fi
        [ ! -e "$out" ] || cmp "$out" "$BATS_FILE_TMPDIR/$plain/$out"
        rm -f "$out"
    done
    step_$step
    cmp "$out" "$BATS_FILE_TMPDIR/$plain/$out"
}

# large TYPE: ./hyper.json of many points; the undisturbed run of them is in
# $BATS_FILE_TMPDIR/$plain
large() {
    type=$1
    plain=large_$type
    iris-hyper --preset="$BATS_FILE_TMPDIR/hyper.json" -s writer_hyper.points_per_snapshot=40 \
        -s coordinate_hyper.lat_steps=12 >hyper.json
    if [ ! -e "$BATS_FILE_TMPDIR/$plain" ]; then
        mkdir "$BATS_FILE_TMPDIR/$plain.new"
        cp -a hyper.json snaps "$BATS_FILE_TMPDIR/$plain.new"
        (cd "$BATS_FILE_TMPDIR/$plain.new" && launcher='' chain)
        mv "$BATS_FILE_TMPDIR/$plain.new" "$BATS_FILE_TMPDIR/$plain"
    fi
    launcher='' drop_raw='' kills=0
    export_steps
}

@test "every program killed, then run again: pairs" {
    large simple
    for step in $steps; do
        kills=0
        survive $step 0.005 0.01 0.02 0.03 0.05 0.08
        echo "$step: $kills kills"
        [ $step != gen ] && [ $step != normalize ] || [ $kills -gt 0 ]
    done
    same_run "$BATS_FILE_TMPDIR/$plain"
    iris-check D
}

@test "every program killed, then run again: tensors" {
    large standard
    for step in $steps; do
        survive $step 0.005 0.01 0.02 0.03
    done
    [ $kills -gt 0 ]
    same_run "$BATS_FILE_TMPDIR/$plain"
}

@test "ranks killed, then run again" {
    large simple
    launcher=$(mpi 3)
    step_list
    survive gen 0.15 0.2 0.25 0.3 0.4
    [ $kills -gt 0 ]
    step_merge
    step_units
    step_normalize
    step_shuffle
    same_run "$BATS_FILE_TMPDIR/$plain"
}

@test "one rank killed, then run again" {
    large standard
    launcher=$(mpi 3)
    step_list
    launcher="$(stops rename tensor.npy STOP_NTH=1 STOP_RANK=2) $launcher"
    setsid bash -c step_gen </dev/null >/dev/null 2>&1 3>&- &
    sid=$!
    wait_for are_stopped $sid 1
    kill -KILL $(stopped $sid)
    settle $sid
    end_session $sid
    [ ! -e entries.tsv ] || cmp entries.tsv "$BATS_FILE_TMPDIR/$plain/entries.tsv"
    launcher=''
    chain
    same_run "$BATS_FILE_TMPDIR/$plain"
}

@test "all of a pipe killed, then run again" {
    large simple
    cat >all.sh <<'S'
set -e
step_list
iris-gen -H hyper.json -t "$type" -d D - <list.tsv | tee entries.part | iris-merge -d D -o merged.tsv
mv entries.part entries.tsv
step_units
iris-normalize -H units.json -d D merged.tsv | tee normalized.part | step_shuffle_of
mv normalized.part normalized.tsv
S
    step_shuffle_of() { iris-shuffle --seed=7 --publish=D -H units.json -o shuffled.tsv; }
    export -f step_shuffle_of
    for delay in 0.02 0.04 0.06 0.1 0.15 0.2 0.3; do
        killed_after $delay bash all.sh && kills=$((kills + 1))
        # what is published is whole or is not there
        [ ! -e D/attributes.json ] || iris-check D
    done
    [ $kills -gt 0 ]
    bash all.sh
    rm all.sh
    same_run "$BATS_FILE_TMPDIR/$plain"
}

# ---- killed at every single call that makes something durable ----

# at_every_call STEP CALL...: from the state in ./before, killed at the N-th of
# these calls, for every N; then run again
at_every_call() {
    local step=$1 call n
    shift
    for call in "$@"; do
        for n in $(seq 200); do
            rm -rf run && cp -a before run && cd run
            status=0
            strace -f -o /dev/null -e trace="$call" -e inject="$call":signal=KILL:when=$n \
                bash -c "step_$step" </dev/null >/dev/null 2>&1 || status=$?
            [ $status = 0 ] || points=$((points + 1))
            [ ! -e D/attributes.json ] || [ -z "$drop_raw" ] || iris-check D
            step_$step
            no_leftovers
            diff -r --exclude=.iris . ../after
            cd ..
            [ $status != 0 ] || break
        done
        [ "$n" -lt 200 ]
    done
}

@test "killed at every call" {
    command -v strace >/dev/null && strace -o /dev/null true || skip "no strace"
    export ASAN_OPTIONS=detect_leaks=0 # which cannot be done under strace
    iris-hyper --preset=hyper.json -s writer_hyper.points_per_snapshot=1 >tiny.json
    mv tiny.json hyper.json
    rm snaps/snap_003.hdf5
    export launcher='' type=simple drop_raw=''
    export_steps
    iris-hyper --preset=hyper.json -s writer_hyper.unit_calculation_sample_size=2 >two.json
    mv two.json hyper.json
    mkdir all
    mv hyper.json snaps all
    cp -a all after
    for step in $steps; do
        rm -rf before
        cp -a after before
        [ $step != shuffle ] || drop_raw=--drop-raw
        (cd after && step_$step)
        points=0
        case $step in
            gen) at_every_call $step fsync rename mkdir ;;
            normalize) at_every_call $step fsync rename mkdir ;;
            shuffle) at_every_call $step fsync rename unlink ;;
            *) at_every_call $step fsync rename ;;
        esac
        echo "$step: killed at $points places"
        [ $points -ge 2 ]
    done
    cd after
    iris-check D
}

# ---- a full disk ----

# disk: a small file system in ./disk
disk() {
    mkdir disk
    mount -t tmpfs -o size=8m tmpfs disk 2>/dev/null || skip "cannot mount a small file system"
    touch "$BATS_TEST_TMPDIR/mounted"
    cp -a hyper.json snaps disk
    cd disk
}

# fill KIB: leave so much room
fill() {
    cat /dev/zero >fill 2>/dev/null || true
    truncate -s -"$1K" fill
}

@test "a full disk stops every program, and it continues" {
    type=simple
    disk
    for step in $steps; do
        [ $step != shuffle ] || drop_raw=--drop-raw
        for room in 0 4 16; do
            fill $room
            status=0
            step_$step 2>"$work/said" || status=$?
            rm fill
            # with a little room some of them can
            if [ $status != 0 ]; then
                [ $status = 74 ]
                stderr=$(cat "$work/said")
                one_sentence iris-$step
                [ ! -e "$(output_of $step)" ]
                [[ $stderr == *"No space left"* ]]
            else
                [ $room -gt 0 ]
            fi
            [ ! -e D/attributes.json ] || iris-check D
        done
        step_$step
    done
    rm D/entries/*/raw/*/*.npy 2>/dev/null || true
    cp -a "$BATS_FILE_TMPDIR/simple" "$work/plain"
    rm "$work"/plain/D/entries/*/raw/*/*.npy
    same_run "$work/plain"
}

@test "a full disk under ranks" {
    type=standard launcher=$(mpi 2)
    disk
    step_list
    fill 64
    status=0
    step_gen 2>"$work/said" || status=$?
    [ $status = 74 ]
    grep -q "^iris-gen: .*No space left" "$work/said"
    [ ! -e entries.tsv ]
    rm fill
    chain
    same_run "$BATS_FILE_TMPDIR/standard"
}

# ---- read by something that knows the description only ----

reader() {
    cat >reader.py <<'P'
"""A data set opened as its description says, with nothing but the standard library."""
import ast, json, math, os, struct, sys

def load(path):
    with open(path, 'rb') as f:
        data = f.read()
    assert data[:8] == b'\x93NUMPY\x01\x00', path
    size = struct.unpack('<H', data[8:10])[0]
    assert (10 + size) % 64 == 0 and data[9 + size:10 + size] == b'\n', path
    head = ast.literal_eval(data[10:10 + size].decode('ascii'))
    assert set(head) == {'descr', 'fortran_order', 'shape'}, head
    assert head['descr'] == '<f4' and head['fortran_order'] is False
    count = math.prod(head['shape'])
    assert len(data) == 10 + size + 4 * count, path
    return head['shape'], struct.unpack('<%df' % count, data[10 + size:])

def section(file, name):
    assert isinstance(file.get(name, {}), dict)
    return file.get(name, {})

root, kind = os.path.expanduser(sys.argv[1]), sys.argv[2]
hyper = json.load(open(os.path.join(root, 'hyper.json')))
attributes = json.load(open(os.path.join(root, 'attributes.json')))
cardinality, index = attributes['cardinality'], attributes['index']
data, grid = section(hyper, 'dataset_hyper'), section(hyper, 'coordinate_hyper')
cube, lines = section(hyper, 'cube_hyper'), section(hyper, 'observer_hyper').get('n_lines')
if kind != 'standard':
    assert cube['reduction'] in ('mean', 'max')
fraction = section(hyper, 'training_hyper').get('validation_data_fraction', 0.2)
validation = int(fraction * cardinality)
assert 0 <= validation <= cardinality == len(index)
column = (1, grid['r_crop_max_index'] - grid['r_crop_min_index'], grid['lon_steps'])
want = {'standard': [(6, grid['r_steps'], grid['lon_steps'], grid['lat_steps'])],
        'simple': [column, (1, grid['lon_steps'], cube['v_steps'])]}[kind]
units = [data['_%s_iris_per_SI' % k] for k in ('length', 'mass', 'time', 'temperature')]
assert all(isinstance(u, float) and 0 < u < math.inf for u in units + [data['_length_iris_per_parsec']])
sums = [[0, 0.0, 0.0] for _ in want]
for item in index:
    paths = [item] if kind == 'standard' else item
    assert len(paths) == len(want) and all(isinstance(p, str) for p in paths)
    for path, shape, s in zip(paths, want, sums):
        found, values = load(root + '/' + path)
        assert found == shape, (path, found, shape)
        inside = values if kind != 'standard' else values[:len(values) // 3] + values[len(values) // 2:]
        assert all(map(math.isfinite, inside)), path
        s[0] += len(values); s[1] += math.fsum(values); s[2] += math.fsum(v * v for v in values)
spread = [math.sqrt((q - m * m / n) / (n - 1)) for n, m, q in sums]
print(cardinality, cardinality - validation, validation, *('%.1f' % x for x in spread if kind != 'standard'))
P
}

@test "a reader that follows the description" {
    python3 -c 'import json, math; math.prod([1])' 2>/dev/null || skip "no python3"
    reader
    run -0 python3 reader.py "$BATS_FILE_TMPDIR/simple/D" simple
    [[ $output == "9 8 1 "* ]]
    run -0 python3 reader.py "$BATS_FILE_TMPDIR/standard/D" standard
    [ "$output" = "9 8 1" ]
    # all raw entries sampled: the spread is one
    type=simple
    chain
    iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
    step_normalize
    iris-shuffle --replace --publish=D -H units.json --drop-raw -o shuffled.tsv normalized.tsv
    iris-check D
    run -0 python3 reader.py D simple
    [ "$output" = "9 8 1 1.0 1.0" ]
}

@test "a reader opens it at every moment of an extension" {
    python3 -c 'import json, math; math.prod([1])' 2>/dev/null || skip "no python3"
    reader
    type=simple
    chain
    snapshots 5
    step_list
    step_gen
    step_merge
    iris-units -H hyper.json -d D --from=D -o units.json merged.tsv
    run -0 python3 reader.py D simple
    step_normalize
    run -0 python3 reader.py D simple
    [[ $output == "9 "* ]]
    for name in attributes.json hyper.json iris-manifest.tsv; do
        mkdir D/$name.tmp # stops it before this one
        run -74 step_shuffle
        run -0 python3 reader.py D simple
        [[ $output == "9 "* ]]
        rmdir D/$name.tmp
    done
    step_shuffle
    run -0 python3 reader.py D simple
    [[ $output == "15 12 3 "* ]]
    run -0 --separate-stderr iris-check D
}

@test "the lines of the README, as printed" {
    mkdir readme
    cd readme
    sed -n '/^## From snapshots/,/^`snapshots`/s/^    //p' "$IRIS_SOURCE/README.md" >lines
    [ "$(grep -c '^\(mkdir\|iris-\|mpirun\)' lines)" = 11 ]
    # a small snapshot and a coarser grid; the launcher is that of the tests
    sed -i -e 's/--cells=200000/--cells=2000/' -e '/^iris-hyper/d' -e "s|^mpirun -n 2|$(mpi 2)|" lines
    tiny_hyper -s 'observer_hyper.T_steps=[8]' -s writer_hyper.points_per_snapshot=6 \
        -s 'observer_hyper.chem_path=["13C16O.dat"]' >hyper.json
    run -0 bash -euo pipefail lines
    run -0 iris-check galaxy
}
