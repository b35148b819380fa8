#!/usr/bin/env bats
# The make workflow: what it makes, what it makes again and what it leaves alone.

load common

# Six small snapshots, settings that draw four of them, and the data set made
# from those in one go: ./snaps, ./hyper.json, ./base.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    snapshots 6
    few_points writer_hyper.total_snapshots=4 >hyper.json
    setup_make
    flow DATASET=base
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp -a "$BATS_FILE_TMPDIR"/{snaps,hyper.json,base} .
    setup_make
}

# few_points KEY=VALUE...: settings of a tiny data set.
few_points() {
    local s=() v
    for v in "$@"; do s+=(-s "$v"); done
    tiny_hyper -s writer_hyper.unit_calculation_sample_size=6 \
        -s writer_hyper.points_per_snapshot=2 "${s[@]}"
}

# A make of its own, not a part of the one that runs the tests.
setup_make() {
    unset SOURCE FILES HYPER DATASET TYPE NP SEED ROUND PART WINDOW CACHE UNITS_FROM SAMPLE \
        ALLOW_FAILED STATE MPIRUN GEN RUN GRID READ_AHEAD DEADLINE DEVICE REQUIRE STOPPED BEFORE AFTER SLOW
    flow=(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -f "$IRIS_SOURCE/workflows/iris.mk"
        SOURCE=snaps HYPER=hyper.json DATASET=out TYPE=simple
        MPIRUN="mpirun --oversubscribe -x ASAN_OPTIONS=detect_leaks=0")
}

flow() {
    timeout 120 "${flow[@]}" "$@" >make.out
}

# same_run A B: the data sets and what the workflow keeps about them.
same_run() {
    local a=${3:-$1/.iris} b=${4:-$2/.iris} f
    same_data "$1" "$2" || return
    for f in list.tsv gen merged.tsv units.json normalized.tsv shuffled.tsv published; do
        diff -r "$a/$f" "$b/$f" || return
    done
}

# same_end A B: the same is published, whole; arrays of other units may lie about.
same_end() {
    local f
    for f in iris-manifest.tsv hyper.json attributes.json; do
        cmp "$1/$f" "$2/$f" || return
    done
    iris-check -q "$1" && iris-check -q "$2"
}

# A new name and a new time for every file of a step.
marks() {
    find "$1" -type f -printf '%P %i %T@\n' | sort
}

# remade BEFORE AFTER: the steps whose files in out are other ones, 'gen' for all
# snapshots of the list.
remade() {
    local all new
    all=$(column snapshot out/.iris/list.tsv | wc -l)
    new=$(comm -13 "$1" "$2" | cut -d' ' -f1)
    {
        grep -x 'list\.tsv' <<<"$new"
        if [ "$(grep -c '^gen/' <<<"$new")" = "$all" ]; then echo gen; else grep '^gen/' <<<"$new"; fi
        for f in merged.tsv units.json normalized.tsv shuffled.tsv published; do
            grep -xF "$f" <<<"$new"
        done
    } | sed 's/\.[a-z]*$//' | tr '\n' ' '
}

# again EXPECTED ARGUMENT...: exactly these steps are made again by a make with
# these arguments, the data set is whole then, and nothing is left to do.
again() {
    local expected=$1 got
    shift
    rm -rf out
    cp -a base out
    marks out/.iris >before
    flow "$@" || { cat make.out; echo "make $* fails"; return 1; }
    marks out/.iris >after
    got=$(remade before after)
    [ "${got% }" = "$expected" ] || { echo "make $*: '$got', not '$expected'"; return 1; }
    flow "$@" -q publish || { echo "make $*: there is still something to do"; return 1; }
    iris-check -q out
}
on="units normalized shuffled published"

