#!/usr/bin/env bats
# Points, and snapshots, that were in hand when runs of iris-gen died: who is to
# blame, what is tried again, last and alone, and what is set aside.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 3
    tiny_hyper -o hyper.json
    iris-list -o list.tsv snaps
    sed -e '/^snap_/d' -e 's/^##rows.*/##rows 0/' list.tsv >empty.tsv
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv list.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    digest=$(cd ref/entries && echo *)
    background=
}

teardown() {
    [ -z "$background" ] || end_session "$background"
}

# dies HOW CALL PATH [NAME=VALUE]...: what begins a command that is to die there, see
# tests/shims/die.c
dies() {
    local so
    so=$(tr : '\n' <<<"$PATH" | sed 's,$,/die.so,' | xargs ls 2>/dev/null | head -1)
    echo env "LD_PRELOAD=$so" "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" \
        "DIE_HOW=$1" "DIE_CALL=$2" "DIE_PATH=$3" "${@:4}"
}

gen=(iris-gen -H hyper.json -t simple -d d -o e.tsv)

# died COMMAND...: it ends badly, and makes no manifest
died() {
    rm -f e.tsv
    run "$@" </dev/null
    [ "$status" != 0 ] && [ "$status" != 75 ] || { echo "status $status: $output"; return 1; }
    [ ! -e e.tsv ]
}

# look: make suspects of what the last run had in hand, and do nothing
look() {
    iris-gen -q -H hyper.json -t simple -d d -o nothing.tsv "$@" empty.tsv
}

# suspects: each with its deaths, without the digest
suspects() {
    local f
    for f in d/.iris/suspects/*; do
        [ ! -e "$f" ] || echo "${f##*/$digest.} $(wc -l <"$f")"
    done
}

# suspect NAME...: one death for each
suspect() {
    local name
    mkdir -p d/.iris/suspects
    for name; do
        echo "a run" >>"d/.iris/suspects/$digest.$name"
    done
}

# failed: snapshot, point and message of the failed rows
failed() {
    paste <(column snapshot e.tsv) <(column point e.tsv) <(column state e.tsv) <(column message e.tsv) |
        awk -F'\t' -v OFS='\t' '$3 == "failed" { print $1, $2, $4 }'
}

# whole: data set and manifest are those of an undisturbed run, and nobody is suspected
whole() {
    cmp ref.tsv e.tsv
    same_data ref d
    [ -z "$(suspects)" ]
    [ -z "$(find d/.iris/flight -type f; find d -name '*.tmp')" ]
}

# all_but SNAPSHOT/POINT...: everything is made, but for that
all_but() {
    local left=$1
    (cd ref && find entries -name '*.npy' | grep -v "/raw/$left\\." | sort) >expected
    (cd d && find entries -name '*.npy' | sort) | diff expected -
}

