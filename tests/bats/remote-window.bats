#!/usr/bin/env bats
# Copies that make room for the next ones: a window, a budget, a cache of one run,
# and readers that go away.
bats_require_minimum_version 1.5.0
load common
load remote

ONE=300000 # bytes of a snapshot

# Five snapshots, the last one a set of two files.
setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    far_start
    config=(--ssh-config="$FAR/config")
    there=$FAR/home
    mkdir "$there/snapdir_5"
    for f in snap_{1,2,3,4}; do
        head -c $ONE /dev/urandom >"$there/$f.hdf5"
    done
    for k in 0 1; do
        head -c $((ONE / 2)) /dev/urandom >"$there/snapdir_5/snap_5.$k.hdf5"
    done
    iris-list --remote=far "${config[@]}" -o list.tsv "$there"
    : >log
}

teardown() {
    : >go # readers that wait go on, and end
    : >watched
    far_stop
    rm -rf $private
}

# reader CACHE: take a copy, look whether it is right, wait until ./go is there or
# was meant for this one (./go.ID), and drop it; what it saw is in ./log
reader() {
    local id index path files bytes mtime remote near
    while IFS=$'\t' read -r id index path files bytes mtime remote near; do
        [[ $id != \#* ]] || continue
        if [ "$near" = . ]; then
            echo "$id none" >>log
            continue
        fi
        if cmp -s "$path" "$near" && { [ "$files" = 1 ] || cmp -s "${path/.0./.1.}" "${near/.0./.1.}"; }; then
            echo "$id right" >>log
        else
            echo "$id wrong" >>log
        fi
        until [ -e go ] || [ -e "go.$id" ]; do sleep 0.01; done
        iris-fetch --cache="${1:-${near%/*/*}}" --drop="$id" || [ $# = 0 ]
    done
    echo end >>log
}

# has_read LINE
has_read() {
    grep -qx "$1" log
}

# watch_peak CACHE: until ./watched is there; then the most snapshots and bytes
# that were in the cache at a time are in ./peak
watch_peak() {
    perl -MFile::Find -e '
        my ($cache, $most, $peak) = (shift, 0, 0);
        until (-e "watched") {
            my ($bytes, %in) = (0);
            no warnings;
            find({no_chdir => 1, wanted => sub {
                my @s = lstat or return;
                -f _ or return;
                $bytes += $s[7] unless m{/[.]iris-};
                $in{$1}++ if m{^\Q$cache\E/([^/]+)/};
            }}, $cache) if -d $cache;
            delete $in{".iris-ssh"};
            $most = keys %in if keys %in > $most;
            $peak = $bytes if $bytes > $peak;
            select undef, undef, undef, 0.003;
        }
        open my $out, ">", "peak.tmp" or die;
        print $out "$most $peak\n";
        close $out;
        rename "peak.tmp", "peak"' "$1" </dev/null >/dev/null 2>&1 3>&- &
}
# most SNAPSHOTS BYTES: no more than these were in the cache
most() {
    : >watched
    wait_for test -e peak
    rm watched
    read -r snapshots bytes <peak
    rm peak
    [ "$snapshots" -le "$1" ] && [ "$bytes" -le "$2" ] || { echo "at a time: $snapshots snapshots, $bytes bytes"; return 1; }
}

# all_read: every snapshot, right
all_read() {
    [ "$(sort log | tr '\n' ' ')" = "end snap_1 right snap_2 right snap_3 right snap_4 right snap_5 right " ]
}

# ended COMMAND...: run it; its words go to ./err and, when it ends, its status to ./status
ended() {
    local status=0
    "$@" 2>err || status=$?
    echo $status >status
}

# nothing_left CACHE
nothing_left() {
    [ -z "$(find "$1" -type f ! -name '.iris-*')" ]
    wait_for no_near ssh
}

@test "a window of any size, for any number at a time" {
    : >go
    for options in "--window=1" "--window=2" "--window=2 -j 3" "--window=3 -j 2" "--window=9 -j 9"; do
        : >log
        watch_peak cache
        iris-fetch "${config[@]}" --cache=cache $options list.tsv | reader cache
        [ "${PIPESTATUS[*]}" = "0 0" ]
        all_read
        window=${options#*=}
        most "${window%% *}" 9999999
        nothing_left cache
    done
}

@test "no more than the window is copied until the reader makes room" {
    watch_peak cache
    iris-fetch "${config[@]}" --cache=cache --window=2 -j 3 list.tsv 2>err 3>&- | reader cache 3>&- &
    # of the first two, whichever came first is in use, and the other one comes
    wait_for grep -q right log
    first=$(sed -n '1s/ right//p' log)
    case $first in snap_1) second=snap_2 ;; *) second=snap_1 ;; esac
    wait_for test -e cache/$second/$second.hdf5
    [ ! -e cache/snap_3 ]
    : >go."$first"
    wait_for has_read "$second right"
    wait_for test -e cache/snap_3/snap_3.hdf5
    [ ! -e cache/"$first"/"$first".hdf5 ]
    [ ! -e cache/snap_4 ]
    : >go
    wait_for has_read end
    all_read
    most 2 $((2 * ONE + 20000))
    nothing_left cache
}

@test "a budget" {
    : >go
    # for one exactly, for hardly two, for three
    for budget in $ONE $((2 * ONE - 1)) $((2 * ONE + 5000)) 1M; do
        for jobs in 1 3; do
            : >log
            watch_peak cache
            iris-fetch "${config[@]}" --cache=cache --budget=$budget -j $jobs list.tsv | reader cache
            [ "${PIPESTATUS[*]}" = "0 0" ]
            all_read
            [ "$budget" != 1M ] || budget=1048576
            most 5 $budget
            nothing_left cache
        done
    done
    # window and budget
    : >log
    watch_peak cache
    iris-fetch "${config[@]}" --cache=cache --budget=1M --window=2 list.tsv | reader cache
    all_read
    most 2 1048576
}

@test "a budget that is too small for one of them" {
    : >go
    head -c $((2 * ONE)) /dev/urandom >"$there/snap_2.hdf5"
    iris-list --remote=far "${config[@]}" -o list.tsv "$there"
    watch_peak cache
    status=0
    iris-fetch "${config[@]}" --cache=cache --budget=$((ONE + 10000)) list.tsv 2>err | reader cache ||
        status=${PIPESTATUS[0]}
    [ "$status" = 0 ] # of the reader
    [ "$(sort log | tr '\n' ' ')" = "end snap_1 right snap_2 none snap_3 right snap_4 right snap_5 right " ]
    stderr=$(<err) one_sentence iris-fetch
    grep -q snap_2 err
    most 5 $((ONE + 10000))
    # alone it tells by its status
    run -74 --separate-stderr bash -c 'iris-fetch "$@" | cat >/dev/null; exit ${PIPESTATUS[0]}' fetch \
        "${config[@]}" --cache=other --budget=1000 list.tsv
}

@test "what fails, and what needs no copy, takes no room" {
    : >go
    rm "$there/snap_2.hdf5"
    perl -pe 's/\n/ todo:u32\n/ if /^##columns/; s/\n/\ttodo\n/ if /^#[^#]/; s/\n/\t@{[$n++ != 3 || 0]}\n/ if !/^#/' list.tsv >todo.tsv
    ended iris-fetch "${config[@]}" --cache=cache --window=1 todo.tsv | perl -pe '$| = 1; s/^([^#].*)\t[01]\t(\S+)$/$1\t$2/' | reader cache
    [ "$(<status)" = 74 ]
    stderr=$(<err) one_sentence iris-fetch
    [ "$(sort log | tr '\n' ' ')" = "end snap_1 right snap_2 none snap_3 right snap_4 none snap_5 right " ]
    nothing_left cache
}

# fetch_ends: with 75, soon, and nothing of it is left
fetch_ends() {
    local begin=$SECONDS
    wait_for test -s status
    [ "$(<status)" = 75 ] || { cat err status; return 1; }
    [ $((SECONDS - begin)) -le 15 ]
    stderr=$(<err) one_sentence iris-fetch
    no_near_soon ssh iris-fetch
    rm -f status
}

@test "a reader that goes away" {
    far_wire far -r 200K
    # while a copy comes
    ended iris-fetch "${config[@]}" --cache=cache --window=2 list.tsv 3>&- | { wait_for far_has_sent 100000; } 3>&-
    fetch_ends
    # with another one having begun, after the first row
    ended iris-fetch "${config[@]}" --cache=cache --window=2 -j 2 list.tsv 3>&- | grep -m 1 '^snap_1' >/dev/null 3>&-
    fetch_ends
}

@test "a reader that goes away while there is no room" {
    ended iris-fetch "${config[@]}" --cache=cache --window=2 list.tsv 3>&- | { wait_for test -e cache/snap_2/snap_2.hdf5; } 3>&-
    fetch_ends
    ended iris-fetch "${config[@]}" --cache=cache --budget=$ONE list.tsv 3>&- | { wait_for test -e cache/snap_1/snap_1.hdf5; } 3>&-
    fetch_ends
    # nor is anything awaited from a manifest that does not come
    mkfifo never
    exec 8<>never
    ended iris-fetch "${config[@]}" --cache=cache --window=2 - 3>&- 8>&- <never | true
    exec 8>&-
    wait_for test -s status
    no_near_soon iris-fetch
}

@test "asked to end while there is no room" {
    { ended iris-fetch "${config[@]}" --cache=cache --window=1 list.tsv & echo $! >pid; wait; } 3>&- |
        reader cache 3>&- &
    wait_for has_read "snap_1 right"
    kill -TERM "$(near iris-fetch)"
    fetch_ends
    : >go
    wait_for has_read end
}

@test "killed in the middle of a window, it goes on" {
    far_wire far -r 100K
    setsid iris-fetch "${config[@]}" --cache=cache --window=2 list.tsv 2>/dev/null 3>&- | reader cache 3>&- &
    : >go.snap_1
    wait_for has_read "snap_2 right"
    wait_for test -e cache/snap_3/snap_3.hdf5.tmp
    kill -KILL "$(near iris-fetch)"
    : >go # its reader sees the end, and drops what it has
    wait_for has_read end
    no_near_soon ssh wire
    sed -i 's/ -r 100K//' "$FAR/config"
    # what was of another list is removed, what is asked for is used
    mkdir -p cache/snap_9
    echo old >cache/snap_9/snap_9.hdf5
    echo mine >cache/notes.txt
    echo mine >cache/snap_9/notes.txt
    rows list.tsv '$skip = $n < 3' >rest.tsv
    : >log
    iris-fetch "${config[@]}" --cache=cache --window=2 rest.tsv | reader cache
    [ "$(sort log | tr '\n' ' ')" = "end snap_3 right snap_4 right snap_5 right " ]
    [ ! -e cache/snap_9/snap_9.hdf5 ]
    [ "$(cat cache/notes.txt)" = mine ]
}

@test "one cache is for one window" {
    iris-fetch "${config[@]}" --cache=cache --window=2 list.tsv 2>err 3>&- | reader cache 3>&- &
    wait_for has_read "snap_1 right"
    run -75 --separate-stderr bash -c 'iris-fetch "$@" | cat; exit ${PIPESTATUS[0]}' fetch "${config[@]}" \
        --cache=cache --window=2 list.tsv
    one_sentence iris-fetch
    [[ $stderr == *"'cache'"* ]]
    [ -e cache/snap_1/snap_1.hdf5 ]
    : >go
    wait_for has_read end
    all_read
    [ ! -s err ]
}

# ---- a private cache ----
# It is gone with iris-fetch, unless iris-gen holds it: the last copies are not for
# these readers.

@test "a private cache is gone in the end" {
    iris-fetch "${config[@]}" list.tsv 2>err 3>&- | tee rows | reader 3>&- &
    wait_for has_read "snap_1 right"
    private=$(column local rows | head -1)
    private=${private%/*/*}
    [[ $private == /dev/shm/iris-$(id -u)-?????? ]]
    [ "$(stat -c '%a %u' "$private")" = "700 $(id -u)" ]
    # two at a time
    wait_for test -e "$private/snap_2/snap_2.hdf5"
    [ ! -e "$private/snap_3" ]
    : >go
    wait_for has_read end
    has_read "snap_3 right"
    wait_for test ! -e "$private"
    [ ! -s err ]
    # it is of no use to one who reads rows from a file
    for out in -o /dev/stdout; do
        run -64 --separate-stderr bash -c 'iris-fetch "$@" >fetched.tsv' fetch "${config[@]}" list.tsv
        one_sentence iris-fetch
    done
    run -64 --separate-stderr iris-fetch "${config[@]}" -o fetched.tsv list.tsv
    one_sentence iris-fetch
}

# The next one, that is, or who else has one on this machine meanwhile.
@test "a private cache of those who were killed is removed by the next one" {
    setsid iris-fetch "${config[@]}" list.tsv 2>/dev/null 3>&- | tee rows | reader 3>&- &
    wait_for has_read "snap_1 right"
    private=$(column local rows | head -1)
    private=${private%/*/*}
    # one that is in use stays
    : >go.snap_0
    iris-fetch "${config[@]}" list.tsv 3>&- | sed '/^snap_1/q' >first
    second=$(column local first)
    second=${second%/*/*}
    [ "$second" != "$private" ]
    [ -e "$private/snap_1/snap_1.hdf5" ]
    wait_for test ! -e "$second"
    # killed, with its reader
    end "$(near iris-fetch)" "$(jobs -p)"
    no_near_soon ssh wire
    # somebody else's is none of its business
    mkdir "/dev/shm/iris-$(id -u)-$$$$"
    echo mine >"/dev/shm/iris-$(id -u)-$$$$/file"
    : >go
    : >log
    iris-fetch "${config[@]}" list.tsv | reader
    has_read "snap_3 right"
    [ ! -e "$private" ]
    [ "$(cat "/dev/shm/iris-$(id -u)-$$$$/file")" = mine ]
    private="/dev/shm/iris-$(id -u)-$$$$"
}

@test "stopped or without a reader, a private cache is gone as well" {
    far_wire far -r 200K
    for how in TERM reader; do
        rm -f "$FAR/count"
        ended iris-fetch "${config[@]}" list.tsv 3>&- | { cat >rows & wait_for far_has_sent 100000; private >private; } 3>&- &
        wait_for test -s private
        [ -d "$(<private)" ]
        if [ $how = TERM ]; then
            kill -TERM "$(near iris-fetch)"
        else
            end "$(near cat)"
        fi
        fetch_ends
        [ ! -e "$(<private)" ]
        rm private
    done
}