# Programs that can be held up before or after they run, and are counted:
# BEFORE and AFTER are patterns of command lines that stop there for ever, and
# SLOW of those that take a while longer.
shims() {
    local p
    mkdir shim
    cat >shim/hold <<'END'
#!/bin/bash
name=${0##*/}
PATH=${PATH#*:}
line="$name $*"
[[ $line != $SLOW ]] || sleep 0.1
[[ $line != $BEFORE ]] || { touch reached; exec sleep 1000; }
"$name" "$@"
status=$?
case $line in
*--copy*) echo "$line" | sed 's|.*/||; s|\.tsv$||' >>copied; echo cache/*/ | wc -w >>count ;;
esac
[[ $line != $AFTER ]] || { touch reached; exec sleep 1000; }
exit $status
END
    chmod +x shim/hold
    for p in hyper list fetch gen merge units normalize shuffle; do ln -s hold "shim/iris-$p"; done
    PATH=$PWD/shim:$PATH
    : >copied
    : >count
    export BEFORE='' AFTER='' SLOW=
}

# killed_there ARGUMENT...: a make that is killed with all its programs where
# BEFORE or AFTER holds it up.
killed_there() {
    rm -f reached
    killed_when '[ -e reached ]' "${flow[@]}" "$@" || { echo "never came to '$BEFORE$AFTER'"; return 1; }
}

# Files that are no good. The n-th snapshot of those that are drawn:
drawn() {
    column snapshot base/.iris/list.tsv | sed -n "$1p"
}
truncated() {
    truncate -s 5000 "snaps/$1.hdf5"
}

# refused SENTENCE ARGUMENT...: one sentence beside make's own lines, no
# success, and nothing is made.
refused() {
    local sentence=$1 said
    shift
    ls -AR . | grep -vE 'make\.out|before|after|separate-stderr' >before
    run ! --separate-stderr flow "$@"
    ls -AR . | grep -vE 'make\.out|before|after|separate-stderr' >after
    diff before after
    [[ $stderr == *"$sentence"* ]] || { echo "$*: $stderr"; return 1; }
    said=$(grep -vE '^make|\*\*\*' <<<"$stderr" | grep -c . || true)
    [ "$said" -le 1 ] || { echo "$*: more than a sentence: $stderr"; return 1; }
    [ "$said" = 1 ] || [ "$(grep -c . <<<"$stderr")" = 1 ] || { echo "$*: $stderr"; return 1; }
}

@test "the same bytes whatever -j and NP are, and step by step, simple" {
    flow -j4 NP=2 CACHE=cache WINDOW=1
    same_run base out
    flow -j4 DATASET=wide CACHE=wide.cache WINDOW=9
    same_run base wide
    flow -j1 NP=4 DATASET=four
    same_run base four
    for step in list fetch gen merge units normalize shuffle publish check; do
        flow DATASET=hand CACHE=hand.cache "$step"
    done
    same_run base hand
    iris-check -q base
    no_leftovers
}

@test "the same bytes whatever -j and NP are, and step by step, standard" {
    flow DATASET=one TYPE=standard
    flow -j4 NP=2 TYPE=standard CACHE=cache
    same_run one out
    flow -j2 NP=4 TYPE=standard DATASET=four
    same_run one four
    for step in list fetch gen merge units normalize shuffle publish check; do
        flow DATASET=hand TYPE=standard CACHE=hand.cache WINDOW=3 "$step"
    done
    same_run one hand
    iris-check -q one
    no_leftovers
}

# lines KEY=VALUE...: settings of a synthetic data set with small tables.
lines() {
    iris-mock --molecule=13CO -o 13CO.dat
    few_points writer_hyper.total_snapshots=2 'observer_hyper.chem_path=["13CO.dat"]' \
        'observer_hyper.N_H_TOT_steps=[12]' 'observer_hyper.abundance_H2_steps=[6]' \
        'observer_hyper.T_steps=[9]' writer_hyper.unit_calculation_sample_size=4 >hyper.json
}

@test "synthetic: the default, with tables of its own" {
    lines
    setup_make
    unset 'flow[-2]' # TYPE=simple
    flow DATASET=one
    grep -q -- '-t synthetic .* --lines=one/.iris/lines.h5 ' make.out
    flow -j4 NP=2 CACHE=cache
    same_run one out
    cmp one/.iris/lines.h5 out/.iris/lines.h5
    iris-check -q one
    # by hand, without tables
    for s in $(column snapshot one/.iris/list.tsv); do
        iris-gen -H hyper.json -t synthetic -d hand -o "$s.tsv" "one/.iris/rows/$s.tsv"
        cmp "$s.tsv" "one/.iris/gen/$s.tsv"
    done
    same_data one/entries/*/raw hand/entries/*/raw
    no_leftovers
}

@test "synthetic: tables are made again only when they would be others" {
    lines
    setup_make
    unset 'flow[-2]' # TYPE=simple
    flow chem
    [ -e out/.iris/lines.h5 ]
    [ ! -e out/.iris/merged.tsv ]
    flow
    flow -q publish
    stat -c '%i %s' out/.iris/lines.h5 >before
    flow SET='-s observer_hyper.out_blur_fwhm=60.0' # of the points only
    flow SET='-s observer_hyper.out_blur_fwhm=60.0' -q publish
    stat -c '%i %s' out/.iris/lines.h5 | cmp - before
    flow SET="-s 'observer_hyper.T_steps=[7]'"
    ! stat -c '%i %s' out/.iris/lines.h5 | cmp -s - before || false
    iris-check -q out
    flow GEN=--precise
    grep -q ' --precise ' make.out
    [ "$(ls -d out/entries/* | wc -l)" = 4 ]
    sed -i '/1[.]000E-15/!s/ 8\.[0-9]*E-0/ 9.1E-0/' 13CO.dat # another molecule
    run ! flow -q publish
}

@test "the steps of the workflow are the programs called by hand" {
    cp hyper.json four.json
    pipeline simple byhand
    grep -v -e '"seed"' base/hyper.json >a && grep -v -e '"seed"' byhand/hyper.json >b
    diff a b
    diff <(column id base/iris-manifest.tsv | sort) <(column id byhand/iris-manifest.tsv | sort)
    diff -r base/entries byhand/entries
}

@test "a second make does nothing" {
    marks base >before
    flow DATASET=base -q publish
    flow DATASET=base
    grep -q 'Nothing to be done' make.out
    flow DATASET=base -j4 NP=2 publish
    marks base >after
    diff before after
}

@test "one manifest of points that is gone is made again, and what follows" {
    local s
    s=$(drawn 2)
    cp -a base out
    marks out/entries >before.entries
    marks out/.iris >before
    rm "out/.iris/gen/$s.tsv"
    run -1 flow -q publish
    flow
    marks out/.iris >after
    [ "$(remade before after)" = "gen/$s merged $on " ]
    marks out/entries >after.entries
    diff before.entries after.entries
    same_run base out
}

@test "what does not change a point makes nothing again" {
    again "" WINDOW=3
    again "" NP=2
    again "" CACHE=cache
    again "" GEN=-v
    again "" ALLOW_FAILED=0
    [ ! -e cache ]
    touch hyper.json
    again ""
    iris-hyper --preset=hyper.json | tr -d '\n' >flat.json
    again "" HYPER=flat.json
    again "" SEED=1216
}

@test "what changes units makes them again and what follows, no points" {
    again "merged $on" ALLOW_FAILED=1
    again "$on" SAMPLE=5
    again "$on" SAMPLE=all
    again "$on" UNITS_FROM=base
    again "$on" UNITS_FROM=base/hyper.json
    for k in writer_hyper.unit_calculation_sample_size=5 training_hyper.epochs=77; do
        iris-hyper --preset=hyper.json -s "$k" >other.json
        again "$on" HYPER=other.json
    done
}

@test "what changes points makes all of them again and what follows" {
    iris-hyper --preset=hyper.json -s cube_hyper.v_steps=22 >other.json
    again "gen merged $on" HYPER=other.json
    iris-hyper --preset=hyper.json -s writer_hyper.points_per_snapshot=3 >other.json
    again "gen merged $on" HYPER=other.json
    again "gen merged $on" TYPE=standard
    again "gen merged $on" ROUND=1
    again "list gen merged $on" SEED=2
    # and back: the arrays are still there, the bytes those of before
    flow
    same_data base/entries/* out/entries/"$(basename base/entries/*)"
    cmp base/iris-manifest.tsv out/iris-manifest.tsv
}

@test "what changes the draw makes only the points of new snapshots" {
    local new
    new=$(comm -13 <(ls base/.iris/gen) <(ls snaps | sed s/hdf5/tsv/) | sed 's/\.tsv//; s|^|gen/|' | tr '\n' ' ')
    iris-hyper --preset=hyper.json -s writer_hyper.total_snapshots=6 >six.json
    again "list ${new}merged $on" HYPER=six.json
    flow DATASET=fresh HYPER=six.json
    same_end fresh out
    iris-hyper --preset=hyper.json -s writer_hyper.total_snapshots=3 >three.json
    again "list merged $on" HYPER=three.json
    [ "$(column id out/iris-manifest.tsv | wc -l)" = 6 ]
    # those that were left out come back without being made again
    marks out/.iris >before
    flow
    marks out/.iris >after
    [ "$(remade before after)" = "list merged $on " ]
    same_end base out
    iris-hyper --preset=hyper.json -s writer_hyper.min_snapshot_index=5 >min.json
    new=$(comm -13 <(ls base/.iris/gen) <(printf 'snap_%03d.tsv\n' 5 6) | sed 's/\.tsv//; s|^|gen/|' | tr '\n' ' ')
    again "list ${new}merged $on" HYPER=min.json SAMPLE=3
    again "list merged $on" PART=1/2 RUN= SAMPLE=3
    flow PART=9/9 list gen
    run ! --separate-stderr flow PART=9/9
    [[ $stderr == *"there are no snapshots"* ]]
}

@test "looking changes nothing" {
    flow status DATASET=none
    grep -q 'next *iris-list' make.out
    flow why DATASET=none
    flow -n DATASET=none CACHE=cache
    run -1 flow -q DATASET=none
    [ ! -e none ]
    [ ! -e cache ]
    truncated "$(drawn 2)"
    run ! flow
    marks out >before
    for look in status why -n "-n retry" -nq "-n relist" "-n clean-raw" "-n list"; do
        flow $look ROUND=3 SEED=9 CACHE=cache TYPE=standard || [[ $look == *q* ]]
    done
    marks out >after
    diff before after
    mkdir -p cache && marks cache >before
    [ ! -s before ]
}

@test "status and why say what is to do" {
    flow DATASET=base status
    grep -qx 'gen        4 of 4 snapshots done' make.out
    grep -qx 'publish    done' make.out
    grep -q 'next .*nothing' make.out
    flow DATASET=base why
    grep -qx 'nothing would be made' make.out
    rm "base/.iris/gen/$(drawn 3).tsv"
    flow DATASET=base status
    grep -qx 'gen        3 of 4 snapshots done' make.out
    grep -qx 'merge      to do' make.out
    grep -qx "next       iris-gen .*$(drawn 3).*" make.out
    flow DATASET=base why
    grep -qx "base/.iris/gen/$(drawn 3).tsv: missing" make.out
    flow DATASET=base
    flow DATASET=base why SAMPLE=3
    grep -qx 'base/.iris/settings/units: changed' make.out
    ! grep -q gen/ make.out || false
    flow DATASET=base status NP=2 ROUND=1
    grep -qx 'gen        0 of 4 snapshots done' make.out
    grep -q 'next .*mpirun.* iris-gen' make.out
    truncated "$(drawn 2)"
    run ! flow
    flow status
    grep -q "2 points have failed; 'retry' makes them again" make.out
}

@test "help names every goal" {
    env -u MAKEFLAGS -u MAKELEVEL make -f "$IRIS_SOURCE/workflows/iris.mk" help >make.out
    for g in list relist fetch gen merge units normalize shuffle publish check pack retry status why clean-cache clean-raw; do
        grep -q "^  $g " make.out
    done
}

@test "pack" {
    flow DATASET=base pack
    iris-check -q base.h5
    flow DATASET=base PACK=other.h5 pack
    cmp base.h5 other.h5
    flow -q DATASET=base PACK=other.h5 pack
    rm base.h5
    run ! --separate-stderr flow DATASET=base PACK='a b.h5' pack
    [[ $stderr == *"PACK='a b.h5' has a blank"* ]]
}

@test "check, clean-cache and clean-raw" {
    flow DATASET=base CACHE=cache check
    flow DATASET=base CACHE=cache clean-cache
    iris-fetch --cache=cache --copy -o cache/snap_001.tsv base/.iris/list.tsv
    mv base out
    flow CACHE=cache clean-cache
    [ -z "$(ls cache)" ]
    mkdir -p foreign/snap_001
    touch foreign/snap_001.tsv
    flow CACHE=foreign clean-cache
    [ -e foreign/snap_001.tsv ]
    flow clean-raw
    [ -z "$(find out/entries/*/raw -name '*.npy')" ]
    iris-check -q out
    marks out >before
    flow
    flow -q publish
    flow clean-raw
    [ -z "$(find out/entries/*/raw -name '*.npy')" ]
    flow check
    # more points are wanted after all: the raw ones come back
    iris-hyper --preset=hyper.json -s writer_hyper.total_snapshots=5 >five.json
    run ! --separate-stderr flow HYPER=five.json
    [[ $stderr == *"'retry' makes these again"* ]]
    flow HYPER=five.json retry
    iris-check -q out
    flow HYPER=five.json DATASET=fresh
    same_end fresh out
}

