#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Two snapshots of one file, one of three files, and their list.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s writer_hyper.points_per_snapshot=2 >hyper.json
    snapshots 2
    iris-mock -o snaps/snapdir_003 --cells=3000 --seed=3 --files=3
    touch -d '2001-02-03 04:05:06.789012345' snaps/snap_001.hdf5
    iris-list -o list.tsv snaps
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cp -a "$BATS_FILE_TMPDIR"/{hyper.json,snaps,list.tsv} "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

teardown() {
    cd "$BATS_TEST_TMPDIR"
    ! mountpoint -q work/full 2>/dev/null || umount work/full
}

# times and inodes of all that is below a directory
state_of() {
    find "$1" -printf '%p %y %T@ %i %s\n' | sort
}

# copied CACHE: the whole list is in it, and nothing else
copied() {
    cmp snaps/snap_001.hdf5 "$1/snap_001/snap_001.hdf5"
    cmp snaps/snap_002.hdf5 "$1/snap_002/snap_002.hdf5"
    diff -r snaps/snapdir_003 "$1/snap_003"
    # but for what those have left who read from it
    [ "$(find "$1" -type f ! -name .iris-readers | wc -l)" = 6 ]
    [ -z "$(find "$1" -name '*.tmp*')" ]
}

# ---- command line ----

