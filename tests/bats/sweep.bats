#!/usr/bin/env bats
# Rows with settings of their own: columns "set:SECTION.KEY" of the manifest.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 2
    tiny_lines -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s coordinate_hyper.jitter_r_min=-50.0 -s coordinate_hyper.jitter_r_max=50.0 \
        -s writer_hyper.points_per_snapshot=3 -o hyper.json
    iris-list -o list.tsv snaps
    iris-list --grid=dataset_hyper.CMZ_density_factor=0.5:1.5:2 \
        --grid='coordinate_hyper.jitter_r=[true,false]' -o sweep.tsv snaps
}

setup() {
    cp -a "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    background=
}

teardown() {
    [ -z "$background" ] || end_session "$background"
}

# by N COMMAND...: with N ranks; 0: without a launcher
by() {
    local n=$1
    shift
    $([ "$n" = 0 ] || mpi "$n") "$@" </dev/null
}

gen() {
    local type=$1 data=$2
    shift 2
    iris-gen -H hyper.json -t "$type" -d "$data" "$@"
}

# with_set KEY TYPE VALUE... <MANIFEST: the same list with that column; a row has each value
with_set() {
    awk -F'\t' -v OFS='\t' -v column="set:$1" -v type="$2" -v values="${*:3}" '
        BEGIN { n = split(values, value, " ") }
        /^##columns/ { print $0 " " column ":" type; next }
        /^##rows/ { print "##rows " rows; next }
        /^##/ { print; next }
        /^#/ { print $0, column; next }
        { for (i = 1; i <= n; i++) { print $0, value[i]; rows++ } }'
}

# singly TYPE DATASET OPTION... -- VARIANT...: into one data set, one run for each
# VARIANT, the arguments of iris-hyper in one word
singly() {
    local type=$1 data=$2 options=() variant
    shift 2
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    for variant; do
        iris-hyper --preset=hyper.json $variant -o one.json
        iris-gen -H one.json -t "$type" -d "$data" "${options[@]}" -o one.tsv list.tsv
    done
}

# same_points DATASET...: the same files below entries
same_points() {
    diff -r "$1/entries" "$2/entries"
}

four=("-s dataset_hyper.CMZ_density_factor=0.5 -s coordinate_hyper.jitter_r=true"
    "-s dataset_hyper.CMZ_density_factor=0.5 -s coordinate_hyper.jitter_r=false"
    "-s dataset_hyper.CMZ_density_factor=1.5 -s coordinate_hyper.jitter_r=true"
    "-s dataset_hyper.CMZ_density_factor=1.5 -s coordinate_hyper.jitter_r=false")

@test "every row is the run with its settings, whoever makes it" {
    for type in simple standard; do
        rm -rf ref
        singly $type ref -- "${four[@]}"
        [ "$(ls ref/entries | wc -l)" = 4 ]
        for n in 0 2 4; do
            for ahead in 0 1 3; do
                rm -rf d
                run -0 --separate-stderr by $n iris-gen -H hyper.json -t $type -d d -o e.tsv --read-ahead=$ahead sweep.tsv
                [ -z "$output" ]
                [ -z "$stderr" ]
                same_points ref d
                [ $n$ahead = 00 ] && cp e.tsv first.tsv || cmp first.tsv e.tsv
            done
        done
        # again, nothing is made
        by 2 iris-gen -H hyper.json -t $type -d d -o e.tsv sweep.tsv
        cmp first.tsv e.tsv
        grep -q '"there_before": 24,' d/.iris/status.json
    done
}

@test "the manifest has the settings of every point" {
    gen simple d -o e.tsv sweep.tsv
    [ "$(tail -1 e.tsv)" = "##rows 24" ]
    [[ $(sed -n 2p e.tsv) == *" set:dataset_hyper.CMZ_density_factor:f64 set:coordinate_hyper.jitter_r:str" ]]
    # what stands in a row is what its digest stands for
    paste <(column digest e.tsv) <(column set:dataset_hyper.CMZ_density_factor e.tsv) \
        <(column set:coordinate_hyper.jitter_r e.tsv) | sort -u >rows
    [ "$(wc -l <rows)" = 4 ]
    while read -r digest factor jitter; do
        iris-hyper --preset=hyper.json -s dataset_hyper.CMZ_density_factor=$factor \
            -s coordinate_hyper.jitter_r=$jitter -o one.json
        [ "$(iris-gen --digest -H one.json -t simple)" = "$digest" ]
        grep -q "\"dataset_hyper.CMZ_density_factor\": ${factor}[,}]" "d/entries/$digest/settings.json"
    done <rows
    # a field that is missing changes nothing
    with_set cube_hyper.v_steps u32 . 10 <list.tsv >some.tsv
    rm -rf d
    gen simple d -o e.tsv some.tsv
    singly simple ref -- "" "-s cube_hyper.v_steps=10"
    same_points ref d
    [ "$(column set:cube_hyper.v_steps e.tsv | sort | uniq -c | awk '{ print $1 $2 }' | paste -sd' ')" = "6. 610" ]
}

