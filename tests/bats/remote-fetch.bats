#!/usr/bin/env bats
# Copies from another machine: a real server, of our own, on loopback.
bats_require_minimum_version 1.5.0
load common
load remote
load remote-copies

setup() {
    far_copies
}

teardown() {
    far_stop
}

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

@test "rows of one snapshot are fetched once" {
    iris-list --remote=far "${config[@]}" --grid=cube_hyper.v_steps=2:4:3 -o swept.tsv "$there/snaps"
    [ "$(tail -1 swept.tsv)" = "##rows 9" ]
    bytes=$(column bytes list.tsv | awk '{ n += $1 } END { print n }')
    for options in "" "-j 3" "--budget=$((2 * bytes)) -j 3"; do
        rm -rf cache
        run -0 --separate-stderr iris-fetch "${config[@]}" --cache=cache -v $options swept.tsv
        [[ ${stderr##*$'\n'} == *" $bytes bytes copied, 0 of them again" ]]
        copied
        echo "$output" >fetched.tsv
        for name in snapshot path set:cube_hyper.v_steps; do
            diff <(column $name fetched.tsv | sort) <(column $name swept.tsv | sort)
        done
        # those of one together, in their order
        [ "$(column snapshot fetched.tsv | uniq -c | awk '{ print $1 }' | paste -sd' ')" = "3 3 3" ]
        [ "$(column set:cube_hyper.v_steps fetched.tsv | paste -sd' ')" = "2 3 4 2 3 4 2 3 4" ]
        [ "$(column local fetched.tsv | sort | uniq -c | awk '{ print $1, $2 }' | paste -sd,)" = \
            "3 cache/snap_001/snap_001.hdf5,3 cache/snap_002/snap_002.hdf5,3 cache/snap_003/snap_003.0.hdf5" ]
    done
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