@test "never more copies than WINDOW, and none afterwards" {
    local w j most
    shims
    export SLOW='iris-gen*-o*'
    for w in 1 2 3; do
        for j in 1 2 8; do
            [ $w-$j != 1-1 ] || continue
            rm -rf out cache count
            flow -j$j WINDOW=$w CACHE=cache
            most=$(sort -n count | tail -1)
            [ "$most" -le "$w" ] || { echo "WINDOW=$w -j$j: $most copies"; return 1; }
            # gen and one fetch or more at a time reach it, so the limit is the limit
            [ "$j" = 1 ] || [ "$w" -ge "$j" ] || [ "$most" -eq "$w" ]
            [ -z "$(ls cache)" ]
            [ "$(sort -u copied | wc -l)" = 4 ]
            same_run base out
        done
    done
}

@test "a lost cache is fetched again only for points that are not made" {
    shims
    BEFORE="iris-gen*-o*$(drawn 3).tsv *" killed_there -j4 CACHE=cache WINDOW=2
    [ "$(ls -d cache/*/ | wc -l)" -le 2 ]
    rm -rf cache
    : >copied
    flow CACHE=cache
    [ "$(sort copied | tr '\n' ' ')" = "$(drawn 3) $(drawn 4) " ]
    same_run base out
    rm -rf cache
    : >copied
    flow CACHE=cache
    flow CACHE=cache fetch
    flow CACHE=cache -q publish
    [ ! -s copied ]
}

