#!/usr/bin/env bats
# What a fetch finds that begins with a part of a copy, and a network that goes away.
bats_require_minimum_version 1.5.0
load common
load remote

PIECE=262144
SIZE=$((7 * PIECE + 12345))
# what a connection needs beside the data
TALK=20000

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    [ "$BATS_TEST_DESCRIPTION" != "a network that is down for a while" ] || far_net
    far_start
    config=(--ssh-config="$FAR/config")
    source=$FAR/home/snap_001.hdf5
    copy=cache/snap_001/snap_001.hdf5
    head -c $SIZE /dev/urandom >"$source"
    touch -d '2001-02-03 04:05:06' "$source"
    far_wire wired -r 1M -t 1200000
    "${FAR_NEAR[@]}" iris-list --remote=wired "${config[@]}" -o list.tsv "$FAR/home"
}

teardown() {
    far_stop
}

# Half of a copy, that of a run which was cut, is in ./half; $kept bytes of it count.
make_half() {
    run -69 --separate-stderr iris-fetch "${config[@]}" --cache=cache --retries=0 -v list.tsv
    kept=$(sed -nE 's/^iris-fetch: ([0-9]+) bytes copied, ([0-9]+) of them again$/\1 - \2/p' <<<"$stderr")
    kept=$((kept))
    [ $kept -gt $((2 * PIECE)) ]
    sed -i 's/wire -c \(.*\) -r 1M/wire -c \1/' "$FAR/config" # what follows may be fast
    [ "$(ls cache/snap_001)" = snap_001.hdf5.tmp ]
    cp -p $copy.tmp half
}

# resume BYTES [FROM]: the copy becomes whole, with these bytes from there
resume() {
    local before
    before=$(far_count)
    run -0 --separate-stderr timeout 60 iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv
    [ -z "$output$stderr" ]
    cmp "$source" $copy
    [ "$(stat -c %Y $copy)" = "$(stat -c %Y "$source")" ]
    [ "$(ls cache/snap_001)" = snap_001.hdf5 ]
    [ $(($(far_count) - before)) -le $(($1 + TALK)) ] ||
        { echo "$(($(far_count) - before)) bytes were sent, not $1"; return 1; }
}

@test "a part that is damaged" {
    make_half
    damaged() {
        rm -rf cache/snap_001
        mkdir cache/snap_001
        cp -p half $copy.tmp
        "${@:2}"
        resume "$1"
    }
    damaged $((SIZE - kept)) true
    # one byte: that piece comes again, and no other
    for at in 0 1 $((PIECE - 1)) $PIECE $((kept / 2)) $((kept - 1)); do
        damaged $((SIZE - kept + PIECE)) flip $copy.tmp "$at"
    done
    # what has not come cannot be damaged
    damaged $((SIZE - kept)) flip $copy.tmp $((SIZE - 1))
    # what is noted behind the data
    for at in $SIZE $((SIZE + 20)) $((SIZE + 47)); do
        damaged $SIZE flip $copy.tmp "$at"
    done
    for at in 48 79 80; do
        damaged $((SIZE - kept + PIECE)) flip $copy.tmp $((SIZE + at))
    done
    damaged $SIZE flip $copy.tmp -1
    # another length
    damaged $SIZE truncate -s -1 $copy.tmp
    damaged $SIZE truncate -s $SIZE $copy.tmp
    damaged $SIZE truncate -s $((SIZE / 2)) $copy.tmp
    damaged $SIZE truncate -s 1 $copy.tmp
    damaged $SIZE truncate -s 0 $copy.tmp
    damaged $SIZE truncate -s +1000 $copy.tmp
    damaged $SIZE truncate -s +10M $copy.tmp
    # holes, as after a crash of the machine
    damaged $SIZE fallocate --punch-hole --offset 0 --length $SIZE $copy.tmp
}

