#!/usr/bin/env bats
# Copies from another machine: a real server, of our own, on loopback.
bats_require_minimum_version 1.5.0
load common
load remote

# Two snapshots of one file, one of three files, and their list. For a copy bytes
# are bytes.
setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
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

teardown() {
    far_stop
    ! mountpoint -q cache 2>/dev/null || umount cache
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

# ---- copies ----

@test "copies are the sources, with their times" {
    run -0 --separate-stderr iris-fetch "${config[@]}" --cache=cache list.tsv
    [ -z "$stderr" ]
    [ "${lines[0]}" = "##iris-manifest 1 fetched" ]
    [ "${lines[-1]}" = "##rows 3" ]
    echo "$output" >fetched.tsv
    copied
    [ "$(column local fetched.tsv | sort | tr '\n' ' ')" = \
        "cache/snap_001/snap_001.hdf5 cache/snap_002/snap_002.hdf5 cache/snap_003/snap_003.0.hdf5 " ]
    for name in snapshot index path files bytes mtime remote; do
        diff <(column $name fetched.tsv | sort) <(column $name list.tsv | sort)
    done
    ! grep -qF -e "$FAR/config" -e "$FAR/id" -e "$FAR_PORT" fetched.tsv || false
    no_leftovers
    no_near ssh
    # a file as well
    rm -r cache
    fetch -o o.tsv list.tsv
    diff <(sort o.tsv) <(sort fetched.tsv)
    copied
}

@test "a copy that is there is not made again" {
    fetch -o fetched.tsv list.tsv
    before=$(find cache -name '*.hdf5' -printf '%p %T@ %i %s\n' | sort)
    fetch list.tsv | diff <(sort fetched.tsv) <(sort)
    fetch fetched.tsv | diff <(sort fetched.tsv) <(sort)
    [ "$before" = "$(find cache -name '*.hdf5' -printf '%p %T@ %i %s\n' | sort)" ]
    run -0 --separate-stderr iris-fetch "${config[@]}" --cache=cache -v list.tsv
    [[ ${stderr##*$'\n'} == *"0 bytes copied, 0 of them again"* ]]
    # one that is missing is, and only that
    mv cache/snap_003/snap_003.1.hdf5 old
    run -0 --separate-stderr iris-fetch "${config[@]}" --cache=cache -v list.tsv
    [[ ${stderr##*$'\n'} == *"40001 bytes copied, 0 of them again"* ]]
    copied
}

@test "names of every kind" {
    rm -r "$there/snaps"
    mkdir "$there/snaps"
    echo "touch '$FAR/shell'" >"$there/.bashrc"
    name=("s with  blanks_1" " s" "s " "s'single_2" "s\"double_3" "\$(touch canary)s_4" "\`touch canary\`s_5"
        $'new\nline_6' "-rfs" "--drop=s_7" "Größe_Ωs" "s\\back\\_8" "\\ns" "*?[a-z]{b}s" $'tab\ts_9'
        "; touch canary;s" "s| touch canary" "~s" "\$HOMEs" "#s" "%s%n%hs" "=41s" "As" $'\xff\xfes' $'\e[31ms'
        $'\rs' "s,<>!:^" "s.tmp" "sha256sum")
    for n in "${name[@]}"; do
        i=$((i + 1))
        head -c "$((i * 1000))" /dev/urandom >"$there/snaps/$n.hdf5"
        mkdir "$there/snaps/snapdir_$n"
        head -c "$((i * 1000 + 1))" /dev/urandom >"$there/snaps/snapdir_$n/set_${n}_$i.0.hdf5"
        head -c "$((i * 1000 + 2))" /dev/urandom >"$there/snaps/snapdir_$n/set_${n}_$i.1.hdf5"
    done
    list
    for verify in size auto; do
        run -0 --separate-stderr iris-fetch "${config[@]}" --cache=$verify --verify=$verify -o fetched.tsv list.tsv
        [ -z "$output$stderr" ]
        for n in "${name[@]}"; do
            cmp "$there/snaps/$n.hdf5" $verify/*/"$n.hdf5"
            for part in "$there/snaps/snapdir_$n"/*; do
                cmp "$part" $verify/*/"$(basename "$part")"
            done
        done
        [ "$(find $verify -type f ! -name '.iris-*' -printf . | wc -c)" = $((3 * ${#name[@]})) ]
        [ -z "$(column local fetched.tsv | grep -x '[.]')" ]
        [ "$verify" = auto ] || [ ! -e "$FAR/shell" ]
    done
    [ -z "$(find . "$FAR" ~ -maxdepth 2 -name 'canary*')" ]
}

@test "rows that need nothing from there" {
    mkdir here
    cp -p "$there/snaps/snap_001.hdf5" here/snap_900.hdf5
    iris-list here >here.tsv
    perl -pe 's/\n/ todo:u32\n/ if /^##columns/; s/\n/\ttodo\n/ if /^#[^#]/; s/\n/\t@{[$n++]}\n/ if !/^#/' list.tsv >todo.tsv
    run -0 --separate-stderr iris-fetch "${config[@]}" --cache=cache todo.tsv
    [ "$(column local - <<<"$output" | sed -n 1p)" = . ]
    [ ! -e cache/snap_001 ]
    [ -e cache/snap_002/snap_002.hdf5 ]
    # nothing but such rows: no server is needed, nor a configuration
    rows todo.tsv '$f{todo} = 0' >none.tsv
    before=$(far_connections)
    iris-fetch --cache=none none.tsv >fetched.tsv
    [ "$(column local fetched.tsv | tr '\n' ' ')" = ". . . " ]
    # local ones pass through beside remote ones
    cat here.tsv list.tsv >both.tsv
    fetch both.tsv >fetched.tsv
    [ "$(far_connections)" -gt "$before" ]
    copied
    column local fetched.tsv | grep -qx here/snap_900.hdf5
}

@test "several machines in one list" {
    far_alias second
    iris-list --remote=second "${config[@]}" --label=b_ -o second.tsv "$there/snaps"
    cat list.tsv second.tsv >both.tsv
    fetch -o fetched.tsv both.tsv
    cmp cache/b_snap_001/snap_001.hdf5 "$there/snaps/snap_001.hdf5"
    diff -r cache/b_snap_003 "$there/snaps/snapdir_003"
    rm -r cache/b_*
    copied
    [ "$(column remote fetched.tsv | sort | uniq -c | xargs)" = "3 far 3 second" ]
    # one of them is away: the others are had
    rm -r cache
    far_alias gone "Port 1"
    rows second.tsv '$f{remote} = "gone"; $skip = $n > 1' >gone.tsv
    cat gone.tsv list.tsv >both.tsv
    run -69 --separate-stderr iris-fetch "${config[@]}" --cache=cache --retries=0 -o fetched.tsv both.tsv
    one_sentence iris-fetch
    [[ $stderr == *"'gone'"* ]]
    copied
    [ "$(column local fetched.tsv | grep -cx '[.]')" = 1 ]
}

@test "several at a time" {
    for jobs in 1 3 8; do
        rm -rf cache
        fetch -j $jobs -o fetched.tsv list.tsv
        copied
        [ "$(column local fetched.tsv | sort | tr '\n' ' ')" = \
            "cache/snap_001/snap_001.hdf5 cache/snap_002/snap_002.hdf5 cache/snap_003/snap_003.0.hdf5 " ]
        no_leftovers
    done
    # one fault does not stop the rest
    mv "$there/snaps/snap_001.hdf5" "$there/away"
    rm -r cache
    failed 74 "2 3" -j 3
    mv "$there/away" "$there/snaps/snap_001.hdf5"
    after_all -j 3
}

@test "key, port and timeout are used" {
    cat >bare <<END
Host far
    HostName 127.0.0.1
    HostKeyAlias far
    User $(id -un)
    UserKnownHostsFile $FAR/known
    IdentityAgent none
    StrictHostKeyChecking yes
    IdentityFile $FAR/nowhere
END
    config=(--ssh-config=bare)
    failed 69 "" --retries=0 --port="$FAR_PORT"
    [[ $stderr == *"Permission denied"* ]]
    failed 69 "" --retries=0 --key="$FAR/id" --port=1
    [[ $stderr == *"onnection refused"* ]]
    after_all --key="$FAR/id" --port="$FAR_PORT"
    rm -r cache
    config=(--ssh-config="$FAR/config")
    far_wire far -s -n 0
    failed 69 "" --retries=0 --timeout=1
    [[ $stderr == *"no answer"* ]]
    wait_for no_near wire
}

@test "hosts of a manifest that are none" {
    for host in -oProxyCommand='touch canary' '$(touch canary)' 'far;touch canary' '-F' 'far\n' "far'" 'far*'; do
        HOST=$host rows list.tsv '$f{remote} = $ENV{HOST} if $n == 2' >bad.tsv
        run -65 --separate-stderr iris-fetch "${config[@]}" --cache=cache bad.tsv
        one_sentence iris-fetch
    done
    [ ! -e canary ]
}

@test "paths of a manifest that lead elsewhere" {
    for path in "$there/snaps/.." "$there/snaps/." "/" "$there/snaps/" "" "."; do
        WAY=$path rows list.tsv '$f{path} = $ENV{WAY} if $n == 1' >bad.tsv
        run --separate-stderr iris-fetch "${config[@]}" --cache=cache -o fetched.tsv bad.tsv
        [ "$status" = 65 ] || [ "$status" = 74 ]
        one_sentence iris-fetch
        [ "$(find . -name cache -prune -o -type f -print | sort | xargs)" = "./bad.tsv ./fetched.tsv ./list.tsv" ] ||
            [ "$status" = 65 ]
        [ -z "$(find cache/snap_001 -type f)" ]
        [ -z "$(find cache -maxdepth 1 -type f ! -name '.iris-*')" ]
        rm -f fetched.tsv
    done
    for id in .. ../out a/b /tmp .iris-cache; do
        rows list.tsv '$f{snapshot} = "'"$id"'" if $n == 1' >bad.tsv
        run -65 --separate-stderr iris-fetch "${config[@]}" --cache=cache bad.tsv
        one_sentence iris-fetch
        rm -rf cache
    done
    [ "$(ls)" = "$(printf 'bad.tsv\nlist.tsv')" ]
}

# ---- what is verified ----

@test "an account without a shell" {
    far_down
    far_start "ForceCommand internal-sftp -d $FAR/home"
    failed 69 "" --verify=sha256 --retries=0
    [[ $stderr == *sha256* ]]
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
    touch "$file"
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
    far_wire far -r 1M
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

@test "two at once do not mix" {
    iris-fetch "${config[@]}" --cache=cache -o a.tsv list.tsv 2>a.err 3>&- &
    a=0 b=0
    iris-fetch "${config[@]}" --cache=cache -o b.tsv list.tsv 2>b.err || b=$?
    wait $! || a=$?
    for status in $a $b; do
        [ "$status" = 0 ] || [ "$status" = 75 ] || { cat a.err b.err; return 1; }
    done
    after_all
}

@test "progress has a rate and the time that is left" {
    head -c 3000000 /dev/urandom >"$there/snaps/snap_002.hdf5"
    list
    far_wire far -r 1M
    run -0 --separate-stderr iris-fetch "${config[@]}" --cache=cache --progress=0.5 -o fetched.tsv list.tsv
    grep -qE '[0-9.]+ ?[kKMG]?i?B/s' <<<"$stderr"
    grep -qE '[0-9]:[0-9][0-9] left' <<<"$stderr"
    ! grep -qE 'nan|inf|-[0-9]' <<<"$stderr" || false
    copied
}