@test "fetch brings the next copies, no more than WINDOW, and no points" {
    shims
    flow CACHE=cache fetch
    [ "$(ls -d cache/*/ | wc -l)" = 2 ]
    flow CACHE=cache fetch
    [ "$(wc -l <copied)" = 2 ]
    [ -z "$(ls out/.iris/gen)" ]
    flow CACHE=cache
    [ "$(wc -l <copied)" = 4 ]
    same_run base out
    # with gaps: the first and the third are missing, and are within the window
    rm "out/.iris/gen/$(drawn 1).tsv" "out/.iris/gen/$(drawn 3).tsv"
    rm -r out/entries/*/raw/{"$(drawn 1)","$(drawn 3)"}
    flow CACHE=cache fetch
    [ "$(ls -d cache/*/ | wc -l)" = 2 ]
    [ "$(ls out/.iris/gen | wc -l)" = 2 ]
    flow CACHE=cache
    same_run base out
}

@test "of a snapshot whose points are there nothing is copied, whatever has become of its manifest" {
    cp -a base out
    rm out/.iris/gen/*
    flow CACHE=cache fetch
    [ "$(ls cache | tr '\n' ' ')" = "$(drawn 1).tsv $(drawn 2).tsv " ]
    [ "$(column local "cache/$(drawn 1).tsv")" = . ]
    # points that go before they are asked for are made all the same
    rm out/entries/*/raw/"$(drawn 2)"/p001.*
    rm cache/"$(drawn 2)".tsv
    flow -j2 CACHE=cache
    same_run base out
    [ -z "$(ls cache)" ]
}

@test "copies that a killed run left behind are removed" {
    shims
    AFTER="iris-gen*-o*$(drawn 1).tsv *" killed_there CACHE=cache
    [ -e "cache/$(drawn 1)/$(drawn 1).hdf5" ]
    AFTER="iris-gen*-o*$(drawn 2).tsv *" killed_there CACHE=cache
    [ ! -e "cache/$(drawn 1)" ]
    # a narrower window than that of the killed run
    rm -rf out cache
    BEFORE="iris-gen*-o*$(drawn 1).tsv *" SLOW='iris-gen*' killed_there -j8 WINDOW=3 CACHE=cache
    rm -f count
    flow WINDOW=1 CACHE=cache
    [ "$(sort -n count | tail -1)" = 1 ]
    [ -z "$(ls cache)" ]
    same_run base out
}

@test "one bad snapshot stops before merge; repaired, retry ends in the same bytes" {
    local s cache
    s=$(drawn 2)
    cp "snaps/$s.hdf5" good.hdf5
    for cache in "" cache; do
        rm -rf out
        truncated "$s"
        run ! --separate-stderr flow -j4 CACHE=$cache
        [[ $stderr == *"iris-merge: 2 of 8 entries have failed; the first"*"$s"* ]]
        [[ $stderr == *"the goal 'retry' makes these again, ALLOW_FAILED=1 goes on without them"* ]]
        [ "$(ls out/.iris/gen | wc -l)" = 4 ]
        [ ! -e out/.iris/merged.tsv ]
        [ ! -e out/attributes.json ]
        # retry of what is still bad changes nothing, and stops as well
        run ! flow CACHE=$cache retry
        run ! flow CACHE=$cache
        cp good.hdf5 "snaps/$s.hdf5"
        marks out/.iris >before
        flow CACHE=$cache retry
        marks out/.iris >after
        [ "$(remade before after)" = "gen/$s merged $on " ]
        same_data base out
        cmp base/.iris/merged.tsv out/.iris/merged.tsv
        flow CACHE=$cache -q publish
        [ ! -e out/.iris/failed.tsv ]
    done
}

