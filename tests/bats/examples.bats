#!/usr/bin/env bats
# The Python examples, on what the programs make.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s writer_hyper.points_per_snapshot=6 -s writer_hyper.total_snapshots=4 >hyper.json
    snapshots 4
    pipeline simple D
    pipeline standard S
    iris-pack -o D.h5 D
    iris-pack -o S.h5 S
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# Debian's python3, which has the modules
example() {
    /usr/bin/python3 "$IRIS_SOURCE/workflows/examples/$1" "${@:2}"
}

@test "a directory" {
    run -0 example read_directory.py D
    [[ ${lines[0]} == "24 entries of type simple" ]]
    [[ ${lines[1]} == "0 (1, 16, 12) float32 mean "* ]]
    run -0 example read_directory.py S
    [[ ${lines[1]} == "0 (6, 16, 12, 6) float32 mean "* ]]
}

@test "a container" {
    run -0 example read_container.py D.h5
    [[ ${lines[0]} == "24 entries of type simple" ]]
    [[ $output == *"observed (24, 1, 12, 20) by entry, line, longitude, velocity"* ]]
    [[ $output == *"split by snapshot: 18 train, 6 validate"* ]]
    run -0 example read_container.py S.h5
    [[ $output == *"tensor (24, 6, 16, 12, 6) by entry, field, distance, longitude, latitude"* ]]
}

@test "both have the same physical values" {
    [ "$(example read_directory.py D | grep '^column map 0')" = "$(example read_container.py D.h5 | grep '^column map 0')" ]
}

@test "one that is not finished is not read" {
    cp D.h5 x.h5
    /usr/bin/python3 "$IRIS_SOURCE/tests/helpers/container.py" change x.h5 'del f.attrs["complete"]'
    run ! example read_container.py x.h5
    run ! example train.py x.h5
}

@test "a network learns from it, by workers that read" {
    run -0 example train.py --epochs=6 --workers=2 D.h5
    [[ ${lines[0]} == "18 entries to train, 6 to validate" ]]
    awk '/^epoch/ { sub(",", "", $4); loss[++n] = $4 } END { exit !(n == 6 && loss[6] < 0.9 * loss[1]) }' <<<"$output" ||
        { echo "$output"; false; }
    # nothing to validate is not a perfect network
    iris-list -o one.tsv snaps/snap_001.hdf5
    iris-gen -q -H hyper.json -t simple -d O -o o.tsv one.tsv
    iris-merge -q -d O -o m.tsv o.tsv
    iris-units -q -H hyper.json -d O -o u.json m.tsv
    iris-normalize -q -H u.json -d O -o n.tsv m.tsv
    iris-shuffle -q --publish=O -H u.json -o s.tsv n.tsv
    iris-pack -q -o O.h5 O
    run -0 example train.py --epochs=1 --workers=0 O.h5
    [[ ${lines[0]} == *" entries to train, none to validate" ]]
    [[ $output != *validation* ]]
    run -0 example train.py --read-only --workers=0 D.h5
    [[ $output == "18 entries, "*" MiB/s" ]]
}

@test "they are installed" {
    make -s -C "$IRIS_SOURCE" install --dry-run DESTDIR=there >commands
    for f in "$IRIS_SOURCE"/workflows/examples/*; do
        grep -q "^install .*examples/${f##*/}.* there/.*/share/iris/examples" commands
    done
}
