#!/usr/bin/env bats
# Connections that are lost: whatever is cut where, the copy is whole in the end,
# and little is fetched twice.
bats_require_minimum_version 1.5.0
load common
load remote

PIECE=262144
# what a connection itself needs, and what is lost of a piece when it is cut; lines
# that are compared with this are slow, for what waits in ssh is lost as well
TALK=20000 WAY=600000

# One snapshot, the size of which is no multiple of anything.
setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    [ -n "$FAR_IN" ] || far_start
    config=(--ssh-config="$FAR/config")
    there=$FAR/home
    source=$there/snap_001.hdf5
    copy=cache/snap_001/snap_001.hdf5
    SIZE=$((7 * PIECE + 12345))
    head -c $SIZE /dev/urandom >"$source"
    touch -d '2001-02-03 04:05:06' "$source"
    iris-list --remote=far "${config[@]}" -o list.tsv "$there"
}

teardown() {
    far_stop
}

# fetch STATUS ARGUMENT...: so it ends
fetch() {
    run "-$1" --separate-stderr timeout 60 iris-fetch "${config[@]}" --cache=cache -o fetched.tsv "${@:2}" list.tsv
    [ -z "$output" ]
    [ "$1" = 0 ] || one_sentence iris-fetch
    [ "$1" = 0 ] || [ "$(column local fetched.tsv)" = . ]
}

# whole: the copy is there and right, and nothing else is
whole() {
    cmp "$source" $copy
    [ "$(stat -c %Y $copy)" = "$(stat -c %Y "$source")" ]
    [ "$(ls cache/snap_001)" = snap_001.hdf5 ]
    [ "$(column local fetched.tsv)" = $copy ]
    wait_for no_near ssh
}

# little CUTS: no more was sent than that many cuts excuse
little() {
    local most=$((SIZE + TALK + $1 * (TALK + WAY)))
    [ "$(far_count)" -le $most ] || { echo "$(far_count) bytes were sent, of $most"; return 1; }
}

# partly BYTES: a fetch that was cut when so much had been sent. $kept is what is
# there of the copy, by its own account
partly() {
    rm -rf cache "$FAR/count" fetched.tsv
    far_wire "cut$1" -t "$1"
    rows list.tsv '$f{remote} = "cut'"$1"'"' >cut.tsv
    mv cut.tsv list.tsv
    run -69 --separate-stderr iris-fetch "${config[@]}" --cache=cache --retries=0 -v -o fetched.tsv list.tsv
    [ ! -e $copy ]
    kept=$(sed -nE 's/^iris-fetch: ([0-9]+) bytes copied, ([0-9]+) of them again$/\1 - \2/p' <<<"$stderr")
    kept=$((kept))
}

@test "cut at any byte, and run again" {
    all=0
    for at in 1 30 1000 3500 5000 7000 9000 $((PIECE - 1)) $PIECE $((PIECE + 1)) \
        $((PIECE + 3500)) $((PIECE + 4000)) $((PIECE + 5000)) $((4 * PIECE + 5000)) $((4 * PIECE + 5500)) \
        $((SIZE * 3 / 16)) $((SIZE * 5 / 16)) $((SIZE * 7 / 16)) $((SIZE * 9 / 16)) $((SIZE * 11 / 16)) \
        $((SIZE * 13 / 16)) $((SIZE - 5000)) $SIZE $((SIZE + 2000)) $((SIZE + 4500)); do
        partly "$at"
        fetch 0
        whole
        # nothing that was there has come again
        [ $((kept % PIECE)) = 0 ] || [ "$kept" = $SIZE ]
        [ "$(far_count)" -le $((at + SIZE - kept + TALK)) ] || { echo "cut at $at, kept $kept, sent $(far_count)"; return 1; }
        all=$((all + kept))
    done
    [ "$all" -gt $SIZE ]
}

@test "cut again and again" {
    far_wire far -r 4M -t 300000 -t 600000 -t 900000 -t 1200000 -t 1500000 -t 1800000 -t 2100000
    cuts=-1 status=69
    while [ "$status" = 69 ]; do
        cuts=$((cuts + 1))
        run --separate-stderr iris-fetch "${config[@]}" --cache=cache --retries=0 -o fetched.tsv list.tsv
        [ "$status" = 0 ] || [ ! -e $copy ]
    done
    [ "$status" = 0 ]
    [ "$cuts" -gt 5 ]
    whole
    little "$cuts"
}