# order: begin, end, name of each point that was made, by its begin, from the journals
order() {
    cat d/.iris/journal/*.tsv | awk -F'\t' '!/^#/ && $9 ~ /^make / {
        split($9, word, " ")
        printf "%.3f %.3f %s\n", $3, $3 + $4, substr(word[2], index(word[2], ".") + 1) }' | sort -n
}

# start COMMAND...: in a session of its own, $background
start() {
    setsid "$@" </dev/null >/dev/null 2>stderr 3>&- &
    background=$!
}

# kill_all: SIGKILL to all of it
kill_all() {
    end_session "$background"
    wait "$background" 2>/dev/null || true
    background=
}

aside="set aside: it was in hand when 2 runs died; --retry-failed tries it again"

# ---- points ----

@test "a point of which two runs have died is set aside" {
    for n in 0 2; do
        for how in SEGV ABRT KILL; do
            # a process that is alone and killed blames nobody
            [ "$n $how" != "0 KILL" ] || continue
            rm -rf d
            command=($(dies $how rename snap_002/p001.columnized.npy))
            died by $n "${command[@]}" "${gen[@]}" list.tsv
            look
            [ "$(suspects)" = "snap_002.p001 1" ]
            died by $n "${command[@]}" "${gen[@]}" list.tsv
            # it was tried last
            all_but snap_002/p001
            run -1 --separate-stderr by $n "${command[@]}" "${gen[@]}" list.tsv </dev/null
            [[ $stderr == *"iris-gen: 1 of 9 points failed; the first, snapshot 'snap_002' point 1 of 'snaps/snap_002.hdf5': $aside"* ]]
            [ "$(suspects)" = "snap_002.p001 2" ]
            [ "$(failed)" = "snap_002"$'\t'"1"$'\t'"$aside" ]
            [ "$(tail -n 1 e.tsv)" = "##rows 9" ]
            all_but snap_002/p001
            # so it is without what killed it
            run -1 --separate-stderr by $n "${gen[@]}" list.tsv </dev/null
            [ "$(suspects)" = "snap_002.p001 2" ]
            by $n "${gen[@]}" --retry-failed list.tsv </dev/null
            whole
        done
    done
}

@test "others are made meanwhile, and what is set aside has an end" {
    # everything is to do in the third run
    suspect snap_002.p001
    suspect snap_002.p001
    for n in 0 3; do
        rm -rf d/entries
        run -1 --separate-stderr by $n "${gen[@]}" list.tsv </dev/null
        [ "$(failed)" = "snap_002"$'\t'"1"$'\t'"$aside" ]
        all_but snap_002/p001
        [ "$(suspects)" = "snap_002.p001 2" ]
    done
    # more deaths are said as well
    suspect snap_002.p001
    run -1 --separate-stderr "${gen[@]}" list.tsv
    [[ $(failed) == *"it was in hand when 3 runs died"* ]]
    # it is the point of these settings
    iris-gen -H hyper.json -t standard -d d -o e.tsv list.tsv
}

@test "after one death a point is tried again, last" {
    for n in 0 2; do
        rm -rf d
        died by $n $(dies SEGV rename snap_001/p000.columnized.npy) "${gen[@]}" list.tsv
        rm -r d/.iris/journal
        by $n "${gen[@]}" list.tsv </dev/null
        # the other rank may be slow to begin what it was given before
        order | tail -n $((n > 1 ? n : 1)) | grep -q 'snap_001.p000$'
        whole
    done
    # from the start, all the same
    rm -rf d
    suspect snap_001.p000
    "${gen[@]}" list.tsv
    [ "$(order | cut -d' ' -f3 | tr '\n' ' ')" = "snap_001.p001 snap_001.p002 $(
        printf 'snap_00%d.p00%d ' 2 0 2 1 2 2 3 0 3 1 3 2)snap_001.p000 " ]
    whole
}

@test "a point that fails is not suspected any more" {
    suspect snap_002.p001
    h5edit snaps/snap_002.hdf5 nan PartType0/Density 1234
    run -1 --separate-stderr "${gen[@]}" list.tsv
    [[ $(failed | cut -f1 | uniq) = snap_002 ]]
    [[ $(failed) != *"set aside"* ]]
}

@test "a point that was complete when its run died is no suspect" {
    for n in 0 2; do
        rm -rf d
        died by $n $(dies SEGV rename snap_002/p001.observed.npy DIE_AFTER=1) "${gen[@]}" list.tsv
        [ -e "d/entries/$digest/raw/snap_002/p001.observed.npy" ]
        by $n "${gen[@]}" list.tsv </dev/null
        whole
    done
}

@test "of points that were in hand when runs died one is in hand at a time" {
    tiny_hyper -s coordinate_hyper.r_steps=64 -s coordinate_hyper.r_crop_max_index=64 \
        -s coordinate_hyper.lon_steps=128 -s coordinate_hyper.lat_steps=16 \
        -s writer_hyper.points_per_snapshot=4 -o hyper.json
    digest=$(iris-gen --digest -H hyper.json -t simple)
    iris-gen -H hyper.json -t simple -d one -o one.tsv list.tsv
    for s in 1 2 3; do
        for p in 0 2 3; do
            suspect snap_00$s.p00$p
        done
    done
    $(mpi 3) "${gen[@]}" list.tsv </dev/null
    cmp one.tsv e.tsv
    same_data one d
    [ -z "$(suspects)" ]
    # as many ranks as there are may be at the parts of one; times are rounded
    order | awk '$3 ~ /p00[023]$/ {
        for (i = 1; i <= n; i++)
            if (name[i] != $3 && $1 < end[i] - 0.0015) { print name[i] " and " $3; bad = 1 }
        n++; name[n] = $3; end[n] = $2 }
        END { exit bad || n < 9 }'
}

# ---- snapshots ----

@test "a snapshot whose loading kills two runs is set aside" {
    message="set aside: its snapshot was being loaded when 2 runs died; --retry-failed tries it again"
    for n in 0 2; do
        rm -rf d
        # the first time rank 0 looks how large it is
        cat >load <<'S'
#!/bin/sh
export DIE_NTH=$((${OMPI_COMM_WORLD_RANK:-0} ? 1 : 2))
exec "$@"
S
        chmod +x load
        command=($(dies SEGV open snap_002.hdf5) ./load "${gen[@]}" list.tsv)
        died by $n "${command[@]}"
        look
        [ "$(suspects)" = "snap_002 1" ]
        died by $n "${command[@]}"
        all_but snap_002/p00[0-9]
        run -1 --separate-stderr by $n "${command[@]}" </dev/null
        [ "$(suspects)" = "snap_002 2" ]
        [ "$(failed)" = "$(printf "snap_002\t%d\t$message\n" 0 1 2)" ]
        all_but snap_002/p00[0-9]
        by $n "${gen[@]}" --retry-failed list.tsv </dev/null
        whole
    done
}

@test "a snapshot that was loaded is suspected no more, and its points are as any" {
    for n in 0 2; do
        rm -rf d
        suspect snap_001
        by $n "${gen[@]}" list.tsv </dev/null
        # one first, and alone, then the others
        [ "$(order | cut -d' ' -f3 | grep snap_001 | head -n 1)" = snap_001.p000 ]
        order | awk '$3 ~ /snap_001/ { if (end && $1 < end - 0.0015) bad = 1; else if (!end) end = $2 } END { exit bad }'
        [ $n != 0 ] || order | head -n 6 | grep -vq snap_001
        whole
    done
}

@test "nor is one of which all points are there" {
    cp -a ref d
    suspect snap_001 snap_002.p002
    "${gen[@]}" list.tsv
    whole
    # what is on no row is for others
    suspect snap_009 snap_001.p777
    "${gen[@]}" list.tsv
    [ "$(suspects | wc -l)" = 2 ]
    "${gen[@]}" --retry-failed list.tsv
    whole
}

@test "whether there is room for a snapshot is asked also when it is suspected" {
    for name in snap_001 snap_001.p000; do
        rm -rf d
        suspect $name
        run -74 --separate-stderr "${gen[@]}" --memory=1M list.tsv
        one_sentence iris-gen
        [[ $stderr == *" of memory for snapshots, but 1 of the size of 'snap_001' need "* ]]
    done
}

# ---- who is not to blame ----

# long_in_hand MS: some process of the run has had a point in hand for so long
long_in_hand() {
    perl -e '
        my ($least, $is) = @ARGV;
        for (glob "d/.iris/flight/rank*") {
            open my $in, "<:raw", $_ or next;
            local $/;
            my (undef, $word, undef, undef, $began, $alive) = unpack "a8 Q i i Q Q", <$in>;
            $is = 1 if $word && $alive >= $began + $least;
        }
        exit !$is' "$1"
}

@test "all processes killed at once, soon after the begin of a point, blame nobody" {
    for n in 0 2; do
        rm -rf d
        for i in 1 2 3 4; do
            start $(stops rename snap_001/p000.columnized.npy) $([ $n = 0 ] || mpi $n) "${gen[@]}" list.tsv
            wait_for are_stopped $background 1
            kill_all
            [ -n "$(find d/.iris/flight -type f)" ]
            look
            [ -z "$(suspects)" ]
        done
        by $n "${gen[@]}" list.tsv </dev/null
        whole
    done
}

# a point that takes minutes, in many pieces
endless() {
    tiny_hyper -s coordinate_hyper.r_steps=2000 -s coordinate_hyper.r_crop_max_index=2000 \
        -s coordinate_hyper.lat_steps=80 -s coordinate_hyper.lon_steps=40000 \
        -s observer_hyper.lon_pieces=1 -s writer_hyper.points_per_snapshot=1 -o hyper.json
    digest=$(iris-gen --digest -H hyper.json -t simple)
    iris-list -o list.tsv snaps/snap_001.hdf5
}

@test "what had been in hand for long is suspected, though all were killed" {
    endless
    for i in 1 2; do
        start "${gen[@]}" list.tsv
        wait_for long_in_hand 700
        kill_all
        look
        [ "$(suspects)" = "snap_001.p000 $i" ]
    done
    run -1 --separate-stderr "${gen[@]}" list.tsv
    [[ $(failed) == snap_001$'\t'0$'\t'"$aside" ]]
}

@test "but not when the process was asked to end before" {
    endless
    start "${gen[@]}" list.tsv
    wait_for long_in_hand 1
    # a calm end is one after the point
    kill -USR1 $background
    wait_for long_in_hand 700
    kill_all
    look
    [ -z "$(suspects)" ]
}

@test "a process that was asked to end is not to blame" {
    for n in 0 2; do
        # a second one ends it at once, with its record left
        for signals in TERM USR1 INT "TERM INT" "USR1 TERM"; do
            rm -rf d
            start $(stops rename snap_001/p000.columnized.npy) $([ $n = 0 ] || mpi $n) "${gen[@]}" list.tsv
            wait_for are_stopped $background 1
            pid=$(stopped $background)
            for signal in $signals; do
                kill -s $signal $pid
            done
            kill -CONT $pid
            ends
            # the other rank may have made all others
            [ $status != 0 ] || [[ $n = 2 && $signals != *" "* ]]
            look
            [ -z "$(suspects)" ]
            by $n "${gen[@]}" list.tsv </dev/null
            whole
        done
    done
}

@test "a fault that comes from outside ends it, and counts as its own" {
    for signal in SEGV ABRT BUS; do
        rm -rf d
        start $(stops rename snap_001/p000.columnized.npy) "${gen[@]}" list.tsv
        wait_for are_stopped $background 1
        kill -s $signal $background
        kill -CONT $background
        ends
        [ $status != 0 ]
        look
        [ "$(suspects)" = "snap_001.p000 1" ]
    done
}

@test "nor are the ranks of a run that mpirun ends" {
    for signal in TERM USR1 INT; do
        rm -rf d
        start $(stops rename snap_001/p000.columnized.npy) $(mpi 2) "${gen[@]}" list.tsv
        wait_for are_stopped $background 1
        pid=$(stopped $background)
        kill -s $signal $background
        wait_for eval 'is_pending $pid USR1 || is_pending $pid TERM || [[ $(ps -o stat= -p $pid) != T* ]]'
        kill -CONT $pid 2>/dev/null || true
        ends # its launcher may hang
        look
        [ -z "$(suspects)" ]
        $(mpi 2) "${gen[@]}" list.tsv </dev/null
        whole
    done
}

# ---- several runs ----

@test "what a run with a name has died of, later ones without a name know" {
    command=($(dies SEGV rename snap_002/p001.columnized.npy) "${gen[@]}" list.tsv)
    died "${command[@]}" --run=a
    look --run=b
    [ -z "$(suspects)" ]
    look
    [ "$(suspects)" = "snap_002.p001 1" ]
    died "${command[@]}" --run=a
    # those with one know it, too, once somebody has looked
    look --run=a
    [ "$(suspects)" = "snap_002.p001 2" ]
    for name in --run=a --run=b -q; do
        run -1 --separate-stderr "${gen[@]}" $name list.tsv
        [ "$(failed)" = "snap_002"$'\t'"1"$'\t'"$aside" ]
    done
    "${gen[@]}" --run=b --retry-failed list.tsv
    whole
}

# ---- copies ----

@test "a suspect does not keep copies from moving on" {
    for n in 0 2; do
        for name in snap_001.p000 snap_001 snap_002.p001 "snap_001.p001 snap_002 snap_003.p002"; do
            rm -rf d C
            suspect $name
            iris-fetch --cache=C --copy --window=1 list.tsv |
                timeout -k 5 60 $([ $n = 0 ] || mpi $n) "${gen[@]}" --release -
            [ -z "$(ls C)" ]
            whole
        done
    done
}

@test "a point that is put together of its parts is in hand then, and nothing else" {
    tiny_hyper -s coordinate_hyper.lon_steps=128 -s writer_hyper.points_per_snapshot=2 -o hyper.json
    digest=$(iris-gen --digest -H hyper.json -t simple)
    iris-gen -H hyper.json -t simple -d whole -o whole.tsv list.tsv
    for n in 2 3; do
        rm -rf d
        # rank 0, in the middle of other work or not
        for i in 1 2; do
            died by $n $(dies SEGV rename snap_003/p001.columnized.npy) "${gen[@]}" list.tsv
        done
        look
        [ "$(suspects)" = "snap_003.p001 2" ] || { suspects; return 1; }
        run -1 by $n "${gen[@]}" list.tsv </dev/null
        [ "$(column state e.tsv | tr '\n' ' ')" = "raw raw raw raw raw failed " ]
        by $n "${gen[@]}" --retry-failed list.tsv </dev/null
        cmp whole.tsv e.tsv
        same_data whole d
    done
}
