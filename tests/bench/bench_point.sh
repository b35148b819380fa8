#!/usr/bin/env bash
# What whole data points take, by the programs as they are: processor time, memory,
# bytes read, how that grows, and what more ranks give.
#
#   bench_point.sh MEASURE DIR   DIR has snap_001.hdf5 of 2,000,000 cells, 13CO.dat
#                                and lines.h5
#
# Processor time of a point is the difference of two runs, of more points and of one, so
# that starting and loading the snapshot are not in it. Of every run there are three; what
# is printed is of the medians.
set -euo pipefail
shopt -s inherit_errexit

measure=$(realpath "$1")
cd "$2"
work=points
rm -rf $work
mkdir $work
trap 'rm -rf "$PWD/$work"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
full=$([ "${BENCH:-}" = full ] && echo 1 || true)
iris-list snap_001.hdf5 >$work/list.tsv

# settings NAME POINTS [-s k=v]...: of the main preset
settings() {
    iris-hyper --preset="${preset:-SEDIGISM_13C16O}" -s "observer_hyper.chem_path=[\"$PWD/13CO.dat\"]" \
        -s suite_hyper.periodic=true -s observer_hyper.lon_pieces=1 -s observer_hyper.lat_pieces=1 \
        -s writer_hyper.points_per_snapshot="$2" "${@:3}" \
        -o "$work/$1.json"
}

# As settings, but only so many of its 512 longitudes, as close together as they are.
slab() {
    local half
    half=$(awk -v n="$3" 'BEGIN { print 1.5 * n / 512 }')
    settings "$1" "$2" -s coordinate_hyper.lon_steps="$3" -s coordinate_hyper.lon_min="-$half" \
        -s coordinate_hyper.lon_max="$half" "${@:4}"
}

# run NAME RANKS TYPE [LIST]: a data set with those settings; 0 ranks: without a launcher.
# Prints what measure prints; with watch=1 of the processes too, which takes some of a core.
run() {
    local launcher=() lines=()
    [ "$2" = 0 ] || launcher=(mpirun --oversubscribe -n "$2")
    [ "$3" != synthetic ] || lines=(--lines=lines.h5)
    rm -rf $work/data
    "$measure" ${watch:+-m iris-gen} "${launcher[@]}" iris-gen -q -H "$work/$1.json" -t "$3" "${lines[@]}" \
        -d $work/data -o $work/data.tsv "${4:-$work/list.tsv}" </dev/null
}

# Medians of the columns of standard input, as one line.
medians() {
    awk '{ for (i = 1; i <= NF; i++) x[i, NR] = $i }
        END { for (i = 1; i <= NF; i++) {
                for (j = 2; j <= NR; j++)
                    for (k = j; k > 1 && x[i, k] < x[i, k - 1]; k--) {
                        t = x[i, k]; x[i, k] = x[i, k - 1]; x[i, k - 1] = t
                    }
                printf "%s%s", x[i, int((NR + 1) / 2)], i < NF ? " " : "\n"
            } }'
}

# runs ARGUMENTS OF run: medians of three
runs() {
    for _ in 1 2 3; do run "$@"; done | medians
}

# point ONE MANY N TYPE [LIST]: seconds of processor and of wall time of a point, of
# settings ONE with a point and MANY with N. One is run beside the other.
point() {
    local one many
    for _ in 1 2 3; do
        one=$(run "$1" 0 "$4" "${5:-}")
        many=$(run "$2" 0 "$4" "${5:-}")
        echo "$one $many"
    done | awk -v n="$3" '{ print ($4 - $2) / (n - 1), ($3 - $1) / (n - 1) }' | medians
}

# ---- one point ----

points() {
    local took type many=3 cpu wall
    settings one 1
    settings many $many
    echo "a data point of the main preset, 512 x 512 x 128 samples and 512 channels, of 2000000 cells that are loaded"
    for type in synthetic simple standard; do
        took=$(point one many $many $type)
        read -r cpu wall <<<"$took"
        printf '  %-10s %7.2f s of one core, %7.2f s by the clock\n' $type "$cpu" "$wall"
    done
}

# ---- memory ----

memory() {
    local took least most common n
    slab main 2 128
    preset=SEDIGISM_13C16O_FullCone_Test slab cone 1 "$([ "$full" ] && echo 512 || echo 32)" -s coordinate_hyper.r_crop_min_index=0 \
        -s coordinate_hyper.r_crop_max_index=16384
    echo "memory of its own, written to, of a rank of two, at the most"
    for n in main cone; do
        took=$(watch=1 run $n 2 synthetic)
        read -r _ _ least most common _ <<<"$took"
        printf '  %-44s %6.1f MiB; %6.1f of the one that loads\n' \
            "$([ $n = main ] && echo "main preset, 128 longitudes of it" ||
                echo "full cone of 16384 steps, $([ "$full" ] || echo "32 longitudes of it")")" \
            "$(awk "BEGIN { print $least / 1024 }")" "$(awk "BEGIN { print $most / 1024 }")"
    done
    echo "memory that a node keeps of the snapshot, whatever the number of ranks"
    slab small 16 64 -s coordinate_hyper.r_steps=128 -s coordinate_hyper.r_crop_max_index=128
    for n in 2 4 8; do
        took=$(watch=1 run small $n simple)
        read -r _ _ _ _ common _ <<<"$took"
        printf '  %d ranks %24.1f MiB, %5.1f bytes a cell\n' $n "$(awk "BEGIN { print $common / 1024 }")" \
            "$(awk "BEGIN { print $common * 1024 / 2000000 }")"
    done
}

