#!/usr/bin/env bats
# Copies from another machine that cannot be had: what is said, and that nothing
# wrong gets a name.
bats_require_minimum_version 1.5.0
load common
load remote
load remote-copies

setup() {
    far_copies
}

teardown() {
    far_stop
    ! mountpoint -q cache 2>/dev/null || umount cache
}

# ---- what is verified ----

@test "an account without a shell" {
    far_down
    far_start "ForceCommand internal-sftp -d $FAR/home"
    failed 69 "" --verify=sha256
    [[ $stderr == *sha256* ]]
    # asking again would change nothing
    [ "$(far_connections)" -le 6 ]
    after_all
    rm -r cache
    after_all --verify=size
}

@test "the sum of the source is asked for, unless told not to" {
    after_all --verify=size
    [ "$(far_commands)" = 0 ]
    rm -r cache
    after_all
    [ "$(far_commands)" -gt 0 ]
    rm -r cache
    after_all --verify=sha256
    # no program for sums: then it is size and time, but not with sha256
    rm -r cache
    far_down
    far_start "ForceCommand case \$SSH_ORIGINAL_COMMAND in *sftp*) exec /usr/lib/openssh/sftp-server ;; *) PATH=/nowhere; eval \"\$SSH_ORIGINAL_COMMAND\" ;; esac"
    after_all
    rm -r cache
    failed 69 "" --verify=sha256 --retries=0
    # a sum that is only a prompt, or half of one
    for says in 'no sums today' 0123456789abcdef '' "$(printf 'g%.0s' {1..64})"; do
        printf '#!/bin/sh\necho "%s"\n' "$says" >"$FAR/bin/sha256sum"
        chmod +x "$FAR/bin/sha256sum"
        far_down
        far_start
        failed 69 "" --verify=sha256 --retries=0
        after_all
        rm -r cache
    done
}

@test "a copy with another sum than its source" {
    # the program there is right about the others
    cat >"$FAR/bin/sha256sum" <<END
#!/bin/bash
PATH=/usr/bin:/bin
sha256sum "\$@" | sed '/$(sha256sum <"$there/snaps/snap_002.hdf5" | cut -c1-64)/s/^.\{8\}/00000000/'
END
    chmod +x "$FAR/bin/sha256sum"
    for verify in auto sha256; do
        failed 74 "1 3" --verify=$verify
        [[ $stderr == *snap_002.hdf5*sha256* ]]
    done
    rm "$FAR/bin/sha256sum"
    after_all
}

@test "a shell with much to say" {
    cat >"$FAR/shell" <<'END'
#!/bin/sh
case $SSH_ORIGINAL_COMMAND in
*sftp*) exec /usr/lib/openssh/sftp-server ;;
esac
. "${0%/*}/greeting"
eval "$SSH_ORIGINAL_COMMAND"
END
    chmod +x "$FAR/shell"
    far_down
    far_start "ForceCommand $FAR/shell"
    # greetings on both streams
    printf 'echo welcome to this machine\necho "no mail" >&2\n' >"$FAR/greeting"
    after_all --verify=sha256
    # more than anybody wants to know, and a sum of something else among it
    printf 'seq 100000\n' >"$FAR/greeting"
    rm -r cache
    after_all
    # one that never comes to it, and one that ends before
    echo 'sleep 1000' >"$FAR/greeting"
    rm -r cache
    failed 69 "" --verify=sha256 --retries=0 --timeout=1
    echo 'exit 0' >"$FAR/greeting"
    after_all
}

# ---- what is not as it was listed ----

@test "a source that is missing, another kind, larger, smaller, newer" {
    file=$there/snaps/snap_002.hdf5
    cp -p "$file" kept
    spoilt() {
        failed 74 "1 3"
        [[ $stderr == *snap_002.hdf5* ]]
        rm -rf "$file"
        cp -p kept "$file"
        after_all
        rm -r cache
    }
    rm "$file"
    spoilt
    rm "$file"
    mkdir "$file"
    spoilt
    echo more >>"$file"
    touch -r kept "$file"
    spoilt
    truncate -s -1 "$file"
    touch -r kept "$file"
    spoilt
    touch -d "2004-01-01" "$file"
    spoilt
    touch -d @1000000000 "$file"
    spoilt
    : >"$file"
    spoilt
}