@test "killed at merge, failed points do not slip through" {
    shims
    truncated "$(drawn 2)"
    AFTER='iris-merge*' killed_there
    run ! --separate-stderr flow
    [[ $stderr == *"2 of 8 entries have failed"* ]]
    [ ! -e out/attributes.json ]
    rm "$(find base/entries/*/raw -name '*.npy' | head -1)" base/.iris/normalized.tsv
    rm -rf base/entries/*/iris-* out
    mv base out
    AFTER='iris-normalize*' killed_there
    run ! --separate-stderr flow
    [[ $stderr == *"could not be converted"* ]]
}

@test "ALLOW_FAILED goes on without a bad snapshot, and retry brings it in" {
    local s
    s=$(drawn 2)
    cp "snaps/$s.hdf5" good.hdf5
    truncated "$s"
    flow ALLOW_FAILED=1
    iris-check -q out
    [ "$(column snapshot out/iris-manifest.tsv | sort -u | wc -l)" = 3 ]
    flow ALLOW_FAILED=1 -q publish
    cp good.hdf5 "snaps/$s.hdf5"
    flow ALLOW_FAILED=1 retry
    same_end base out
}

@test "a snapshot that cannot be fetched is one bad snapshot" {
    local s
    s=$(drawn 1)
    flow list
    mv "snaps/$s.hdf5" away.hdf5
    run ! --separate-stderr flow CACHE=cache
    [[ $stderr == *"iris-merge: 2 of 8 entries have failed"* ]]
    [ -z "$(ls cache)" ]
    mv away.hdf5 "snaps/$s.hdf5"
    flow CACHE=cache retry
    same_run base out
}

@test "an array that is gone stops before units, and retry makes it again" {
    local f
    cp -a base out
    f=$(find out/entries/*/raw -name '*.npy' | head -1)
    rm "$f"
    flow -q publish
    run ! --separate-stderr flow SAMPLE=all ALLOW_FAILED=0 -W out/.iris/settings/merge
    [[ $stderr == *"1 of 8 entries have failed"* ]]
    flow retry
    [ -e "$f" ]
    same_run base out
}

@test "killed at any step, the same command ends in the same bytes" {
    local at
    shims
    for at in 'iris-list*-o*' "iris-gen*-o*$(drawn 1).tsv *" "iris-gen*-o*$(drawn 3).tsv *" \
        'iris-merge*' 'iris-units*' 'iris-normalize*' 'iris-shuffle -H*' 'iris-shuffle --publish*' \
        'iris-fetch*--copy*' 'iris-fetch*--drop*'; do
        BEFORE=$at killed_there -j2 CACHE=cache
        flow -j2 CACHE=cache
        same_run base out || { echo "killed before $at"; return 1; }
        [ -z "$(ls cache)" ]
        rm -rf out cache
        AFTER=$at killed_there -j2 CACHE=cache
        flow -j2 CACHE=cache
        same_run base out || { echo "killed after $at"; return 1; }
        [ -z "$(ls cache)" ]
        rm -rf out cache
        no_leftovers
    done
    BEFORE="iris-gen*-o*$(drawn 3).tsv *" killed_there NP=2
    flow NP=2
    same_run base out
}

@test "killed again and again at odd moments, it ends in the same bytes" {
    local i
    for i in $(seq 1 14); do
        killed_after "0.0$((i * 37 % 90 + 9))" "${flow[@]}" -j3 CACHE=cache || true
    done
    flow -j3 CACHE=cache
    same_run base out
    no_leftovers
    [ -z "$(ls cache)" ]
}

@test "a published data set is whole at any moment of a change of units" {
    local at
    shims
    for at in 'iris-normalize*' 'iris-shuffle --publish*'; do
        rm -rf out
        cp -a base out
        BEFORE=$at killed_there SAMPLE=5
        iris-check -q out
        AFTER=$at killed_there SAMPLE=5
        iris-check -q out
        flow SAMPLE=5
        iris-check -q out
        flow
        cmp base/attributes.json out/attributes.json
    done
}

@test "a run that is stopped is continued" {
    local pid
    shims
    for signal in TERM INT; do
        rm -rf out reached
        # not ignored, as bash has it for what is in the background
        BEFORE="iris-gen*-o*$(drawn 2).tsv *" setsid env --default-signal=INT "${flow[@]}" >/dev/null 2>&1 3>&- &
        pid=$!
        wait_for [ -e reached ]
        # from a terminal it comes to all programs; make hands on what comes to it alone
        to=$pid
        [ $signal = TERM ] || to=-$pid
        kill -s $signal -- $to
        ! wait $pid || false
        end_session $pid
        flow
        same_run base out
        no_leftovers
    done
}

