# Shared by the tests of the programs; loaded with `load common`.
bats_require_minimum_version 1.5.0

# Settings of a grid that takes milliseconds. More changes may follow: -s k=v ...
tiny_hyper() {
    iris-hyper --preset=SEDIGISM_13C16O \
        -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=3 "$@"
}

# snapshots N: N small mock snapshots in ./snaps.
snapshots() {
    mkdir -p snaps
    local i
    for i in $(seq "$1"); do
        iris-mock -o "snaps/snap_$(printf %03d "$i").hdf5" --cells=2000 --seed="$i" || return
    done
}

# pipeline TYPE DATASET LAUNCHER...: every step from ./hyper.json and ./snaps.
pipeline() {
    local type=$1 data=$2
    shift 2
    iris-list -H hyper.json snaps >list.tsv &&
        "$@" iris-gen -H hyper.json -t "$type" -d "$data" -o entries.tsv list.tsv </dev/null &&
        iris-merge -d "$data" -o merged.tsv entries.tsv &&
        iris-units -H hyper.json -d "$data" -o units.json merged.tsv &&
        iris-normalize -H units.json -d "$data" -o normalized.tsv merged.tsv &&
        iris-shuffle --seed=7 --publish="$data" -H units.json -o shuffled.tsv normalized.tsv
}

# mpi N: the launcher for N ranks.
mpi() {
    echo mpirun --oversubscribe -n "$1"
}

# Two data sets hold the same bytes, but for what has a clock.
same_data() {
    diff -r --exclude=.iris "$1" "$2"
}

# One line on standard error, beginning with the program's name and not ending
# in a full stop. mpirun's own banner does not count.
one_sentence() {
    local lines
    lines=$(grep -vE '^(-+|$|Primary job|mpirun detected|.*normal termination|.*exit code|.*Process name|.*Exit code|a non-zero)' <<<"$stderr")
    [ "$(wc -l <<<"$lines")" -eq 1 ] || { echo "not one line: $stderr"; return 1; }
    [[ $lines == "$1: "* ]] || { echo "not from $1: $lines"; return 1; }
    [[ $lines != *. ]] || { echo "ends in a full stop: $lines"; return 1; }
}

# Every long option of --help is in the manual page.
options_in_page() {
    local o page
    page=$(sed 's/\\-/-/g' "$IRIS_SOURCE/man/$1.1")
    for o in $("$1" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
        grep -q -- "Fl ${o#-}" <<<"$page" || { echo "$o is not in $1(1)"; return 1; }
    done
}

# The shared reference data, or a visible skip.
need_shared() {
    SHARED=${IRIS_SHARED:-$IRIS_SOURCE/../shared}
    [ -e "$SHARED/golden/README.md" ] || skip "no shared reference data"
}