@test "settings of the line tables, computed and from a file" {
    iris-chem -q -H hyper.json -o lines.h5
    with_set observer_hyper.T_steps str . '[6]' <list.tsv >sweep.tsv
    singly synthetic ref -- "" "-s observer_hyper.T_steps=[6]"
    [ "$(ls ref/entries | wc -l)" = 2 ]
    for n in 0 2 3; do
        for lines in "" --lines=lines.h5; do
            rm -rf d
            run -0 --separate-stderr by $n iris-gen -H hyper.json -t synthetic $lines -d d -o e.tsv sweep.tsv
            [ -z "$stderr" ] || { echo "$stderr"; return 1; }
            same_points ref d
            [ "$(tail -1 e.tsv)" = "##rows 12" ]
        done
    done
    # those of every row are others than in the file
    with_set observer_hyper.T_steps str '[6]' '[7]' <list.tsv >sweep.tsv
    rm -rf d
    by 2 iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d d -o e.tsv sweep.tsv
    singly synthetic ref2 -- "-s observer_hyper.T_steps=[6]" "-s observer_hyper.T_steps=[7]"
    same_points ref2 d
}

@test "the seed, and the number of points" {
    with_set suite_hyper.seed u64 1 2 <list.tsv >seeds.tsv
    singly simple ref -- "-s suite_hyper.seed=1" "-s suite_hyper.seed=2"
    for n in 0 2; do
        rm -rf d
        by $n iris-gen -H hyper.json -t simple -d d -o e.tsv seeds.tsv
        same_points ref d
        paste <(column seed e.tsv) <(column set:suite_hyper.seed e.tsv) | sort | uniq -c | awk '{ print $1, $2, $3 }' |
            diff - <(printf '6 1 1\n6 2 2\n')
    done
    with_set writer_hyper.points_per_snapshot u32 1 4 <list.tsv >points.tsv
    singly simple ref2 -- "-s writer_hyper.points_per_snapshot=1" "-s writer_hyper.points_per_snapshot=4"
    for n in 0 3; do
        rm -rf d
        by $n iris-gen -H hyper.json -t simple -d d -o e.tsv points.tsv
        same_points ref2 d
        [ "$(tail -1 e.tsv)" = "##rows 10" ]
    done
    # --seed comes first, and then the rows are the same
    run -65 --separate-stderr gen simple s --seed=5 seeds.tsv
    one_sentence iris-gen
    [[ $stderr == *"seeds.tsv:5: the manifest has snapshot 'snap_001' twice with settings that are the same" ]]
}

@test "rows that make no sense" {
    # refused PHRASE MANIFEST
    refused() {
        for n in 0 2; do
            run -65 --separate-stderr by $n iris-gen -H hyper.json -t "${type:-simple}" -d d -o e.tsv "$2"
            one_sentence iris-gen
            [[ $stderr == *"$1"* ]] || { echo "no '$1' in: $stderr"; return 1; }
            [ -z "$output" ]
            [ ! -e e.tsv ]
            [ -z "$(find d -name '*.npy' 2>/dev/null)" ]
        done
        rm -rf d
        run -65 --separate-stderr gen simple d --plan "$2"
        one_sentence iris-gen
        [ ! -e d ]
    }
    sed 's/CMZ_density_factor/CMZ_density_factr/' sweep.tsv >bad.tsv
    refused "bad.tsv:4: unknown key 'dataset_hyper.CMZ_density_factr', is 'dataset_hyper.CMZ_density_factor' meant?" bad.tsv
    sed '9s/\t0\.5\t/\t-0.5\t/' sweep.tsv >bad.tsv
    refused "bad.tsv:9: dataset_hyper.CMZ_density_factor must be a number above 0 or null, not -0.5" bad.tsv
    sed '5s/\t0\.5\t/\t.5\t/' sweep.tsv >bad.tsv
    refused "bad.tsv:5: the value of dataset_hyper.CMZ_density_factor is not JSON: '.5'" bad.tsv
    sed '4s/\ttrue$/\tyes/' sweep.tsv >bad.tsv
    refused "bad.tsv:4: the value of coordinate_hyper.jitter_r is not JSON: 'yes'" bad.tsv
    sed '4s/\ttrue$/\t1/' sweep.tsv >bad.tsv
    refused "bad.tsv:4: coordinate_hyper.jitter_r must be" bad.tsv
    # each by itself is good
    with_set coordinate_hyper.r_crop_max_index u32 16 17 <list.tsv >bad.tsv
    refused "bad.tsv:5: coordinate_hyper.r_crop_max_index" bad.tsv
    # twice, in words or in other words
    awk '/^##rows/ { print last; print "##rows 9"; next } { last = $0; print }' sweep.tsv >bad.tsv
    refused "bad.tsv:12: the manifest has snapshot 'snap_002' twice with settings that are the same" bad.tsv
    sed '6s/\t1\.5\ttrue/\t5e-1\ttrue/' sweep.tsv >bad.tsv
    refused "bad.tsv:6: the manifest has snapshot 'snap_001' twice with settings that are the same" bad.tsv
    # settings that the run has anyway
    with_set cube_hyper.v_steps u32 . 20 <list.tsv >bad.tsv
    refused "bad.tsv:5: the manifest has snapshot 'snap_001' twice with settings that are the same" bad.tsv
}