@test "a part that is something else" {
    make_half
    other() {
        rm -rf cache/snap_001 x
        mkdir cache/snap_001
        "$@"
        resume $SIZE
    }
    other dd if=/dev/urandom of=$copy.tmp bs=1000 count=1 status=none
    other dd if=/dev/urandom of=$copy.tmp bs="$(stat -c %s half)" count=1 status=none
    other dd if=/dev/zero of=$copy.tmp bs="$(stat -c %s half)" count=1 status=none
    # the whole source, but nothing says so
    other cp "$source" $copy.tmp
    # of another source: another name, another time, another size
    head -c $SIZE /dev/urandom >"$FAR/home/snap_002.hdf5"
    touch -r "$source" "$FAR/home/snap_002.hdf5"
    cp -p list.tsv one.tsv
    far_wire cut -r 4M -n 1200000
    iris-list --remote=cut "${config[@]}" -o list.tsv "$FAR/home"
    run -69 iris-fetch "${config[@]}" --cache=two --retries=0 list.tsv
    mv one.tsv list.tsv
    other cp -p two/snap_002/snap_002.hdf5.tmp $copy.tmp
    # or of another machine
    other cp -p two/snap_001/snap_001.hdf5.tmp $copy.tmp
    # a name that leads elsewhere: what is there stays as it is
    echo precious >precious
    rm -r cache/snap_001
    mkdir cache/snap_001
    ln -s ../../precious $copy.tmp
    run --separate-stderr iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv
    [ "$(<precious)" = precious ]
    [ "$status" = 74 ] || resume $SIZE
    # or that is no file
    rm -r cache/snap_001
    mkdir -p $copy.tmp
    run -74 --separate-stderr iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv
    one_sentence iris-fetch
    rmdir $copy.tmp
    mkfifo $copy.tmp
    run --separate-stderr timeout 60 iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv
    [ "$status" = 74 ] || [ "$status" = 0 ]
    # a copy that is not: with another time, another size
    rm -rf cache/snap_001
    mkdir cache/snap_001
    head -c $SIZE /dev/urandom >$copy
    resume $SIZE
    echo more >>$copy
    touch -r "$source" $copy
    resume $SIZE
    # a directory of copies that leads elsewhere is not followed
    mkdir elsewhere
    rm -r cache/snap_001
    ln -s ../elsewhere cache/snap_001
    run -74 --separate-stderr iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv
    one_sentence iris-fetch
    [ -z "$(ls elsewhere)" ]
}

@test "a part of a source that has changed meanwhile" {
    local day=0
    make_half
    for change in true 'flip "$source" 5' 'echo more >>"$source"' 'truncate -s 100000 "$source"'; do
        eval "$change"
        # times have seconds only there
        touch -d "2003-01-0$((++day))" "$source"
        rm -rf cache/snap_001
        mkdir cache/snap_001
        cp -p half $copy.tmp
        # what was listed is no more
        run -74 --separate-stderr iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv
        one_sentence iris-fetch
        [ ! -e $copy ]
        mkdir -p cache/snap_001
        cp -p half $copy.tmp
        iris-list --remote=wired "${config[@]}" -o list.tsv "$FAR/home"
        resume "$(stat -c %s "$source")"
    done
}

@test "a part whose source was replaced by one that looks the same" {
    make_half
    # only the sum tells
    touch -r "$source" time
    flip "$source" 5
    touch -r time "$source"
    run --separate-stderr iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv
    [ "$status" = 0 ] || [ "$status" = 74 ]
    [ "$status" = 0 ] || one_sentence iris-fetch
    [ "$status" = 0 ] || [ ! -e $copy ]
    resume $((2 * SIZE))
}

@test "the last run left parts of what is not asked for any more" {
    make_half
    iris-fetch --cache=cache --drop=snap_001
    [ ! -e cache/snap_001 ]
    resume $SIZE
}

@test "a network that is down for a while" {
    far_wire slow -r 1M
    far_alias slow "ServerAliveInterval 1" "ServerAliveCountMax 1" "ConnectTimeout 1"
    rows list.tsv '$f{remote} = "slow"' >slow.tsv
    rm -f "$FAR/count"
    "${FAR_NEAR[@]}" iris-fetch "${config[@]}" --cache=cache -v -o fetched.tsv slow.tsv 2>err 3>&- &
    wait_for far_has_sent 1000000
    "${FAR_NEAR[@]}" ip link set far down
    wait_for grep -q 'trying again' err
    wait_for grep -q 'cannot connect.*trying again' err
    "${FAR_NEAR[@]}" ip link set far up
    wait $!
    cmp "$source" $copy
    [ "$(stat -c %Y $copy)" = "$(stat -c %Y "$source")" ]
    [ "$(far_count)" -le $((SIZE + 600000 + 3 * TALK)) ]
    # for good
    rm -r cache "$FAR/count"
    "${FAR_NEAR[@]}" iris-fetch "${config[@]}" --cache=cache --retries=1 -o fetched.tsv slow.tsv 2>err 3>&- &
    wait_for far_has_sent 1000000
    "${FAR_NEAR[@]}" ip link set far down
    status=0
    wait $! || status=$?
    [ "$status" = 69 ]
    stderr=$(<err) one_sentence iris-fetch
    [ ! -e $copy ]
    wait_for no_near ssh
}