@test "cut, and tried again by itself" {
    far_wire far -r 4M -t 700000 -t 1500000
    fetch 0 -v
    whole
    little 2
    grep -q "trying again" <<<"$stderr"
    # the bytes that were lost are told, and they are few
    bytes=$(sed -nE 's/^iris-fetch: ([0-9]+) bytes copied, ([0-9]+) of them again$/\1 \2/p' <<<"$stderr")
    read -r copied again <<<"$bytes"
    [ $((copied - again)) = $SIZE ]
    [ "$again" -le $((2 * WAY)) ]
    # no more often than it was told
    rm -r cache
    far_alias short "ProxyCommand wire -n 1500 %h %p"
    rows list.tsv '$f{remote} = "short"' >short.tsv
    n=$(far_connections)
    run -69 iris-fetch "${config[@]}" --cache=cache --retries=1 short.tsv
    [ "$(far_connections)" = $((n + 2)) ]
}

@test "several at a time, each cut" {
    for n in 2 3; do
        head -c $SIZE /dev/urandom >"$there/snap_00$n.hdf5"
    done
    iris-list --remote=far "${config[@]}" -o list.tsv "$there"
    far_wire far -r 4M -n 1300000
    run -0 --separate-stderr timeout 60 iris-fetch "${config[@]}" --cache=cache -j 3 -o fetched.tsv list.tsv
    for n in 1 2 3; do
        cmp "$there/snap_00$n.hdf5" "cache/snap_00$n/snap_00$n.hdf5"
    done
    no_leftovers
    SIZE=$((3 * SIZE))
    little 6
}

# killed NAME...: iris-fetch is killed, with these others of it, at several places
# of a line that is dead, for all that ssh will know
killed() {
    local at
    for at in 6000 200000 900000 1500000; do
        rm -rf cache "$FAR/count" fetched.tsv
        far_alias "still$at" "ProxyCommand wire -r 4M -c $FAR/count -s -t $at %h %p" "ServerAliveInterval 100"
        rows list.tsv '$f{remote} = "still'"$at"'"' >still.tsv
        iris-fetch "${config[@]}" --cache=cache -o fetched.tsv still.tsv 2>/dev/null 3>&- &
        wait_for far_has_sent "$at"
        kill -KILL $!
        for name; do
            end "$(near "$name")"
        done
        wait $! || true
        [ ! -e $copy ]
        [ ! -e fetched.tsv ]
        no_near_soon ssh wire
        mv still.tsv list.tsv
        fetch 0
        whole
        little 1
    done
}

@test "killed, on a dead line" {
    killed
}

@test "all of it killed" {
    killed ssh wire
}

@test "killed while bytes flow slowly, it leaves no ssh behind" {
    far_wire far -r 50K
    for signal in KILL TERM; do
        rm -f "$FAR/count"
        iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv 2>err 3>&- &
        wait_for far_has_sent 60000
        [ -n "$(near ssh)" ]
        kill -$signal $!
        status=0
        wait $! || status=$?
        no_near_soon ssh wire
        [ ! -e $copy ]
        [ ! -e fetched.tsv ]
    done
    [ "$status" = 75 ]
    stderr=$(cat err) one_sentence iris-fetch
}

@test "sessions that the server ends" {
    far_wire far -r 2M
    iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv 2>err 3>&- &
    for at in 300000 1000000 1600000; do
        wait_for far_has_sent $at
        far_cut
    done
    wait $!
    whole
    little 3
}

@test "a server that is away for a while" {
    far_wire far -r 300K
    iris-fetch "${config[@]}" --cache=cache -v -o fetched.tsv list.tsv 2>err 3>&- &
    fetching=$!
    wait_for far_has_sent 300000
    wires=$(near wire)
    kill -STOP $wires # nothing more comes before it is away
    far_down
    kill -CONT $wires
    wait_for grep -q "cannot connect.*trying again" err
    far_run
    wait $fetching
    whole
    little 1
}

@test "a line that falls silent" {
    # ssh notices
    far_alias alive "ProxyCommand wire -c $FAR/count -s -t 1000000 %h %p" "ServerAliveInterval 1" "ServerAliveCountMax 1"
    rows list.tsv '$f{remote} = "alive"' >alive.tsv
    mv alive.tsv list.tsv
    fetch 0
    whole
    little 1
    # or iris-fetch does
    rm -r cache "$FAR/count"
    far_wire timeout -s -t 1000000
    rows list.tsv '$f{remote} = "timeout"' >timeout.tsv
    mv timeout.tsv list.tsv
    fetch 0 --timeout=2
    whole
    little 1
    rm -r cache "$FAR/count"
    fetch 69 --timeout=1 --retries=0
    fetch 0
    whole
    wait_for no_near wire
}