@test "wrong variables are a sentence each, and nothing is made" {
    mkdir empty foreign
    touch foreign/file
    refused "SOURCE is not set" SOURCE=
    refused "HYPER is not set" HYPER=
    refused "DATASET is not set" DATASET=
    refused "SOURCE and FILES are both set" FILES=snaps/snap_001.hdf5
    refused "WINDOW must be 1 or more, not '0'" WINDOW=0
    refused "WINDOW must be 1 or more, not 'two'" WINDOW=two
    refused "NP must be 1 or more, not 'x'" NP=x
    refused "NP must be 1 or more, not '-1'" NP=-1
    refused "SAMPLE must be 1 or more, not 'some'" SAMPLE=some
    refused "REQUIRE must be 1 or more, not '0'" REQUIRE=0
    refused "READ_AHEAD must be 1 or more, not '-1'" READ_AHEAD=-1
    refused "DEADLINE must be 1 or more, not 'soon'" DEADLINE=soon
    for device in gpu cuda: cuda:x cuda1 'cpu '; do
        refused "DEVICE must be auto, cpu, cuda or cuda:N, not '$device'" DEVICE="$device"
    done
    refused "RUN='a/b' has a character in it that is no letter" RUN=a/b
    refused "STOPPED='a b' has a blank" STOPPED='a b'
    refused "DATASET='a b' has a blank" DATASET='a b'
    refused "DATASET='a;b' has a blank or another" DATASET='a;b'
    refused "STATE='a%b' has a blank or another" STATE='a%b'
    refused "CACHE='a b' has a blank" CACHE='a b'
    refused "none.json" HYPER=none.json
    refused "iris-hyper: bad seed 'x'" SEED=x
    refused "iris-gen: unknown type 'odd'" TYPE=odd
    refused "iris-gen: bad round" ROUND=-1
    refused "iris-list: bad part" PART=3
    refused "iris-list: no HDF5 snapshots (*.hdf5, *.h5) in 'empty'" SOURCE=empty
    refused "iris-list: cannot open 'nowhere'" SOURCE=nowhere
    refused "nowhere" UNITS_FROM=nowhere
    refused "'foreign' is neither empty nor a data set" DATASET=foreign
    sed 's/"v_steps": [0-9]*/"v_steps": -4/' hyper.json >wrong.json
    refused "v_steps" HYPER=wrong.json
    refused "'foreign/file' is neither" DATASET=foreign/file
    mkdir out
    flow list # an empty directory is all right
}

@test "files by name instead of a directory" {
    flow SOURCE= FILES="$(column path base/.iris/list.tsv | tr '\n' ' ')"
    same_run base out
    cp snaps/snap_001.hdf5 'a file.hdf5'
    flow SOURCE= FILES="'a file.hdf5' snaps/*_00[23].hdf5" DATASET=odd
    [ "$(column snapshot odd/.iris/list.tsv | tr '\n' ' ')" = "a=20file snap_002 snap_003 " ]
    iris-check -q odd
}

@test "names with blanks, quotes and other characters" {
    local dir="it's a (strange) \"dir\", #1; = 5%"
    mkdir -p "$dir"
    mv snaps "$dir/snaps"
    mv hyper.json "$dir/hy per's.json"
    flow SOURCE="$dir/snaps" HYPER="$dir/hy per's.json"
    same_data base out
    cp -r base "$dir/other"
    flow SOURCE="$dir/snaps" HYPER="$dir/hy per's.json" UNITS_FROM="$dir/other"
    cmp base/iris-manifest.tsv out/iris-manifest.tsv
    flow SOURCE="$dir/snaps" HYPER="$dir/hy per's.json" UNITS_FROM="$dir/other" -q publish
}

@test "nothing in a name is run" {
    local odd v name n=0
    printf '#!/bin/sh\ntouch %q\n' "$PWD/was-run" >evil
    chmod +x evil
    PATH=$PWD:$PATH
    # by make
    for v in SOURCE DATASET CACHE SEED; do
        refused "$v has a '\$' in it, which is written '\$\$'" "$v=\$(shell evil)"
    done
    for v in SOURCE DATASET; do
        refused "$v has more than one line" "$v"=$'out\nevil'
    done
    refused "DATASET='-x' begins with a dash" DATASET=-x
    SOURCE='$(shell evil)' run ! --separate-stderr env -u MAKEFLAGS make -f "$IRIS_SOURCE/workflows/iris.mk" \
        HYPER=hyper.json DATASET=out
    [[ $stderr == *"SOURCE has a '\$' in it"* ]]
    # by a shell
    odd='$(evil) $(shell evil) `evil` '"';evil;' \";evil;\" && evil | evil"
    mkdir "$odd"
    for name in '$(evil)' '$(shell evil)' '`evil`' "';evil;'" '";evil;"' '&& evil' $'a\nevil' '-e' '|evil'; do
        cp "snaps/snap_00$((n++ % 6 + 1)).hdf5" "$odd/$name.hdf5"
    done
    few_points writer_hyper.total_snapshots=20 >odd.json
    flow -j2 HYPER=odd.json CACHE=cache SOURCE="${odd//\$/\$\$}"
    iris-check -q out
    [ "$(ls out/.iris/gen | wc -l)" = 9 ]
    flow HYPER=odd.json CACHE=cache SOURCE="${odd//\$/\$\$}" status why retry clean-cache
    [ ! -e was-run ]
}

@test "snapshots with odd names" {
    local n=0 name
    mkdir odd
    for name in 'a b' 'c=d' 'e%f' "g'h" 'i$j' 'k#l' 'm:n' ü '=' '-o'; do
        cp "snaps/snap_00$((n++ % 6 + 1)).hdf5" "odd/$name.hdf5"
    done
    few_points writer_hyper.total_snapshots=20 >odd.json
    flow -j4 HYPER=odd.json SOURCE=odd CACHE=cache WINDOW=3
    [ "$(ls out/.iris/gen | wc -l)" = 10 ]
    iris-check -q out
    [ -z "$(ls cache)" ]
    flow HYPER=odd.json SOURCE=odd DATASET=one
    same_run out one
    flow HYPER=odd.json SOURCE=odd -q publish
    rm 'out/.iris/gen/e=25f.tsv'
    flow HYPER=odd.json SOURCE=odd
    same_run one out
}

