#!/usr/bin/env bats
# Points that are made in parts, because there are fewer of them than ranks.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 3
    iris-mock --molecule=13CO -o 13CO.dat
    wide_hyper -o hyper.json
    iris-chem -H hyper.json -o lines.h5
    iris-list -o list.tsv snaps
    sed '/snap_00[23]/d; /##rows/d' list.tsv >one.tsv
}

setup() {
    cp -r "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# wide_hyper OPTION...: one point of many longitudes, of one line with a beam.
wide_hyper() {
    tiny_hyper -s coordinate_hyper.lon_steps=64 -s writer_hyper.points_per_snapshot=1 \
        -s 'observer_hyper.chem_path=["13CO.dat"]' -s 'observer_hyper.N_H_TOT_steps=[16]' \
        -s 'observer_hyper.abundance_H2_steps=[8]' -s 'observer_hyper.T_steps=[12]' \
        -s observer_hyper.out_blur_fwhm=600.0 "$@"
}

# slow_hyper OPTION...: a point that takes a second or so, in bands of latitude,
# as a full cone is
slow_hyper() {
    wide_hyper -s coordinate_hyper.r_steps=2000 -s coordinate_hyper.r_crop_max_index=2000 \
        -s coordinate_hyper.lon_steps=32 -s coordinate_hyper.lat_steps=80 "$@"
}

# parts DATASET: points and longitudes that were made in parts, sorted
parts() {
    journal "$1" | awk '$5 == "longitudes" { print $2, $3, $5, $6, $7, $8 }' | sort -k4n
}

# covered N DATASET: the parts of its only point are all N longitudes, once
covered() {
    parts "$2" | awk -v n="$1" '$4 != at + 0 { exit 1 } { at = $6 + 1 } END { exit at != n }' ||
        { parts "$2"; return 1; }
}

# same_split TYPE OPTION...: of one point, by 1 to 4 ranks
same_split() {
    local type=$1 n
    shift
    rm -rf alone r?
    iris-gen -H hyper.json -t "$type" -d alone -o alone.tsv "$@" one.tsv
    for n in 1 2 3 4; do
        $(mpi $n) iris-gen -H hyper.json -t "$type" -d r$n -o r$n.tsv "$@" one.tsv </dev/null
        cmp alone.tsv r$n.tsv
        same_data alone r$n
        [ $n = 1 ] || covered "${LON:-64}" r$n
    done
    [ -z "$(parts r1)" ]
    [ -z "$(parts alone)" ]
}

@test "one point, the same bytes for any number of ranks: simple" {
    same_split simple
}

@test "one point, the same bytes for any number of ranks: a mean of lines" {
    same_split synthetic --lines=lines.h5
}

@test "one point, the same bytes for any number of ranks: a maximum of lines" {
    # the beam reaches 10 longitudes; without a blur of inputs as well
    wide_hyper -s 'cube_hyper.reduction="max"' -s observer_hyper.out_blur_fwhm=900.0 \
        -s observer_hyper.blur_inputs=false -o hyper.json
    same_split synthetic --lines=lines.h5
    wide_hyper -s 'cube_hyper.reduction="max"' -s observer_hyper.out_blur_fwhm=null -o hyper.json
    same_split synthetic --lines=lines.h5
    wide_hyper -s 'cube_hyper.reduction="max"' -o hyper.json
    same_split simple
}

@test "long rays, walked in bands, the same bytes" {
    slow_hyper -o hyper.json
    LON=32 same_split simple
}

@test "the ranks share a point" {
    slow_hyper -o hyper.json
    $(mpi 2) iris-gen -H hyper.json -t simple -d d -o e.tsv one.tsv </dev/null
    for k in 0 1; do
        grep -q 'longitudes' d/.iris/journal/rank$k.tsv
    done
    # in the columns that whole points have
    [ "$(grep -h longitudes d/.iris/journal/*.tsv | awk -F'\t' '{ print NF, $7, $8 }' | sort -u)" = "14 0 0" ]
    [ "$(journal d | grep longitudes | cut -d' ' -f2-4 | sort -u)" = "snap_001 0 0" ]
}

@test "points are split when they are fewer than ranks, not before" {
    wide_hyper -s writer_hyper.points_per_snapshot=3 -o hyper.json
    iris-gen -H hyper.json -t simple -d alone -o alone.tsv list.tsv
    $(mpi 2) iris-gen -H hyper.json -t simple -d two -o two.tsv list.tsv </dev/null
    cmp alone.tsv two.tsv
    same_data alone two
    # the last one only
    [ "$(parts two | cut -d' ' -f1,2 | sort -u)" = "snap_003 2" ]
    covered 64 two
    $(mpi 5) iris-gen -H hyper.json -t simple -d five -o five.tsv list.tsv </dev/null
    cmp alone.tsv five.tsv
    same_data alone five
    [ "$(parts five | cut -d' ' -f1,2 | sort -u | wc -l)" = 4 ]
    # more ranks than points, of several snapshots
    wide_hyper -o hyper.json
    iris-gen -H hyper.json -t simple -d few -o few.tsv list.tsv
    $(mpi 7) iris-gen -H hyper.json -t simple -d seven -o seven.tsv list.tsv </dev/null
    same_data few seven
    [ "$(parts seven | cut -d' ' -f1,2 | sort -u | wc -l)" = 3 ]
}

@test "tensors, and points of few longitudes, are not split" {
    $(mpi 3) iris-gen -H hyper.json -t standard -d d -o e.tsv one.tsv </dev/null
    [ -z "$(parts d)" ]
    tiny_hyper -s writer_hyper.points_per_snapshot=1 -o hyper.json
    $(mpi 3) iris-gen -H hyper.json -t simple -d d -o e.tsv one.tsv </dev/null
    [ -z "$(parts d)" ]
}

@test "a point whose parts fail has failed once" {
    # no gas: found when all parts are in
    wide_hyper -s dataset_hyper.CMZ_density_factor=1e-300 -o hyper.json
    run -1 --separate-stderr iris-gen -H hyper.json -t synthetic -d alone --lines=lines.h5 one.tsv
    alone=$output
    run -1 --separate-stderr $(mpi 3) iris-gen -v -H hyper.json -t synthetic -d empty --lines=lines.h5 one.tsv </dev/null
    [ "$output" = "$alone" ]
    covered 64 empty
    [ "$(grep -c "^iris-gen: snapshot 'snap_001' point 0: no gas in the window" <<<"$stderr")" = 1 ]
    grep -q '"points": 1, "done": 1, "there_before": 0, "failed": 1' empty/.iris/status.json
    # the face of a box: found by a part
    wide_hyper -s 'suite_hyper.centre=[1,120,120]' -o hyper.json
    run -1 --separate-stderr iris-gen -H hyper.json -t simple -d alone2 one.tsv
    alone=$output
    run -1 --separate-stderr $(mpi 3) iris-gen -v -H hyper.json -t simple -d face one.tsv </dev/null
    [ "$output" = "$alone" ]
    [ "$(grep -c "^iris-gen: snapshot 'snap_001' point 0: the view reaches the face of a periodic box" <<<"$stderr")" = 1 ]
    grep -hq 'longitudes.*	the view reaches' face/.iris/journal/*.tsv
    # a snapshot that cannot be read, which every rank finds out
    wide_hyper -o hyper.json
    echo nothing >snaps/snap_001.hdf5
    run -1 --separate-stderr $(mpi 4) iris-gen -v -H hyper.json -t simple -d lost one.tsv </dev/null
    [ "$(grep -c "^iris-gen: snapshot 'snap_001' point 0: " <<<"$stderr")" = 1 ]
    grep -q '"points": 1, "done": 1, "there_before": 0, "failed": 1' lost/.iris/status.json
    # all of its points, and no other
    cp "$BATS_FILE_TMPDIR/base/snaps/snap_001.hdf5" snaps
    echo nothing >snaps/snap_002.hdf5
    run -1 --separate-stderr iris-gen -H hyper.json -t simple -d alone3 list.tsv
    alone=$output
    run -1 --separate-stderr $(mpi 4) iris-gen -H hyper.json -t simple -d bad list.tsv </dev/null
    [ "$output" = "$alone" ]
    same_data alone3 bad
    [ -z "$(find empty face -name '*.npy*')" ]
}

@test "a point that cannot be published ends the run" {
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv one.tsv
    cp -r ref d
    f=$(echo d/entries/*/raw/snap_001/p000.observed.npy)
    rm "$f"
    exec 9>"$f.tmp"
    flock 9
    run -75 --separate-stderr $(mpi 3) iris-gen -H hyper.json -t simple -d d -o e.tsv one.tsv </dev/null
    one_sentence iris-gen
    [[ $stderr == *"another program is writing"*"p000.observed.npy"* ]]
    [ ! -e e.tsv ]
    exec 9>&-
    $(mpi 3) iris-gen -H hyper.json -t simple -d d -o e.tsv one.tsv </dev/null
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "killed in the middle of a point, the same command continues" {
    slow_hyper -o hyper.json
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv list.tsv
    command=($(mpi 2) iris-gen -H hyper.json -t simple -d d -o e.tsv list.tsv)
    for i in 1 2 3; do
        rm -rf d/.iris/journal
        setsid "${command[@]}" </dev/null >/dev/null 2>&1 3>&- &
        sid=$!
        wait_for eval '! kill -0 $sid 2>/dev/null || [ "$(parts d 2>/dev/null | wc -l)" -ge $i ]'
        end_session $sid
        wait $sid 2>/dev/null || true
        for f in $(cd d && find entries -type f ! -name '*.tmp'); do
            cmp "d/$f" "ref/$f"
        done
    done
    run -0 --separate-stderr "${command[@]}" </dev/null
    cmp ref.tsv e.tsv
    same_data ref d
    no_leftovers
}

@test "a calm end finishes the point whose parts are under way, other signals do not" {
    slow_hyper -s coordinate_hyper.lon_steps=64 -s coordinate_hyper.lat_steps=256 -o hyper.json
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv one.tsv
    mkfifo in
    exec 9<>in
    for name in USR1 TERM; do
        for _ in 1 2 3; do
            rm -rf d e.tsv
            # more rows may come: the run would not end
            setsid $(mpi 2) iris-gen -H hyper.json -t simple -d d -o e.tsv - <in >/dev/null 2>stderr 3>&- 9>&- &
            pid=$!
            grep -v '^##rows' one.tsv >&9
            wait_for eval '[ "$(parts d 2>/dev/null | wc -l)" -ge 1 ]'
            kill -s $name $pid
            settle $pid
            [ $status = hung ] || break
        done
        if [ $name = USR1 ]; then
            [ ! -e e.tsv ]
            [ $status = 75 ]
            grep -q 'stopped by a signal with 1 of 1 points done' stderr
            grep -q '"state": "stopped".*"done": 1,' d/.iris/status.json
            covered 64 d
        else
            # the launcher ends the input before it passes the signal on
            [ $status != 0 ]
            if [ -e e.tsv ]; then
                cmp ref.tsv e.tsv
            else
                [ -z "$(find d -name '*.npy')" ]
            fi
        fi
        end_session $pid
        $(mpi 2) iris-gen -H hyper.json -t simple -d d -o e.tsv one.tsv </dev/null
        cmp ref.tsv e.tsv
        same_data ref d
    done
    exec 9>&-
}