@test "a set that is not as it was listed" {
    set=$there/snaps/snapdir_003
    cp -rp "$set" kept
    spoilt() {
        failed 74 "1 2"
        [[ $stderr == *snap_003.* ]]
        rm -rf "$set"
        cp -rp kept "$set"
        after_all
        rm -r cache
    }
    rm "$set/snap_003.2.hdf5"
    spoilt
    echo more >>"$set/snap_003.0.hdf5"
    spoilt
    # as much in all as before
    truncate -s +5 "$set/snap_003.0.hdf5"
    touch -r kept/snap_003.0.hdf5 "$set/snap_003.0.hdf5"
    truncate -s -5 "$set/snap_003.1.hdf5"
    touch -d @3000000001 "$set/snap_003.1.hdf5"
    spoilt
    mv "$set" away
    failed 74 "1 2"
    mv away "$set"
    after_all
}

@test "a source that changes while it is copied" {
    head -c 1500000 /dev/urandom >"$there/snaps/snap_002.hdf5"
    list
    far_wire far -r 500K
    cp -p "$there/snaps/snap_002.hdf5" kept
    file=$there/snaps/snap_002.hdf5
    for change in 'echo more >>' 'touch ' 'truncate -s 1400000 ' 'printf X | dd bs=1 seek=1400000 conv=notrunc of='; do
        iris-fetch "${config[@]}" --cache=cache -o fetched.tsv list.tsv 2>err 3>&- &
        : >"$FAR/count"
        wait_for far_has_sent 600000 # of which 300000 are another file's
        eval "$change$file" 2>/dev/null
        status=0
        wait $! || status=$?
        [ "$status" = 74 ]
        stderr=$(cat err) one_sentence iris-fetch
        grep -q snap_002.hdf5 err
        [ "$(column local fetched.tsv | sed -n 2p)" = . ]
        [ ! -e cache/snap_002/snap_002.hdf5 ]
        cp -p kept "$there/snaps/snap_002.hdf5"
    done
    list
    after_all
}

@test "no permission there" {
    far_down
    run -0 setpriv --inh-caps=-all --bounding-set=-all true || skip "root reads everything"
    far_start "Subsystem sftp setpriv --inh-caps=-all --bounding-set=-all /usr/lib/openssh/sftp-server"
    chmod 000 "$there/snaps/snap_002.hdf5"
    failed 74 "1 3"
    [[ $stderr == *snap_002.hdf5*"Permission denied"* ]]
    chmod 644 "$there/snaps/snap_002.hdf5"
    chmod 000 "$there/snaps/snapdir_003"
    failed 74 "1 2"
    chmod 755 "$there/snaps/snapdir_003"
    after_all
}

# ---- what is wrong with the server, or here ----

@test "a server that is away, another, or refuses" {
    cp "$FAR/known" known
    cp "$FAR/id.pub" id.pub
    ssh-keygen -q -t ed25519 -N '' -f other
    echo "far $(cut -d' ' -f1,2 other.pub)" >"$FAR/known"
    failed 69 "" # and is not tried for ever
    [[ $stderr == *"ost key verification failed"* ]]
    cp known "$FAR/known"
    : >"$FAR/id.pub"
    failed 69 ""
    [[ $stderr == *"Permission denied"* ]]
    far_down
    failed 69 "" --retries=0
    [[ $stderr == *"onnection refused"* ]]
    cp id.pub "$FAR/id.pub"
    far_start
    after_all
}

@test "a full disk" {
    head -c 3000000 /dev/urandom >"$there/snaps/snap_001.hdf5"
    list
    mkdir cache
    mount -t tmpfs -o size=1m tmpfs cache 2>/dev/null || skip "no right to mount"
    failed 74 "2 3"
    [[ $stderr == *"o space left on device"* || $stderr == *"no room"* ]]
    mount -o remount,size=8m cache
    after_all
}

@test "a budget that is too small for one" {
    # without a reader nobody makes room
    failed 74 "2" --budget=100000
    [[ $stderr == *budget* || $stderr == *room* ]]
    [ "$(du -sb cache/snap_* | awk '{ n += $1 } END { print n }')" -le 110000 ]
    after_all --budget=1M
    # for nothing at all
    rm -r cache
    failed 74 "" --budget=1000
    after_all
}
