# Snapshots of another machine and their copies; loaded with `load remote-copies`
# after remote, for tests of iris-fetch in a directory of their own.

# Two snapshots of one file, one of three files, and their list. For a copy bytes
# are bytes.
far_copies() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work" || return
    far_start
    config=(--ssh-config="$FAR/config")
    there=$FAR/home
    mkdir -p "$there/snaps/snapdir_003"
    head -c 300000 /dev/urandom >"$there/snaps/snap_001.hdf5"
    head -c 70001 /dev/urandom >"$there/snaps/snap_002.hdf5"
    for k in 0 1 2; do
        head -c 4000$k /dev/urandom >"$there/snaps/snapdir_003/snap_003.$k.hdf5"
    done
    touch -d '2001-02-03 04:05:06' "$there/snaps/snap_001.hdf5"
    touch -d @3000000000 "$there/snaps/snapdir_003/snap_003.1.hdf5"
    list
}

list() {
    iris-list --remote=far "${config[@]}" -o list.tsv "$there/snaps"
}

# fetch ARGUMENT...: into ./cache
fetch() {
    iris-fetch "${config[@]}" --cache=cache "$@"
}

# copied: the whole list is there, with the times of the sources, and nothing else
copied() {
    local part
    for part in snap_001/snap_001.hdf5:snap_001.hdf5 snap_002/snap_002.hdf5:snap_002.hdf5 \
        snap_003/snap_003.{0,1,2}.hdf5:snapdir_003/; do
        [[ $part != */ ]] || part=$part$(basename "${part%:*}")
        cmp "cache/${part%:*}" "$there/snaps/${part#*:}"
        [ "$(stat -c %Y "cache/${part%:*}")" = "$(stat -c %Y "$there/snaps/${part#*:}")" ]
    done
    [ "$(find cache -type f ! -name '.iris-*' | wc -l)" = 5 ]
}

# failed STATUS LOCALS ARGUMENT...: so iris-fetch ends, with a sentence, and those
# are the copies (1, 2, 3) that there are; no other file has its final name
failed() {
    local status=$1 locals=$2 n want=
    shift 2
    run "-$status" --separate-stderr timeout 60 iris-fetch "${config[@]}" --cache=cache -o fetched.tsv "$@" list.tsv
    one_sentence iris-fetch
    [ -z "$output" ]
    for n in 1 2 3; do
        [[ $locals == *$n* ]] && want+="cache/snap_00$n/snap_00$n " || want+=". "
    done
    [ "$(column local fetched.tsv | sed 's/\(\.0\)\?\.hdf5$//' | tr '\n' ' ')" = "$want" ]
    [ "$(column snapshot fetched.tsv | tr '\n' ' ')" = "snap_001 snap_002 snap_003 " ]
    [ "$(tail -1 fetched.tsv)" = "##rows 3" ]
    for n in 1 2; do
        [[ $locals == *$n* ]] || [ ! -e "cache/snap_00$n/snap_00$n.hdf5" ]
        [[ $locals != *$n* ]] || cmp "cache/snap_00$n/snap_00$n.hdf5" "$there/snaps/snap_00$n.hdf5"
    done
    [[ $locals != *3* ]] || diff -r --exclude='*.tmp' cache/snap_003 "$there/snaps/snapdir_003"
    wait_for no_near ssh
}

# after_all: what went wrong is right again, and the same command ends
after_all() {
    run -0 --separate-stderr iris-fetch "${config[@]}" --cache=cache -o fetched.tsv "$@" list.tsv
    [ -z "$output$stderr" ]
    copied
}