@test "snapshots of several files" {
    iris-mock -o snaps/snapdir_009 --files=3 --cells=3000 --seed=9
    few_points writer_hyper.total_snapshots=9 >all.json
    flow HYPER=all.json
    flow HYPER=all.json CACHE=cache DATASET=copied -j3
    same_run out copied
    [ -e out/.iris/gen/snap_009.tsv ]
}

@test "listing again takes new snapshots, and those that have changed" {
    local s
    few_points writer_hyper.total_snapshots=20 >all.json
    mv snaps/snap_002.hdf5 .
    flow HYPER=all.json
    mv snap_002.hdf5 snaps
    flow HYPER=all.json -q publish
    marks out/.iris >before
    cp -a out other
    rm out/.iris/list.tsv
    flow HYPER=all.json
    marks out/.iris >after
    [ "$(remade before after)" = "list gen/snap_002 merged $on " ]
    flow HYPER=all.json DATASET=other relist
    [ ! -e other/.iris/gen/snap_002.tsv ]
    flow HYPER=all.json DATASET=other
    same_run out other
    # nothing new: only the list is another file
    marks out/.iris >before
    flow HYPER=all.json relist publish
    marks out/.iris >after
    [ "$(remade before after)" = "list " ]
    touch -d 2020-01-01 snaps/snap_003.hdf5
    flow HYPER=all.json relist publish
    marks out/.iris >before
    [ "$(remade after before)" = "list gen/snap_003 merged $on " ]
}

@test "the state in another place" {
    flow STATE=work/state
    same_run base out base/.iris work/state
    [ ! -e out/.iris/gen ]
    flow STATE=work/state -q publish
    flow STATE=work/state check
    flow DATASET=./dot
    same_run base dot
    flow DATASET="$PWD/abs"
    same_run base abs
    flow DATASET=./dot -q publish
}

@test "a data set that is in use is left alone" {
    local pid
    shims
    cp -a base out
    rm -f "out/.iris/gen/$(drawn 1).tsv"
    (flock 9 && exec sleep 1000) 9<>out/.iris/lock 3>&- &
    pid=$!
    wait_for eval '! flock -n out/.iris/lock true'
    run ! --separate-stderr flow
    [[ $stderr == *"in use by another run"* ]]
    kill $pid
    flow
    same_run base out
}

@test "a thousand snapshots are no burden" {
    local n t took
    # the processors' time of all children so far, in ms; $spent
    spend() {
        times >./times
        spent=$(awk 'NR == 2 { split($0, t, /[ms ]+/); printf "%d", 1000 * (60 * (t[1] + t[3]) + t[2] + t[4]) }' ./times)
    }
    for n in 100 1000; do
        mkdir $n
        for t in $(seq $n); do : >"$n/snap_$t.hdf5"; done
        few_points writer_hyper.total_snapshots=$n >$n.json
        spend
        took[n]=-$spent
        flow SOURCE=$n DATASET=$n.out HYPER=$n.json list
        flow SOURCE=$n DATASET=$n.out HYPER=$n.json CACHE=cache WINDOW=7 -n
        [ "$(grep -c '^iris-gen -H' make.out)" = $n ]
        [ "$(grep -c '^ *iris-fetch.*--copy' make.out)" = $n ]
        flow SOURCE=$n DATASET=$n.out HYPER=$n.json status
        spend
        took[n]=$((took[n] + spent))
    done
    # ten times as much work; what grows with their square would be a hundred times as much
    echo "${took[100]} ms, ${took[1000]} ms"
    [ "${took[1000]}" -lt $((10 * took[100])) ]
}

@test "an array that was damaged stops before units, and retry makes it again" {
    flow
    cp -a out whole
    array=$(ls out/entries/*/raw/snap_*/p001.observed.npy | sed 1q)
    truncate -s -4 "$array"
    rm out/.iris/merged.tsv
    run ! flow
    [ ! -e out/.iris/merged.tsv ]
    flow retry
    same_data whole out
    same_end whole out
}

@test "parts of one data set have steps of their own, and are found by the whole" {
    local s
    for s in 1 2; do
        flow PART=$s/2 gen
        grep -q -- " --run=part-$s-of-2 -o out/.iris/runs/part-$s-of-2/gen/" make.out
    done
    [ "$(cat out/.iris/runs/*/list.tsv | grep -c '^snap')" = 4 ]
    [ ! -e out/.iris/list.tsv ]
    flow PART=2/2 -q gen
    # nothing is to be made any more
    flow NP=2 MPIRUN=false
    same_run base out
    rm -r out
    flow RUN=mine PART=1/2 gen
    [ -e out/.iris/runs/mine/list.tsv ]
    flow RUN= PART=1/2 list
    [ -e out/.iris/list.tsv ]
}

@test "at the same time, too" {
    local s pids=()
    for s in 1 2; do
        timeout 120 "${flow[@]}" PART=$s/2 NP=2 gen >make.$s 3>&- &
        pids+=($!)
    done
    for s in "${pids[@]}"; do wait "$s"; done
    flow
    same_run base out
    no_leftovers
}