# ---- bytes read ----

bytes_read() {
    local size read
    command -v strace >/dev/null || return 0
    settings tiny 64 -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=16 -s coordinate_hyper.lat_steps=16
    rm -rf $work/data
    strace -ff -qq -y -e trace=read,pread64 -o $work/trace mpirun --oversubscribe -n 2 iris-gen -q \
        -H $work/tiny.json -t simple -d $work/data -o $work/data.tsv $work/list.tsv </dev/null
    size=$(stat -c %s snap_001.hdf5)
    read=$(cat $work/trace.* | awk '/^p?read/ && /snap_001.hdf5>/ { n += $NF } END { print n + 0 }')
    printf 'bytes read of a snapshot by 2 ranks for 64 points: %d, %.3f of the %d it has\n' \
        "$read" "$(awk "BEGIN { print $read / $size }")" "$size"
}

# ---- ranks ----

# ranks N WALL WALL_OF_ONE CPU: a line. Where other programs use the cores as well, the
# clock says less of ours than processor time does.
ranks() {
    printf '  %d rank%s %8.2f s %6.2f times, %8.2f s of one core\n' "$1" \
        "$([ "$1" = 1 ] && echo ' ' || echo s)" "$2" "$(awk "BEGIN { print $3 / $2 }")" "$4"
}

# with_ranks NAME: the same settings by one rank and by two. What starting them and loading
# take is taken off: a run with next to no samples.
with_ranks() {
    local took n wall cpu base base_cpu one=''
    for n in 1 2; do
        took=$(runs nothing $n synthetic)
        read -r base base_cpu _ <<<"$took"
        took=$(runs "$1" $n synthetic)
        read -r wall cpu _ <<<"$took"
        wall=$(awk "BEGIN { print $wall - $base }")
        : "${one:=$wall}"
        ranks $n "$wall" "$one" "$(awk "BEGIN { print $cpu - $base_cpu }")"
    done
}

more_ranks() {
    local grid="128 x 128 x 32 samples and 128 channels each"
    settings nothing 1 -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=64 -s coordinate_hyper.lat_steps=4
    settings whole 1
    echo "one point of the main preset, by the clock, less starting and loading"
    with_ranks whole
    settings many 64 -s coordinate_hyper.r_steps=128 -s coordinate_hyper.r_crop_max_index=128 \
        -s coordinate_hyper.lon_steps=128 -s coordinate_hyper.lat_steps=32 -s cube_hyper.v_steps=128
    [ -z "$full" ] || { settings many 64 && grid="of the main preset"; }
    echo "64 points, $grid, likewise"
    with_ranks many
}

# ---- growth ----

# grown WHAT N SECONDS: a line, with the exponent since the one before
grown() {
    printf '  %-10s %9d %8.3f s' "$1" "$2" "$3"
    [ -z "$before" ] || awk "BEGIN { printf \"   exponent %.2f\", log($3 / ${before#* }) / log($2 / ${before% *}) }"
    echo
    before="$2 $3"
}

# A slab is a sixteenth of a point.
growth() {
    local took n many=9 before cpu
    echo "seconds of a core a point of 512 longitudes, 16 times those of 32 of them"
    before=
    slab one 1 32
    slab many $many 32
    for n in 200000 2000000 ${full:+20000000}; do
        mkdir $work/$n
        iris-mock -o $work/$n/snap_001.hdf5 --cells=$n --seed=1
        iris-list $work/$n >$work/$n.tsv
        took=$(point one many $many synthetic $work/$n.tsv)
        read -r cpu _ <<<"$took"
        grown cells $n "$(awk "BEGIN { print 16 * $cpu }")"
    done
    before=
    for n in 256 512 1024; do
        slab one 1 32 -s coordinate_hyper.r_steps=$n -s coordinate_hyper.r_crop_max_index=$n
        slab many $many 32 -s coordinate_hyper.r_steps=$n -s coordinate_hyper.r_crop_max_index=$n
        took=$(point one many $many synthetic)
        read -r cpu _ <<<"$took"
        grown r_steps $n "$(awk "BEGIN { print 16 * $cpu }")"
    done
    before=
    for n in 256 512 1024; do
        slab one 1 32 -s cube_hyper.v_steps=$n
        slab many $many 32 -s cube_hyper.v_steps=$n
        took=$(point one many $many synthetic)
        read -r cpu _ <<<"$took"
        grown channels $n "$(awk "BEGIN { print 16 * $cpu }")"
    done
}

for part in ${PARTS:-points memory bytes_read more_ranks growth}; do
    $part
done