@test "what is to do of every row" {
    gen simple d --plan -o plan.tsv sweep.tsv
    [ ! -e d ]
    [ "$(grep -c '^##task .* todo=3 there=0 files=6 ' plan.tsv)" = 8 ]
    gen simple d -o e.tsv plan.tsv
    bytes=$(find d -name '*.npy' -printf '%s\n' | awk '{ sum += $1 } END { print NR, sum }')
    grep -qx "##plan snapshots=8 points=24 there=0 files=${bytes% *} bytes=${bytes#* }" plan.tsv
    # the folder of each row is the digest of its settings
    for k in 0 1 2 3; do
        iris-hyper --preset=hyper.json ${four[k]} -o one.json
        digest=$(iris-gen --digest -H one.json -t simple)
        [ "$(find "d/entries/$digest" -name '*.npy' | wc -l)" = 12 ]
        [ "$(grep -c "^##task .* why=.*, $digest\$" plan.tsv)" = 2 ]
    done
    # one point of the last one
    rm "d/entries/$digest/raw/snap_002/p001.observed.npy"
    gen simple d --plan sweep.tsv >plan.tsv
    [ "$(column todo plan.tsv | paste -sd' ')" = "0 0 0 0 0 0 0 1" ]
    cp e.tsv first.tsv
    by 3 iris-gen -H hyper.json -t simple -d d -o e.tsv plan.tsv
    cmp first.tsv e.tsv
    grep -q '"there_before": 23,' d/.iris/status.json
}

@test "a copy is released after the last row of its snapshot" {
    gen simple ref -o ref.tsv sweep.tsv
    iris-fetch --cache=C --copy -o fetched.tsv sweep.tsv
    [ "$(ls C)" = $'snap_001\nsnap_002' ]
    # one of the rows, held at the last of its arrays
    for nth in 1 2 4; do
        rm -rf d e.tsv
        iris-fetch --cache=C --copy -o fetched.tsv sweep.tsv
        setsid $(stops rename p002.observed.npy STOP_NTH=$nth) iris-gen -H hyper.json -t simple -d d --release \
            -o e.tsv fetched.tsv </dev/null >/dev/null 2>&1 3>&- &
        background=$!
        wait_for are_stopped $background 1
        [ "$(ls C)" = $'snap_001\nsnap_002' ]
        kill -CONT $background
        wait $background
        background=
        [ "$(echo C/*)" = "C/*" ]
        cmp ref.tsv e.tsv
        same_data ref d
    done
    for n in 2 4; do
        rm -rf d e.tsv
        iris-fetch --cache=C --copy -o fetched.tsv sweep.tsv
        by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv
        [ "$(echo C/*)" = "C/*" ]
        cmp ref.tsv e.tsv
        same_data ref d
    done
    # as rows come, within a window
    rm -rf d e.tsv
    iris-fetch --cache=C --copy --window=1 sweep.tsv | gen simple d --release -o e.tsv -
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "the whole chain" {
    set=set:dataset_hyper.CMZ_density_factor
    for n in 0 3; do
        rm -rf d
        by $n iris-gen -H hyper.json -t simple -d d -o entries.tsv sweep.tsv
        iris-merge -d d --group-by=$set --require=24 -o merged.tsv entries.tsv
        [ "$(grep '^##group' merged.tsv)" = "$(printf "##group $set=%s entries=12 failed=0\n" 0.5 1.5)" ]
        iris-units -H hyper.json -d d -o units.json merged.tsv
        iris-normalize -H units.json -d d -o normalized.tsv merged.tsv
        iris-shuffle --seed=7 --publish=d -H units.json -o shuffled.tsv normalized.tsv
        run -0 iris-check d
        [ "$(column $set d/iris-manifest.tsv | sort | uniq -c | awk '{ print $1 $2 }' | paste -sd' ')" = "120.5 121.5" ]
        [ "$(column id d/iris-manifest.tsv | sort -u | wc -l)" = 24 ]
        [ $n = 0 ] && mv d one || same_data one d
    done
}