@test "help and version" {
    run -0 --separate-stderr iris-fetch --help
    [[ $output == "usage: iris-fetch "* ]]
    [ -z "$stderr" ]
    run -0 --separate-stderr iris-fetch -h
    run -0 --separate-stderr iris-fetch --version
    [[ $output == "iris-fetch (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-fetch
}

@test "wrong command lines" {
    usage_error() {
        run -64 --separate-stderr iris-fetch "$@"
        one_sentence iris-fetch
        [ -z "$output" ]
    }
    # a list in a file outlives a cache that is gone with the run
    usage_error --copy -o fetched.tsv list.tsv
    [[ $stderr == *"--cache"* ]]
    usage_error --drop=snap_001
    for option in --window=0 --window=two --budget=0 --budget=1X --jobs=0 -j65 --retries=-1 \
        --verify=md5 --port=0 --port=65536 --timeout=0 --timeout=soon; do
        usage_error --cache=cache "$option" list.tsv
    done
    # nobody would make room
    usage_error --cache=cache --window=2 -o fetched.tsv list.tsv
    run -64 --separate-stderr bash -c 'iris-fetch --cache=cache --window=2 list.tsv >fetched.tsv'
    one_sentence iris-fetch
    [[ $stderr == *"--window"* ]]
    usage_error --cache=cache list.tsv more.tsv
    [[ $stderr == *"'more.tsv'"* ]]
    usage_error --cache=cache --unknown list.tsv
    usage_error list.tsv --cache
    usage_error --cache=cache --drop=snap_001 list.tsv
    for id in '' . .. ../snaps /etc a/b .iris-cache 'a b' "$(printf 'a%.0s' {1..201})"; do
        usage_error --cache=cache --drop="$id"
    done
    [ ! -e cache ]
}

@test "a terminal is no manifest" {
    run script -qec "iris-fetch --cache=cache; echo status \$?" /dev/null </dev/null
    [[ $output == *"no input: name a file, or pipe one in"*"status 64"* ]]
}

@test "missing and wrong manifests" {
    run -74 --separate-stderr iris-fetch --cache=cache --copy missing.tsv
    one_sentence iris-fetch
    run -65 --separate-stderr iris-fetch --cache=cache --copy hyper.json
    one_sentence iris-fetch
    [[ $stderr == "iris-fetch: hyper.json:1: "* ]]
    sed 's/^##iris-manifest 1 snapshots/##iris-manifest 1 entries/' list.tsv >entries.tsv
    run -65 --separate-stderr iris-fetch --cache=cache --copy entries.tsv
    one_sentence iris-fetch
    sed 's/^##rows .*/##rows 5/' list.tsv >rows.tsv
    run -65 --separate-stderr iris-fetch --cache=cache --copy rows.tsv
    one_sentence iris-fetch
    head -c -20 list.tsv >short.tsv
    run -65 --separate-stderr iris-fetch --cache=cache --copy short.tsv
    one_sentence iris-fetch
    [ ! -e cache ]
}

@test "a row's snapshot is no way out of the cache" {
    for id in .. ../out a/b /tmp .iris-cache; do
        rows list.tsv '$f{snapshot} = "'"$id"'" if $n == 1' >bad.tsv
        run -65 --separate-stderr iris-fetch --cache=cache --copy bad.tsv
        one_sentence iris-fetch
    done
    [ "$(ls)" = "bad.tsv
cache
hyper.json
list.tsv
snaps" ]
    [ "$(ls cache)" = "snap_002
snap_003" ]
}

# ---- what is on this machine ----

@test "local snapshots pass through" {
    before=$(state_of snaps)
    run -0 --separate-stderr iris-fetch --cache=cache list.tsv
    [ -z "$stderr" ]
    [ ! -e cache ]
    [ "${lines[0]}" = "##iris-manifest 1 fetched" ]
    [ "${lines[-1]}" = "##rows 3" ]
    echo "$output" >fetched.tsv
    cmp <(column local fetched.tsv) <(column path list.tsv)
    for name in snapshot index path files bytes mtime remote; do
        cmp <(column $name fetched.tsv) <(column $name list.tsv)
    done
    iris-fetch --cache=cache - <list.tsv | cmp - fetched.tsv
    cat list.tsv | iris-fetch --cache=cache | cmp - fetched.tsv
    iris-fetch --cache=cache -o o.tsv list.tsv
    cmp o.tsv fetched.tsv
    # and what was fetched can be fetched
    iris-fetch --cache=cache fetched.tsv | cmp - fetched.tsv
    [ "$before" = "$(state_of snaps)" ]
    [ ! -e cache ]
    no_leftovers
}

@test "--copy copies, sets too" {
    before=$(find snaps -printf '%p %y %T@ %i %s\n' | sort)
    run -0 --separate-stderr iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    [ -z "$output$stderr" ]
    copied cache
    [ "$(column local fetched.tsv | tr '\n' ' ')" = \
        "cache/snap_001/snap_001.hdf5 cache/snap_002/snap_002.hdf5 cache/snap_003/snap_003.0.hdf5 " ]
    cmp <(column path fetched.tsv) <(column path list.tsv)
    cmp <(column snapshot fetched.tsv) <(column snapshot list.tsv)
    [ "$before" = "$(state_of snaps)" ]
    # a copy has the time of its source, to the nanosecond, and is not its other name
    [[ $(stat -c %.9Y cache/snap_001/snap_001.hdf5) == *.789012345 ]]
    for k in 0 1 2; do
        [ "$(stat -c %.9Y snaps/snapdir_003/snap_003.$k.hdf5)" = "$(stat -c %.9Y cache/snap_003/snap_003.$k.hdf5)" ]
    done
    [ "$(find cache -type f -links +1 | wc -l)" = 0 ]
    # a directory deep down is made, an empty one is taken
    iris-fetch --cache=a/b/c --copy -o deep.tsv list.tsv
    copied a/b/c
    mkdir empty
    iris-fetch --cache=empty/ --copy -o e.tsv list.tsv
    copied empty
}

@test "a copy that is there is not made again" {
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    before=$(state_of cache)
    iris-fetch --cache=cache --copy list.tsv | cmp - fetched.tsv
    iris-fetch --cache=cache --copy fetched.tsv | cmp - fetched.tsv
    [ "$before" = "$(state_of cache)" ]
    # one that is missing is, and only that
    mv cache/snap_003/snap_003.1.hdf5 old # which keeps its inode from coming again
    iris-fetch --cache=cache --copy list.tsv | cmp - fetched.tsv
    copied cache
    [ "$(comm -13 <(echo "$before") <(state_of cache) | cut -d' ' -f1 | tr '\n' ' ')" = \
        "cache/snap_003 cache/snap_003/snap_003.1.hdf5 " ]
}

@test "a source that has changed is copied again" {
    inode() {
        stat -c %i "cache/$1"
    }
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    one=$(inode snap_001/snap_001.hdf5) two=$(inode snap_002/snap_002.hdf5) part=$(inode snap_003/snap_003.2.hdf5)
    # another size, with the old time
    touch -r snaps/snap_001.hdf5 time
    echo more >>snaps/snap_001.hdf5
    touch -r time snaps/snap_001.hdf5
    # another time, and bytes that one cannot see from outside
    flip snaps/snapdir_003/snap_003.2.hdf5 -100
    touch -d '2002-02-02 02:02:02' snaps/snapdir_003/snap_003.2.hdf5
    iris-fetch --cache=cache --copy -o again.tsv list.tsv
    copied cache
    [ "$(inode snap_001/snap_001.hdf5)" != "$one" ]
    [ "$(inode snap_002/snap_002.hdf5)" = "$two" ]
    [ "$(inode snap_003/snap_003.2.hdf5)" != "$part" ]
    # an older time is another time as well, and so is a fraction of a second
    two=$(inode snap_002/snap_002.hdf5)
    flip snaps/snap_002.hdf5 -100
    touch -d '1999-01-01' snaps/snap_002.hdf5
    iris-fetch --cache=cache --copy -o again.tsv list.tsv
    copied cache
    flip snaps/snap_002.hdf5 -101
    touch -d '1999-01-01 00:00:00.000000001' snaps/snap_002.hdf5
    iris-fetch --cache=cache --copy -o again.tsv list.tsv
    copied cache
}

@test "rows come in the order of the manifest" {
    { grep '^#' list.tsv | grep -v '^##rows'; grep -v '^#' list.tsv | tac; } >reversed.tsv
    for option in "" --copy; do
        iris-fetch --cache=cache $option reversed.tsv | column snapshot - | tr '\n' ' ' |
            grep -qx 'snap_003 snap_002 snap_001 '
    done
}

@test "columns that it does not know are kept" {
    perl -pe 's/\n/ todo:u32\n/ if /^##columns/; s/\n/\ttodo\n/ if /^#[^#]/; s/\n/\t@{[++$n]}\n/ if !/^#/' list.tsv >more.tsv
    iris-fetch --cache=cache --copy -o fetched.tsv more.tsv
    [ "$(column todo fetched.tsv | tr '\n' ' ')" = "1 2 3 " ]
    [ "$(column local fetched.tsv | sed -n 2p)" = cache/snap_002/snap_002.hdf5 ]
}

@test "an empty list" {
    rows list.tsv '$skip = 1' >none.tsv
    run -0 --separate-stderr iris-fetch --cache=cache --copy none.tsv
    [ "${lines[0]}" = "##iris-manifest 1 fetched" ]
    [ "${lines[-1]}" = "##rows 0" ]
    [ -z "$stderr" ]
}

@test "--dry-run" {
    run -0 --separate-stderr iris-fetch --cache=cache --copy --dry-run -o fetched.tsv list.tsv
    [ -z "$output" ]
    [[ $stderr == *"3 snapshots"* ]]
    [ ! -e cache ]
    [ ! -e fetched.tsv ]
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    before=$(state_of cache)
    run -0 --separate-stderr iris-fetch --cache=cache --drop=snap_001 --dry-run
    [ "$before" = "$(state_of cache)" ]
}

@test "iris-gen reads the copies" {
    iris-gen -H hyper.json -t simple -d direct -o direct.tsv list.tsv
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    mv snaps gone
    iris-gen -H hyper.json -t simple -d D -o entries.tsv fetched.tsv
    cmp entries.tsv direct.tsv
    same_data D direct
    mv gone snaps
    iris-fetch --cache=cache list.tsv | iris-gen -H hyper.json -t simple -d E | cmp - direct.tsv
    iris-fetch --cache=cache --copy list.tsv | iris-gen -H hyper.json -t simple -d F - | cmp - direct.tsv
}

# ---- what goes wrong ----

@test "a directory that is not ours" {
    mkdir mine
    echo precious >mine/file
    before=$(state_of mine)
    run -65 --separate-stderr iris-fetch --cache=mine --copy list.tsv
    one_sentence iris-fetch
    [[ $stderr == *"'mine'"* ]]
    [ -z "$output" ]
    mkdir -p hidden/.git
    run -65 --separate-stderr iris-fetch --cache=hidden --copy list.tsv
    run -74 --separate-stderr iris-fetch --cache=hyper.json --copy list.tsv
    one_sentence iris-fetch
    run -74 --separate-stderr iris-fetch --cache=hyper.json/cache --copy list.tsv
    one_sentence iris-fetch
    [ "$before" = "$(state_of mine)" ]
    [ "$(ls -A hidden)" = .git ]
}

@test "a cache whose marker was begun only" {
    mkdir cache
    : >cache/.iris-cache.tmp
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    copied cache
    # that is no licence for anything else
    mkdir mine
    : >mine/.iris-cache.tmp
    echo precious >mine/file
    run -65 --separate-stderr iris-fetch --cache=mine --copy list.tsv
    run -65 --separate-stderr iris-fetch --cache=mine --drop=file
    [ "$(cat mine/file)" = precious ]
}

@test "a source that is missing keeps its row, and the others are fetched" {
    rm snaps/snap_001.hdf5
    run -74 --separate-stderr iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    one_sentence iris-fetch
    [[ $stderr == *"snap_001.hdf5"*"No such file"* ]]
    [ "$(column snapshot fetched.tsv | tr '\n' ' ')" = "snap_001 snap_002 snap_003 " ]
    [ "$(column local fetched.tsv | tr '\n' ' ')" = ". cache/snap_002/snap_002.hdf5 cache/snap_003/snap_003.0.hdf5 " ]
    [ "$(tail -1 fetched.tsv)" = "##rows 3" ]
    cmp snaps/snap_002.hdf5 cache/snap_002/snap_002.hdf5
    diff -r snaps/snapdir_003 cache/snap_003
    [ -z "$(find cache/snap_001 -type f)" ]
    # one file of a set
    rm -r cache && rm snaps/snapdir_003/snap_003.1.hdf5
    run -74 --separate-stderr iris-fetch --cache=cache --copy list.tsv
    one_sentence iris-fetch
    [[ $stderr == *"snap_001.hdf5"* ]]
    echo "$output" >fetched.tsv
    [ "$(column local fetched.tsv | tr '\n' ' ')" = ". cache/snap_002/snap_002.hdf5 . " ]
    # iris-gen says so of each
    run -1 --separate-stderr iris-gen -H hyper.json -t simple -d D fetched.tsv
    [ "$(echo "$output" | column state - | tr '\n' ' ')" = "failed failed raw raw failed failed " ]
    # back again, the same command ends right
    cp -a "$BATS_FILE_TMPDIR/snaps" .
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    copied cache
    no_leftovers
}

@test "a source that is no file" {
    rm snaps/snap_002.hdf5
    mkdir snaps/snap_002.hdf5
    run -74 --separate-stderr iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    one_sentence iris-fetch
    [[ $stderr == *"snap_002.hdf5"* ]]
    [ "$(column local fetched.tsv | sed -n 2p)" = . ]
    cmp snaps/snap_001.hdf5 cache/snap_001/snap_001.hdf5
    no_leftovers
}

@test "a full disk is noticed" {
    run -74 --separate-stderr bash -c "iris-fetch --cache=cache list.tsv >/dev/full"
    one_sentence iris-fetch
    run -74 --separate-stderr bash -c "iris-fetch --cache=cache --copy list.tsv >/dev/full"
    one_sentence iris-fetch
    run -74 --separate-stderr bash -c "iris-fetch --help >/dev/full"
    mkdir full
    mount -t tmpfs -o size=400k tmpfs full 2>/dev/null || skip "no right to mount"
    # room for one of the files, about, not for all
    run -74 --separate-stderr iris-fetch --cache=full/cache --copy -o fetched.tsv list.tsv
    one_sentence iris-fetch
    [[ $stderr == *"o space left on device"* || $stderr == *"no room"* ]]
    for copy in $(cd full/cache && find . -name '*.hdf5'); do
        case $copy in
        */snap_003.*) cmp "full/cache/$copy" "snaps/snapdir_003/$(basename "$copy")" ;;
        *) cmp "full/cache/$copy" "snaps/$(basename "$copy")" ;;
        esac
    done
    [ "$(find full/cache -name '*.hdf5' | wc -l)" -lt 5 ]
    [ "$(column local fetched.tsv | grep -cx '[.]')" -ge 1 ]
    [ -z "$(find full -name '*.tmp*')" ]
    # no room even for one
    umount full
    mount -t tmpfs -o size=64k tmpfs full
    run -74 --separate-stderr iris-fetch --cache=full/cache --copy list.tsv
    one_sentence iris-fetch
    [ -z "$(find full/cache -name '*.hdf5*')" ]
    # nor for the manifest
    umount full
    mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs full
    run -74 --separate-stderr iris-fetch --cache=cache --copy -o full/fetched.tsv list.tsv
    one_sentence iris-fetch
    [ -z "$(ls full)" ]
}

@test "killed in the middle, the same command ends right" {
    local size=64
    while :; do
        rm -rf cache fetched.tsv
        head -c ${size}M /dev/urandom >snaps/snap_002.hdf5
        ! killed_when '[ -e cache/snap_002/snap_002.hdf5.tmp ]' \
            iris-fetch --cache=cache --copy -o fetched.tsv list.tsv ||
            [ ! -e cache/snap_002/snap_002.hdf5.tmp ] || break
        size=$((2 * size))
        [ "$size" -le 1024 ] || { echo "never in the middle"; return 1; }
    done
    [ ! -e cache/snap_002/snap_002.hdf5 ]
    [ ! -e fetched.tsv ]
    cmp snaps/snap_001.hdf5 cache/snap_001/snap_001.hdf5
    inode=$(stat -c %i cache/snap_001/snap_001.hdf5)
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    copied cache
    [ "$inode" = "$(stat -c %i cache/snap_001/snap_001.hdf5)" ]
    no_leftovers
}

@test "two at once do not mix" {
    head -c 32M /dev/urandom >snaps/snap_002.hdf5
    a=0 b=0
    iris-fetch --cache=cache --copy -o a.tsv list.tsv 2>a.err 3>&- &
    iris-fetch --cache=cache --copy -o b.tsv list.tsv 2>b.err || b=$?
    wait $! || a=$?
    # each of them is done, or has met a snapshot that the other was at: run again
    for status in $a $b; do
        [ "$status" = 0 ] || [ "$status" = 75 ] || { cat a.err b.err; return 1; }
    done
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    copied cache
    no_leftovers
}

@test "stopped by a signal" {
    head -c 64M /dev/urandom >snaps/snap_001.hdf5
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv 2>err 3>&- &
    until [ -e cache/snap_001/snap_001.hdf5.tmp ] || [ -e fetched.tsv ]; do :; done
    kill -TERM $!
    status=0
    wait $! || status=$?
    [ "$status" = 75 ] || { cat err; return 1; }
    [ ! -e fetched.tsv ]
    [ ! -e cache/snap_003 ]
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    copied cache
    no_leftovers
}

# ---- --drop ----

@test "--drop removes one copy" {
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    rest() {
        find cache snaps -not -path 'cache/snap_003*' -not -path cache -printf '%p %y %T@ %i %s\n' | sort
    }
    before=$(rest)
    run -0 --separate-stderr iris-fetch --cache=cache --drop=snap_003
    [ -z "$output$stderr" ]
    [ ! -e cache/snap_003 ]
    [ "$before" = "$(rest)" ]
    # what is not there is no error
    run -0 --separate-stderr iris-fetch --cache=cache --drop=snap_003
    run -0 --separate-stderr iris-fetch --cache=cache --drop=snap_00
    [ -z "$output$stderr" ]
    [ "$before" = "$(rest)" ]
    # the rest of a copy that was interrupted, too
    mkdir cache/snap_003
    echo half >cache/snap_003/snap_003.0.hdf5.tmp
    iris-fetch --cache=cache --drop=snap_003
    [ ! -e cache/snap_003 ]
    # all of them: an empty cache, which is still one
    iris-fetch --cache=cache --drop=snap_001
    iris-fetch --cache=cache --drop=snap_002
    [ "$(ls -A cache)" = .iris-cache ]
    iris-fetch --cache=cache --copy list.tsv | cmp - fetched.tsv
    copied cache
}

@test "--drop follows no link" {
    iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    mkdir -p outside/deep
    echo precious | tee outside/file outside/snap_001.hdf5 outside/deep/file >/dev/null
    before=$(state_of outside)
    # in the copy
    ln -s ../../outside cache/snap_001/link
    ln -s ../../outside/file cache/snap_001/file
    run --separate-stderr iris-fetch --cache=cache --drop=snap_001
    [ "$status" = 0 ] || { [ "$status" = 74 ] && one_sentence iris-fetch; }
    [ "$before" = "$(state_of outside)" ]
    # in the place of the copy
    for target in ../outside "$PWD/outside" snap_002 . .. ../missing; do
        ln -s "$target" cache/other
        run -74 --separate-stderr iris-fetch --cache=cache --drop=other
        one_sentence iris-fetch
        rm cache/other
    done
    [ "$before" = "$(state_of outside)" ]
    cmp snaps/snap_002.hdf5 cache/snap_002/snap_002.hdf5
    # a directory within the copy is not ours either
    mkdir -p cache/snap_002/deep
    echo precious >cache/snap_002/deep/file
    run -74 --separate-stderr iris-fetch --cache=cache --drop=snap_002
    one_sentence iris-fetch
    [ "$(cat cache/snap_002/deep/file)" = precious ]
    # nor is a file in its place
    echo precious >cache/note
    run -74 --separate-stderr iris-fetch --cache=cache --drop=note
    one_sentence iris-fetch
    [ "$(cat cache/note)" = precious ]
}

@test "--drop refuses what is no cache" {
    mkdir -p mine/snap_001
    cp snaps/snap_001.hdf5 mine/snap_001
    before=$(state_of mine)
    run -65 --separate-stderr iris-fetch --cache=mine --drop=snap_001
    one_sentence iris-fetch
    [[ $stderr == *"'mine'"* ]]
    run -65 --separate-stderr iris-fetch --cache=. --drop=snaps
    [ "$before" = "$(state_of mine)" ]
    [ -e snaps/snap_001.hdf5 ]
    run --separate-stderr iris-fetch --cache=missing --drop=snap_001
    [ "$status" != 0 ]
    one_sentence iris-fetch
    [ ! -e missing ]
}

@test "a snapshot with nothing to do is passed on without a copy" {
    iris-list -o one.tsv snaps/snap_001.hdf5
    iris-gen -H hyper.json -t simple -d D -o e.tsv one.tsv
    iris-gen --plan -H hyper.json -t simple -d D -o plan.tsv list.tsv
    iris-fetch --cache=C --copy -o fetched.tsv plan.tsv
    [ ! -e C/snap_001 ]
    [ -e C/snap_002/snap_002.hdf5 ]
    rm snaps/snap_001.hdf5
    iris-gen -H hyper.json -t simple -d D -o all.tsv fetched.tsv
    [ "$(grep -c '^[^#]' all.tsv)" = 6 ]
}

@test "a row goes out as soon as its snapshot is there" {
    mkfifo snaps/snap_002.pipe
    awk -F'\t' -v OFS='\t' '$1 == "snap_002" { $3 = "snaps/snap_002.pipe" } 1' list.tsv >slow.tsv
    # a source that does not answer: opening a pipe waits for its writer
    iris-fetch --cache=C --copy slow.tsv >out.tsv 3>&- &
    wait_for grep -q '^snap_001' out.tsv
    ! grep -q '^##rows' out.tsv || false
    kill -KILL $!
    wait $! || true
}

@test "a link that stands where a copy belongs is not followed" {
    mkdir elsewhere
    iris-fetch --cache=C --copy -o fetched.tsv list.tsv
    rm -r C/snap_001
    ln -s "$PWD/elsewhere" C/snap_001
    run -74 --separate-stderr iris-fetch --cache=C --copy -o again.tsv list.tsv
    one_sentence iris-fetch
    [[ $stderr == *"'C/snap_001' is not a directory of the cache" ]]
    [ -z "$(ls elsewhere)" ]
}

@test "a cache that is not there has nothing to drop" {
    run -74 --separate-stderr iris-fetch --cache=nowhere --drop=snap_001
    one_sentence iris-fetch
}

@test "a name with a line end makes one line of a message" {
    run -74 --separate-stderr iris-fetch --cache=C $'two\nlines.tsv'
    one_sentence iris-fetch
    [[ $stderr == *'two\x0alines.tsv'* ]]
}

# ---- several rows of one snapshot ----

# swept N LIST: every row N times, with the numbers 1 to N in a column of settings
swept() {
    awk -F'\t' -v n="$1" 'BEGIN { OFS = FS }
        /^##columns/ { print $0 " set:cube_hyper.v_steps:i64"; next }
        /^##rows/ { next }
        /^##/ { print; next }
        /^#/ { print $0, "set:cube_hyper.v_steps"; next }
        { for (i = 1; i <= n; i++) print $0, i }' "$2"
}

# pairs LIST: snapshots with their settings
pairs() {
    paste -d' ' <(column snapshot "$1") <(column set:cube_hyper.v_steps "$1")
}

# takes_together CACHE: a reader that takes what there is in the pipe at a time, looks
# at the copies and drops them; ./taken has the ids of each time with their numbers of
# rows, ./wrong what is not right
takes_together() {
    perl -e '
        my ($cache, $text) = (shift, "");
        open my $taken, ">", "taken" or die;
        open my $wrong, ">", "wrong" or die;
        my %dropped;
        while (sysread STDIN, my $chunk, 1 << 20) {
            my (%rows, @order);
            for (split /^/, $chunk) {
                print $wrong "cut: $_\n" unless /\n\z/;
                next if /^#/;
                chomp(my ($id, $path, $local) = (split /\t/)[0, 2, -1]);
                push @order, $id unless $rows{$id}++;
                next if $local eq "."; # nothing to remove, so these may come one by one
                print $wrong "$id again\n" if $dropped{$id};
                print $wrong "$id: no $local\n" unless -f $local and -s $path == -s $local;
            }
            for (@order) {
                print $taken "$_ $rows{$_}\n";
                system("iris-fetch", "--cache=$cache", "--drop=$_") and print $wrong "drop $_\n";
                $dropped{$_} = 1;
            }
        }' "$1"
}

@test "rows of one snapshot have one copy" {
    swept 3 list.tsv >swept.tsv
    iris-fetch --cache=once --copy -v -o fetched.tsv list.tsv 2>bytes
    for options in "" "-j 4" "--budget=$(column bytes list.tsv | awk "{ n += \$1 } END { print n }")"; do
        run -0 --separate-stderr iris-fetch --cache=cache --copy -v $options -o fetched.tsv swept.tsv
        [ "$stderr" = "$(cat bytes)" ]
        copied cache
        cmp <(pairs swept.tsv) <(pairs fetched.tsv)
        cmp <(column path swept.tsv) <(column path fetched.tsv)
        [ "$(column local fetched.tsv | uniq -c | awk '{ print $1, $2 }' | paste -sd,)" = \
            "3 cache/snap_001/snap_001.hdf5,3 cache/snap_002/snap_002.hdf5,3 cache/snap_003/snap_003.0.hdf5" ]
        iris-fetch --cache=cache --copy $options swept.tsv | sort | diff - <(sort fetched.tsv)
        rm -r cache
    done
    # where nothing is copied they pass as they are
    iris-fetch --cache=cache swept.tsv >fetched.tsv
    cmp <(column path swept.tsv) <(column local fetched.tsv)
    cmp <(pairs swept.tsv) <(pairs fetched.tsv)
    [ ! -e cache ]
    run -0 --separate-stderr iris-fetch --cache=cache --copy --dry-run swept.tsv
    [[ $stderr == *"3 snapshots"* ]]
}

@test "rows of one snapshot that are apart" {
    swept 2 list.tsv >swept.tsv
    { cat swept.tsv; swept 3 list.tsv | rows /dev/stdin '$f{"set:cube_hyper.v_steps"} += 2' | grep -v '^##rows'; } >apart.tsv
    [ "$(pairs apart.tsv | wc -l)" = 15 ]
    # in a file they keep their order
    for options in "" "-j 3"; do
        run -0 --separate-stderr iris-fetch --cache=cache --copy $options -o fetched.tsv apart.tsv
        [ -z "$stderr" ]
        copied cache
        cmp <(pairs apart.tsv) <(pairs fetched.tsv)
        [ "$(column local fetched.tsv | sort | uniq -c | awk '{ print $1 }' | paste -sd' ')" = "5 5 5" ]
        rm -r cache
    done
    # with a reader they come with the first, for the copy may be gone later
    iris-fetch --cache=cache --copy apart.tsv | cat >fetched.tsv
    cmp <(pairs apart.tsv | sort -s -k1,1) <(pairs fetched.tsv)
    [ "$(column local fetched.tsv | sort | uniq -c | awk '{ print $1 }' | paste -sd' ')" = "5 5 5" ]
    [ "$(tail -1 fetched.tsv)" = "##rows 15" ]
    iris-fetch --cache=cache --copy --window=1 apart.tsv | takes_together cache
    [ "$(paste -sd, taken)" = "snap_001 5,snap_002 5,snap_003 5" ]
    [ ! -s wrong ]
    # passed through, they have no copy to lose
    iris-fetch apart.tsv | cat >fetched.tsv
    cmp <(pairs apart.tsv) <(pairs fetched.tsv)
}

@test "rows of one snapshot take room once, and are seen together" {
    largest=$(column bytes list.tsv | sort -n | tail -1)
    all=$(column bytes list.tsv | awk "{ n += \$1 } END { print n }")
    # of 60 rows there is more than a pipe has always room for
    for n in 2 60 300; do
        swept $n list.tsv >swept.tsv
        for options in --window=1 "--window=2 -j 3" "--window=3 -j 2" --budget=$largest "--budget=$all -j 3"; do
            iris-fetch --cache=cache --copy $options swept.tsv | takes_together cache
            [ "${PIPESTATUS[*]}" = "0 0" ]
            cat wrong
            [ ! -s wrong ]
            [ "$(sort taken | paste -sd,)" = "snap_001 $n,snap_002 $n,snap_003 $n" ]
            [ -z "$(find cache -name '*.hdf5*')" ]
        done
    done
}

@test "rows of one snapshot, some with nothing to do" {
    swept 3 list.tsv >swept.tsv
    # of the first one row needs it, the first of the second does not, of the third none does
    perl -pe 'BEGIN { @todo = (0, 2, 0, 0, 1, 1, 0, 0, 0) }
        s/\n/ todo:u32\n/ if /^##columns/; s/\n/\ttodo\n/ if /^#[^#]/; s/\n/\t@{[shift @todo]}\n/ if !/^#/' swept.tsv >todo.tsv
    one=cache/snap_001/snap_001.hdf5 two=cache/snap_002/snap_002.hdf5
    iris-fetch --cache=cache --copy -o fetched.tsv todo.tsv
    [ "$(column local fetched.tsv | paste -sd' ')" = ". $one . . $two $two . . ." ]
    cmp <(pairs todo.tsv) <(pairs fetched.tsv)
    [ ! -e cache/snap_003 ]
    rm -r cache
    # with a reader as well: all rows of one together
    iris-fetch --cache=cache --copy --window=1 todo.tsv | takes_together cache
    [ "$(sort taken | uniq | grep -v snap_003 | paste -sd,)" = "snap_001 3,snap_002 3" ]
    [ "$(grep -c snap_003 taken)" -ge 1 ]
    [ ! -s wrong ]
}

@test "rows of one snapshot that cannot be had" {
    swept 3 list.tsv >swept.tsv
    rm snaps/snap_001.hdf5
    for options in "" "-j 3"; do
        run -74 --separate-stderr iris-fetch --cache=cache --copy $options swept.tsv
        one_sentence iris-fetch
        [[ $stderr == "iris-fetch: cannot open 'snaps/snap_001.hdf5'"* ]]
        [ "$(column local - <<<"$output" | sort | uniq -c | awk '{ print $1, $2 }' | paste -sd,)" = \
            "3 .,3 cache/snap_002/snap_002.hdf5,3 cache/snap_003/snap_003.0.hdf5" ]
        rm -r cache
    done
    rm snaps/snap_002.hdf5
    run -74 --separate-stderr iris-fetch --cache=cache --copy swept.tsv
    one_sentence iris-fetch
    [[ $stderr == *"2 of 3 snapshots cannot be had"* ]]
    # they take no room
    iris-fetch --cache=cache --copy --window=1 swept.tsv 2>err | takes_together cache
    [ "$(sort taken | paste -sd,)" = "snap_001 3,snap_002 3,snap_003 3" ]
}

@test "another snapshot with the id of one that is copied" {
    for code in '$f{path} = "snaps/snap_002.hdf5"' '$f{bytes}++' '$f{mtime}++' '$f{files} = 2'; do
        rows list.tsv '$skip = $f{snapshot} ne "snap_001"; '"$code" >other.tsv
        cat list.tsv other.tsv >both.tsv
        for options in "" "-j 3"; do
            rm -rf cache
            run -65 --separate-stderr iris-fetch --cache=cache --copy $options -o fetched.tsv both.tsv
            one_sentence iris-fetch
            [[ $stderr == *"row 4 "*"'snap_001'"*"--label"* ]]
            [ "$(column local fetched.tsv | sed -n 4p)" = . ]
            copied cache
        done
        # nothing is copied of those that are read where they are
        iris-fetch both.tsv >fetched.tsv
        cmp <(column path both.tsv) <(column local fetched.tsv)
    done
}