@test "where all points are there no launcher is started" {
    cp -a base out
    rm out/.iris/gen/*
    flow NP=2 MPIRUN=false
    same_run base out
    rm out/.iris/gen/* out/entries/*/raw/"$(drawn 3)"/p001.*
    run ! flow NP=2 MPIRUN=false
    flow NP=2
    same_run base out
}

@test "what is passed on to the programs" {
    flow -n list GRID='dataset_hyper.CMZ_scale_factor=0.4:0.6:3 coordinate_hyper.r_min=[7800,7900]'
    grep -qF -- " --grid='dataset_hyper.CMZ_scale_factor=0.4:0.6:3' --grid='coordinate_hyper.r_min=[7800,7900]' " make.out
    flow list
    flow -n gen RUN=r STATE=out/.iris DEADLINE=60 READ_AHEAD=3
    [ "$(grep -c '^iris-gen .* --run=r --deadline=60 --read-ahead=3 -o ' make.out)" = 4 ]
    flow -n gen DEADLINE=auto READ_AHEAD=0
    grep -q '^iris-gen .* --deadline=auto --read-ahead=0 -o ' make.out
    for device in auto cpu cuda cuda:12; do
        flow -n gen DEVICE=$device
        grep -q "^iris-gen .* --device=$device -o " make.out
    done
    ! grep -q -- '--retry-failed\|--run' make.out || false
    flow -n retry
    grep -q '^iris-gen .* --retry-failed -o ' make.out
    flow -n REQUIRE=8
    grep -q '^iris-merge .* --require=8 ' make.out
}

@test "so many entries must be good" {
    again "merged $on" REQUIRE=8
    run ! --separate-stderr flow REQUIRE=9
    [ "$(column id out/.iris/merged.tsv 2>/dev/null | wc -l)" = 8 ] # that of before
    run -1 flow -q REQUIRE=9
    flow
    iris-check -q out
}

@test "all rows of a snapshot are one step" {
    local id
    flow list
    id=$(drawn 2)
    cp -a "out/.iris/rows/$(drawn 1).tsv" first
    sed -n '/^#/!p' "out/.iris/rows/$id.tsv" | sed 'p; p' >three
    { grep -v '^##rows' out/.iris/list.tsv | sed "/^$id\t/d"; cat three; } >new
    echo "##rows $(grep -vc '^#' new)" | cat new - >out/.iris/list.tsv
    flow list
    [ "$(sed -n '/^#/!p' "out/.iris/rows/$id.tsv")" = "$(cat three)" ]
    tail -n 1 "out/.iris/rows/$id.tsv" | grep -qx '##rows 3'
    [ "$(wc -l <out/.iris/targets.mk)" = 4 ]
    # the others are those of before
    [ ! out/.iris/rows/"$(drawn 1)".tsv -nt first ]
    cmp first "out/.iris/rows/$(drawn 1).tsv"
}

@test "a step that stopped early is told from one that is wrong" {
    mkdir shim
    printf '%s\n' '#!/bin/bash' 'PATH=${PATH#*:}' \
        '[[ $* != *" -o "* ]] || [ ! -e status ] || exit "$(cat status)"' 'exec iris-gen "$@"' >shim/iris-gen
    chmod +x shim/iris-gen
    PATH=$PWD/shim:$PATH
    echo 75 >status
    run -2 flow
    [ -e out/.iris/stopped ]
    run -2 flow STOPPED=here
    [ -e here ]
    [ ! -e out/.iris/merged.tsv ]
    echo 74 >status
    run -2 flow
    [ ! -e out/.iris/stopped ]
    rm status
    flow
    same_run base out
    [ ! -e out/.iris/stopped ]
}

@test "where somebody else asks for it, no more points are begun" {
    local pid
    shims
    AFTER="iris-gen*-o*$(drawn 2).tsv *" setsid "${flow[@]}" >/dev/null 2>&1 3>&- &
    pid=$!
    wait_for [ -e reached ]
    touch out/.iris/stopped
    wait_for pkill -s "$pid" -x sleep
    ! wait "$pid" || false
    [ "$(ls out/.iris/gen | wc -l)" = 2 ]
    flow
    same_run base out
}

@test "status says what runs at work say" {
    flow DATASET=base status
    ! grep -q '^run ' make.out || false
    mkdir -p base/.iris/runs/part-1-of-3 base/.iris/runs/night
    echo '{"state": "running", "digest": "12345678", "points": 40, "done": 12, "there_before": 2, "failed": 1,
        "rate_per_s": 0.25, "eta_s": 3725.5, "ranks": 2, "peak_rank_bytes": 1048576, "updated": "2024-06-01T12:00:00Z"}' \
        >base/.iris/status.json
    echo '{"state":"running","points":40}' >base/.iris/runs/part-1-of-3/status.json
    printf '{\n "state": "stopped",\n "points": 9, "done": 3, "failed": 0, "eta_s": null\n}\n' >base/.iris/runs/night/status.json
    flow DATASET=base status
    grep '^run' make.out | diff - <(cat <<END
run        running, 12 of 40 points done, 1 failed, 0.25 a second, 1:02:05 left, 2 ranks, at most 1 MiB each, at 2024-06-01T12:00:00Z
run night  stopped, 3 of 9 points done
run part-1-of-3 running, 0 of 40 points done
END
)
    grep -qx 'gen        4 of 4 snapshots done' make.out
    : >base/.iris/status.json
    echo '{"state"' >base/.iris/runs/night/status.json
    echo '{"state": "finished", "points": 9}' >base/.iris/runs/part-1-of-3/status.json
    flow DATASET=base status
    ! grep -q '^run' make.out || false
}
