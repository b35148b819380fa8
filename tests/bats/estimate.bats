#!/usr/bin/env bats
# What iris-gen says before anything is made: --plan what is to do and why, --estimate
# what it takes.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 3
    tiny_lines -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=3 -o hyper.json
    iris-list -o list.tsv snaps
    { grep '^#' list.tsv | sed 's/^##rows .*/##rows 0/'; } >empty.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# gen TYPE DATASET ARGUMENT...
gen() {
    local type=$1 data=$2
    shift 2
    iris-gen -H hyper.json -t "$type" -d "$data" "$@"
}

# state DATASET: all there is, and when it was written
state() {
    find "$1" -printf '%p %i %T@ %s\n' | sort
}

# bytes DATASET: files of arrays and their bytes
bytes() {
    find "$1/entries" -name '*.npy' -printf '%s\n' | awk '{ n++; sum += $1 } END { print "files=" n + 0, "bytes=" sum + 0 }'
}

# tasks MANIFEST: what its lines ##task say, but for why
tasks() {
    sed -n 's/^##task snapshot=\(.*\) why=.*/\1/p' "$1"
}

# ---- --plan ----

@test "a plan has as many files and bytes as are written then" {
    for type in simple standard synthetic; do
        rm -rf d
        gen $type d --plan -o plan.tsv list.tsv
        digest=$(iris-gen --digest -H hyper.json -t $type)
        gen $type d -o e.tsv plan.tsv
        [ "$(grep '^##plan' plan.tsv)" = "##plan snapshots=3 points=9 there=0 $(bytes d)" ]
        [ "$(grep -c "^##task .* todo=3 there=0 .* why=no points are there with these settings, $digest\$" plan.tsv)" = 3 ]
        # the sum of its lines
        tasks plan.tsv | tr '=' ' ' | awk '{ files += $7; bytes += $9 }
            END { print "files=" files, "bytes=" bytes }' | diff - <(bytes d)
        # some, all and none are there
        mkdir away
        mv d/entries/*/raw/snap_002/p001.* away
        mv d/entries/*/raw/snap_003 away
        gen $type d --plan -o plan.tsv list.tsv
        some=$(bytes away | tr '=' ' ')
        diff <(tasks plan.tsv | head -1) - <<<"snap_001 todo=0 there=3 files=0 bytes=0"
        [ "$(tasks plan.tsv | cut -d' ' -f1-3)" = $'snap_001 todo=0 there=3\nsnap_002 todo=1 there=2\nsnap_003 todo=3 there=0' ]
        [ "$(grep '^##plan' plan.tsv)" = "##plan snapshots=3 points=9 there=5 $(find away -name '*.npy' -printf '%s\n' |
            awk '{ n++; sum += $1 } END { print "files=" n, "bytes=" sum }')" ]
        grep -q "^##task snapshot=snap_001 .* why=all points are there with these settings, $digest\$" plan.tsv
        grep -q "^##task snapshot=snap_002 .* why=2 of 3 points are there with these settings, $digest\$" plan.tsv
        gen $type d plan.tsv | cmp - e.tsv
        rm -r away
    done
}

@test "why there is something to do" {
    gen simple d -o e.tsv list.tsv
    why() {
        gen simple d --plan "$@" | sed -n 's/^##task snapshot=\(.*\) files=.* why=/\1 /p'
    }
    rm d/entries/*/raw/snap_002/source.tsv
    rows list.tsv '$f{bytes} += $n == 3' >changed.tsv
    why changed.tsv | diff - <(
        echo "snap_001 todo=0 there=3 all points are there with these settings, $(ls d/entries)"
        echo "snap_002 todo=3 there=0 arrays are there, but no record of the snapshot"
        echo "snap_003 todo=0 there=3 all points are there, but the size of the snapshot has changed"
    )
    # where it would have to be fetched to be compared
    rows changed.tsv '$f{remote} = "far"' >far.tsv
    why far.tsv | grep -qx "snap_003 todo=3 there=3 all points are there, but the size of the snapshot has changed"
    # other settings
    why --round=1 list.tsv | sort -u | grep -c "no points are there with these settings, $(iris-gen --digest -H hyper.json -t simple --round=1)" | grep -qx 3
}

@test "a plan is the same when it is asked for again, and changes nothing" {
    for n in 1 2 3; do
        gen simple d --plan list.tsv >plan$n.tsv
    done
    [ ! -e d ]
    cmp plan1.tsv plan2.tsv
    cmp plan1.tsv plan3.tsv
    gen simple d --plan plan1.tsv | cmp - plan1.tsv
    $(mpi 3) iris-gen -H hyper.json -t simple -d d --plan list.tsv </dev/null | cmp - plan1.tsv
    gen simple d -o e.tsv list.tsv
    state d >before
    gen simple d --plan -v -o plan1.tsv list.tsv
    gen simple d --plan plan1.tsv | cmp - plan1.tsv
    state d | cmp before -
    # of nothing
    gen simple d --plan empty.tsv >plan.tsv
    grep -qx "##plan snapshots=0 points=0 there=0 files=0 bytes=0" plan.tsv
    [ "$(tail -1 plan.tsv)" = "##rows 0" ]
}

@test "a plan is a list for iris-gen and iris-fetch" {
    gen simple ref -o ref.tsv list.tsv
    gen simple d --plan -o plan.tsv list.tsv
    iris-fetch --cache=C --copy -o fetched.tsv plan.tsv
    [ "$(ls C)" = $'snap_001\nsnap_002\nsnap_003' ]
    gen simple d -o e.tsv fetched.tsv
    cmp ref.tsv e.tsv
    # what is there is not fetched
    rm -r C d/entries/*/raw/snap_002
    gen simple d --plan list.tsv | iris-fetch --cache=C --copy - >fetched.tsv
    [ "$(ls C)" = snap_002 ]
    $(mpi 2) iris-gen -H hyper.json -t simple -d d -o e.tsv fetched.tsv </dev/null
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "-v says how much room there is" {
    run -0 --separate-stderr gen simple d --plan -v list.tsv
    [[ $stderr =~ ^"iris-gen: 9 of 9 points to make: 18 files, "[0-9.]+" MiB; "[0-9.]+" MiB are free"$ ]]
    cmp <(gen simple d --plan list.tsv) - <<<"$output"
    # more than there is
    iris-hyper --preset=hyper.json -s coordinate_hyper.r_steps=10000 -s coordinate_hyper.r_crop_max_index=10000 \
        -s coordinate_hyper.lon_steps=100000 -s coordinate_hyper.lat_steps=1000 \
        -s writer_hyper.points_per_snapshot=100000 -o huge.json
    run -0 --separate-stderr iris-gen --plan -H huge.json -t standard -d d list.tsv
    [[ $stderr =~ ^"iris-gen: warning: the points take "[0-9.]+" MiB, but only "[0-9.]+" MiB are free where 'd' is"$ ]]
}

# ---- --estimate ----

estimated="snapshot cells ranks nodes snapshots points load_time tables_time point_time write_time time rank_memory node_memory node_memory_free write_bytes disk_free"

# value WHAT FILE: of an estimate
value() {
    awk -F'\t' -v what="$1" '$1 == what { print $2 }' "$2"
}

# is_estimate FILE RANKS SNAPSHOTS POINTS
is_estimate() {
    [ "$(head -1 "$1")" = $'#what\tvalue\tunit' ]
    [ "$(sed 1d "$1" | cut -f1 | paste -sd' ')" = "$estimated" ]
    [ "$(value ranks "$1") $(value nodes "$1") $(value snapshots "$1") $(value points "$1")" = "$2 1 $3 $4" ]
    sed 1d "$1" | awk -F'\t' '
        $1 == "snapshot" { next }
        $2 !~ /^[0-9]/ { print; bad = 1 }
        $3 != ($1 ~ /time$/ ? "s" : $1 ~ /memory|bytes|disk/ ? "B" : ".") { print; bad = 1 }
        END { exit bad }'
}

@test "--estimate measures, and makes nothing" {
    for type in simple standard synthetic; do
        gen $type ref --plan -o plan.tsv list.tsv
        for n in 0 1 3; do
            launcher=$([ $n = 0 ] || mpi $n)
            run -0 --separate-stderr $launcher iris-gen --estimate -H hyper.json -t $type -d d -o e.tsv list.tsv </dev/null
            [ -z "$output" ] && [ -z "$stderr" ] || { echo "$stderr"; return 1; }
            is_estimate e.tsv $((n + !n)) 3 9
            [ "$(value cells e.tsv)" = 2000 ]
            [[ $(value snapshot e.tsv) == snap_00[123] ]]
            [ "$(value write_bytes e.tsv)" = "$(sed -n 's/^##plan .*bytes=//p' plan.tsv)" ]
            for what in load_time point_time time rank_memory; do
                awk -v v="$(value $what e.tsv)" 'BEGIN { exit v <= 0 }'
            done
            [ ! -e d ]
        done
    done
    # beside what is there nothing is recorded
    gen simple d -o e.tsv list.tsv
    rm d/entries/*/raw/snap_002/p00[01].*
    state d >before
    for launcher in "" "$(mpi 2)"; do
        $launcher iris-gen --estimate -H hyper.json -t simple -d d list.tsv </dev/null >estimate.tsv
        [ "$(value snapshot estimate.tsv) $(value points estimate.tsv)" = "snap_002 2" ]
        # a run may have it
        exec 9<d/.iris/lock
        flock 9
        $launcher iris-gen --estimate -H hyper.json -t simple -d d list.tsv </dev/null 9<&- >estimate.tsv
        exec 9<&-
    done
    state d | cmp before -
}

@test "--estimate of nothing" {
    for launcher in "" "$(mpi 2)"; do
        $launcher iris-gen --estimate -H hyper.json -t synthetic -d d empty.tsv </dev/null >e.tsv
        is_estimate e.tsv $([ -z "$launcher" ] && echo 1 || echo 2) 0 0
        [ ! -e d ]
    done
    gen simple d -o entries.tsv list.tsv
    for launcher in "" "$(mpi 2)"; do
        $launcher iris-gen --estimate -H hyper.json -t simple -d d list.tsv </dev/null >e.tsv
        is_estimate e.tsv $([ -z "$launcher" ] && echo 1 || echo 2) 0 0
        [ "$(value snapshot e.tsv) $(value time e.tsv) $(value rank_memory e.tsv) $(value write_bytes e.tsv)" = ". 0 0 0" ]
    done
}

@test "--estimate of a snapshot that cannot be read" {
    iris-mock -o snaps/snap_009.hdf5 --cells=20000 --seed=9
    iris-list -o list.tsv snaps
    truncate -s 100000 snaps/snap_009.hdf5
    for damage in cut gone; do
        for n in 0 2; do
            launcher=$([ $n = 0 ] || mpi $n)
            run -$([ $damage = cut ] && echo 65 || echo 74) --separate-stderr $launcher iris-gen --estimate -H hyper.json -t simple -d d list.tsv </dev/null
            one_sentence iris-gen
            [[ $stderr == *"snap_009.hdf5'"* ]] || { echo "$stderr"; return 1; }
            [ -z "$output" ]
            [ ! -e d ]
        done
        rm -f snaps/snap_009.hdf5
    done
}

@test "--estimate of a sweep" {
    iris-list --grid=dataset_hyper.CMZ_density_factor=0.5:1.5:3 -o sweep.tsv snaps
    for launcher in "" "$(mpi 2)"; do
        $launcher iris-gen --estimate -H hyper.json -t simple -d d sweep.tsv </dev/null >e.tsv
        is_estimate e.tsv $([ -z "$launcher" ] && echo 1 || echo 2) 9 27
    done
    # the lines differ, too
    iris-list --grid=observer_hyper.T_cmb=2.7:2.8:2 -o sweep.tsv snaps
    gen synthetic d --estimate sweep.tsv >e.tsv
    is_estimate e.tsv 1 6 18
    [ ! -e d ]
}

@test "the memory of a rank is the one of the run" {
    iris-mock -o snaps/snap_010.hdf5 --cells=300000 --seed=4
    iris-mock -o snaps/snap_011.hdf5 --cells=300000 --seed=5
    iris-list -o list.tsv snaps/snap_01*
    for type in simple standard synthetic; do
        for launcher in "" "$(mpi 2)"; do
            rm -rf d
            $launcher iris-gen --estimate -H hyper.json -t $type -d d -o estimate.tsv list.tsv </dev/null
            $launcher iris-gen -H hyper.json -t $type -d d -o e.tsv list.tsv </dev/null
            peak=$(cat d/.iris/journal/*.tsv | awk -F'\t' '!/^#/ && $10 > most { most = $10 } END { print most * 1024 }')
            echo "$type ${launcher:-alone}: $(value rank_memory estimate.tsv) estimated, $peak used"
            # a sanitizer keeps much memory of its own
            sanitized || awk -v e="$(value rank_memory estimate.tsv)" -v p="$peak" 'BEGIN { exit e < 0.8 * p || e > 1.2 * p }'
        done
    done
}
