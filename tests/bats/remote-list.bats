#!/usr/bin/env bats
# Lists of another machine: a real server, of our own, on loopback.
bats_require_minimum_version 1.5.0
load common
load remote

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    far_start
    far=(--remote=far --ssh-config="$FAR/config")
    there=$FAR/home
    # whoever starts a shell there leaves a trace
    echo "touch '$FAR/shell'; cd '$FAR'" >"$there/.bashrc"
}

teardown() {
    far_stop
}

# Nothing was executed, on either side: no shell there, no name anywhere.
nothing_ran() {
    [ "$(far_commands)" = 0 ]
    [ ! -e "$FAR/shell" ]
    [ -z "$(find . "$FAR" ~ -maxdepth 2 -name 'canary*')" ]
}

# names PREFIX: what a file may be called, one in each element of $name
names() {
    name=("$1 with  blanks_1" " $1" "$1 " "$1'single_2" "$1\"double_3" "\$(touch canary)$1_4"
        "\`touch canary\`$1_5" $'new\nline'"$1_6" "-rf$1" "--remote=$1_7" "Größe_Ω$1" "$1\\back\\_8"
        "\\n$1" "*?[a-z]{b}$1" $'tab\t'"$1_9" "; touch canary;$1" "$1| touch canary" "&touch canary&$1"
        "~$1" "\$HOME$1" "#$1" "%s%n%h$1" "=41$1" "A$1" $'\xff\xfe'"$1" $'\e[31m'"$1" $'\r'"$1" "$1,<>!:^")
}

# same_list ARGUMENT...: the list from there is the one from here, but for `remote`,
# and so are the warnings, but for what SFTP cannot tell
same_list() {
    iris-list "$@" >here.tsv 2>here.err
    iris-list "${far[@]}" "$@" >there.tsv 2>there.err
    rows here.tsv '$f{remote} = "far"' | cmp - there.tsv
    diff <(sed 's/: [^:]*$//' here.err) <(sed "s/'far:/'/; s/: [^:]*$//" there.err)
}

# refused STATUS ARGUMENT...: so iris-list ends, with a sentence and without a list
refused() {
    local status=$1
    shift
    run "-$status" --separate-stderr timeout 60 iris-list -o list.tsv "$@"
    one_sentence iris-list
    [ -z "$output" ]
    [ -z "$(ls list.tsv* 2>/dev/null)" ]
    [ ! -e "$FAR/shell" ]
    wait_for no_near ssh
}

# ---- what is there ----

@test "the list of a directory" {
    mkdir "$there/snaps"
    printf 12345 >"$there/snaps/snap_007.hdf5"
    touch -d @1700000000.75 "$there/snaps/snap_007.hdf5"
    printf 1 >"$there/snaps/lone.h5"
    touch -d @1700000001 "$there/snaps/lone.h5"
    run -0 --separate-stderr iris-list "${far[@]}" "$there/snaps"
    [ -z "$stderr" ]
    diff - <(echo "$output") <<END
##iris-manifest 1 snapshots
##columns snapshot:str index:u64 path:path files:u32 bytes:u64[B] mtime:i64[s] remote:str
#snapshot	index	path	files	bytes	mtime	remote
lone	.	$there/snaps/lone.h5	1	1	1700000001	far
snap_007	7	$there/snaps/snap_007.hdf5	1	5	1700000000	far
##rows 2
END
    iris-list "${far[@]}" -o list.tsv "$there/snaps"
    diff list.tsv <(echo "$output")
    nothing_ran
    # nothing is said of how it was reached
    ! grep -qE "config|$FAR/id|$FAR_PORT" list.tsv || false
}

@test "names of every kind, in a directory" {
    mkdir "$there/snaps"
    names snap
    for n in "${name[@]}"; do
        echo "$n" >"$there/snaps/$n.hdf5"
    done
    same_list "$there/snaps"
    [ "$(tail -1 there.tsv)" = "##rows ${#name[@]}" ]
    nothing_ran
    [ "$(far_connections)" = 1 ]
}

@test "names of every kind, of directories" {
    names d
    i=0
    for n in "${name[@]}"; do
        mkdir "$there/$n"
        i=$((i + 1))
        echo "$n" >"$there/$n/snap_$i.hdf5"
    done
    same_list -- "${name[@]/#/$there/}"
    [ "$(tail -1 there.tsv)" = "##rows ${#name[@]}" ]
    nothing_ran
    # one connection is enough for all of them
    [ "$(far_connections)" = 1 ]
}

@test "names of every kind, of files that are given" {
    names snap
    for n in "${name[@]}"; do
        echo "$n" >"$there/$n.hdf5"
    done
    files=("${name[@]/%/.hdf5}")
    same_list "${files[@]/#/$there/}"
    [ "$(tail -1 there.tsv)" = "##rows ${#name[@]}" ]
    # from the home directory there, as from the working directory here
    (cd "$there" && iris-list -- "${files[@]}") >here.tsv
    iris-list "${far[@]}" -- "${files[@]}" >there.tsv
    rows here.tsv '$f{remote} = "far"' | cmp - there.tsv
    nothing_ran
}

@test "names of every kind, in sets" {
    names snap_00
    i=0
    for n in "${name[@]}"; do
        i=$((i + 1))
        mkdir "$there/snapdir_$n"
        for k in 0 1 2; do
            echo "$n" >"$there/snapdir_$n/${n}_$i.$k.hdf5"
        done
    done
    same_list "$there"
    [ "$(tail -1 there.tsv)" = "##rows ${#name[@]}" ]
    [ "$(column files there.tsv | sort -u)" = 3 ]
    nothing_ran
    # a directory of a set by itself, its files in any order, one missing
    n=${name[3]}
    rm "$there/snapdir_$n/${n}_4.1.hdf5"
    same_list "$there/snapdir_$n"
    [[ $(<there.err) == *"2 of at least 3 files"* ]]
    same_list "$there/snapdir_$n/"*.2.hdf5 "$there/snapdir_$n/"*.0.hdf5
}

@test "relative paths begin in the home directory there" {
    mkdir -p "$there/sub/snaps" snaps
    : >"$there/sub/snaps/snap_1.hdf5"
    : >"$there/snap_2.hdf5"
    : >snaps/snap_3.hdf5
    [ "$(iris-list "${far[@]}" sub/snaps | column path -)" = sub/snaps/snap_1.hdf5 ]
    [ "$(iris-list "${far[@]}" sub/snaps/snap_1.hdf5 | column path -)" = sub/snaps/snap_1.hdf5 ]
    [ "$(iris-list "${far[@]}" . | column snapshot -)" = snap_2 ]
    refused 74 "${far[@]}" snaps
}

@test "sizes beyond 32 bits, times beyond 31" {
    mkdir "$there/snaps"
    truncate -s 5G "$there/snaps/snap_1.hdf5"
    touch -d @3000000000 "$there/snaps/snap_1.hdf5"
    mkdir "$there/snaps/snapdir_2"
    truncate -s 3G "$there/snaps/snapdir_2/snap_2."{0,1}.hdf5
    same_list "$there/snaps"
    [ "$(column bytes there.tsv | paste -sd' ')" = "5368709120 6442450944" ]
    [ "$(column mtime there.tsv | head -1)" = 3000000000 ]
}

@test "more names than one answer holds" {
    mkdir "$there/snaps"
    (cd "$there/snaps" && seq -f 'a_rather_long_name_of_a_snapshot_%05g.hdf5' 3000 | xargs touch)
    same_list "$there/snaps"
    [ "$(tail -1 there.tsv)" = "##rows 3000" ]
}

@test "links" {
    mkdir -p "$there/snaps" "$there/real"
    echo 12345 >"$there/real/snap_1.hdf5"
    touch -d @1700000000 "$there/real/snap_1.hdf5"
    ln -s ../real/snap_1.hdf5 "$there/snaps/snap_2.hdf5"
    ln -s ../real/gone.hdf5 "$there/snaps/snap_3.hdf5"
    ln -s ../real "$there/snaps/snapdir_4"
    ln -s loop.hdf5 "$there/snaps/loop.hdf5"
    mkdir "$there/snaps/snap_5.hdf5"
    mkfifo "$there/snaps/snap_6.hdf5"
    same_list "$there/snaps"
    [ "$(grep -c warning there.err)" = 2 ]
    ln -s snaps "$there/link"
    same_list "$there/link"
    # what was left out can be asked for, in vain
    refused 74 "${far[@]}" "$there/snaps/snap_3.hdf5"
}

@test "filters and draws are those of a list of this machine" {
    mkdir "$there/snaps"
    (cd "$there/snaps" && seq -f 'snap_%03g.hdf5' 40 | xargs touch)
    tiny_hyper -s writer_hyper.total_snapshots=6 -s writer_hyper.min_snapshot_index=5 >hyper.json
    same_list -H hyper.json "$there/snaps"
    same_list -H hyper.json --seed=5 --part=2/3 --label=L_ "$there/snaps"
    same_list --total=3 --min-index=7 --max-index=30 "$there/snaps" "$there/snaps/snap_003.hdf5"
    run -0 --separate-stderr iris-list "${far[@]}" --dry-run --total=2 "$there/snaps"
    [ -z "$output" ]
    [ "$stderr" = "iris-list: would list 2 of 40 snapshots" ]
}

@test "an account without a shell will do" {
    far_down
    far_start "ForceCommand internal-sftp -d $FAR/home"
    : >"$there/snap_1.hdf5"
    same_list "$there"
    [ "$(iris-list "${far[@]}" . | column path -)" = "$(cd "$there" && iris-list . | column path -)" ]
}

# ---- what is not there ----

@test "missing, empty, ambiguous" {
    refused 74 "${far[@]}" "$there/nowhere"
    [[ $stderr == *"'far:$there/nowhere'"*"No such file"* ]]
    refused 74 "${far[@]}" "$there/snap_1.hdf5"
    : >"$there/snap_1.hdf5"
    refused 74 "${far[@]}" "$there" "$there/snap_2.hdf5"
    refused 74 "${far[@]}" "$there/snap_1.hdf5/"
    : >"$there/notes.txt"
    refused 65 "${far[@]}" "$there/notes.txt"
    mkdir "$there/empty"
    refused 65 "${far[@]}" "$there/empty"
    refused 65 "${far[@]}" "$there" "$there/empty"
    refused 65 "${far[@]}" --min-index=5 "$there"
    mkdir "$there/more"
    : >"$there/more/snap_1.hdf5"
    refused 65 "${far[@]}" "$there" "$there/more"
    refused 74 "${far[@]}" ''
}

@test "no permission" {
    far_down
    # a server that is root reads everything, unless it cannot even be root
    run -0 setpriv --inh-caps=-all --bounding-set=-all true || skip "root reads everything"
    far_start "Subsystem sftp setpriv --inh-caps=-all --bounding-set=-all /usr/lib/openssh/sftp-server"
    rm "$there/.bashrc" # that server is started by a shell
    mkdir -p "$there"/{open,shut,blind}
    : >"$there/open/snap_1.hdf5"
    : >"$there/shut/snap_2.hdf5"
    : >"$there/blind/snap_3.hdf5"
    chmod 000 "$there/open/snap_1.hdf5" "$there/shut"
    chmod 444 "$there/blind"
    iris-list "${far[@]}" "$there/open" >list.tsv # a list opens no file
    [ "$(tail -1 list.tsv)" = "##rows 1" ]
    rm list.tsv
    refused 74 "${far[@]}" "$there/shut"
    [[ $stderr == *"'far:$there/shut'"*"Permission denied"* ]]
    refused 74 "${far[@]}" "$there/shut/snap_2.hdf5"
    refused 74 "${far[@]}" "$there/blind/snap_3.hdf5"
    # what there is, but cannot be looked at, is not passed over in silence
    run --separate-stderr iris-list "${far[@]}" "$there/blind"
    [ "$status" != 0 ] || [[ $stderr == *warning*snap_3* ]]
    chmod 755 "$there"/{shut,blind}
}

# ---- a server that cannot be had ----

@test "hosts that are no names of hosts" {
    : >"$there/snap_1.hdf5"
    for host in '' -oProxyCommand='touch canary' '-oProxyCommand=touch canary' -F/dev/null -E -- - \
        '$(touch canary)' '`touch canary`' 'far; touch canary' 'far|touch canary' 'far
touch canary' "far'" 'far"' 'far far' 'a@-oProxyCommand=x' '@far' 'far@' 'far/x' 'far\x' 'far*' 'far?' \
        'far&' 'far<x' 'far>canary' 'far,x' 'far#x' 'far%h' '$HOME' '~' $'far\t' "$(printf 'a%.0s' {1..300})"; do
        refused 64 --remote="$host" --ssh-config="$FAR/config" "$there"
    done
    [ "$(far_connections)" = 0 ]
    nothing_ran
    [ -z "$(ls)" ]
}

@test "wrong options" {
    for bad in --port=0 --port=65536 --port=x --port=-1 --port= --timeout=0 --timeout=-1 --timeout=x --timeout= --timeout=nan; do
        refused 64 "${far[@]}" "$bad" "$there"
        [[ $stderr == *"'${bad#*=}'"* ]]
    done
    [ "$(far_connections)" = 0 ]
    # a configuration or a key that is missing, a configuration that is none
    refused 74 --remote=far --ssh-config=nowhere "$there"
    [[ $stderr == *"'nowhere'"* ]]
    refused 74 "${far[@]}" --key=nowhere "$there"
    [[ $stderr == *"'nowhere'"* ]]
    echo 'Nonsense yes' >bad.config
    refused 69 --remote=far --ssh-config=bad.config "$there"
}

@test "configuration, key and port are used" {
    : >"$there/snap_1.hdf5"
    cp "$FAR/id" mine
    ssh-keygen -q -t ed25519 -N '' -f other
    cat >bare <<END
Host 127.0.0.1 there
    HostName 127.0.0.1
    HostKeyAlias far
    User $(id -un)
    UserKnownHostsFile $FAR/known
    IdentityAgent none
    StrictHostKeyChecking yes
    IdentityFile $PWD/other
END
    bare=(--ssh-config=bare "$there")
    iris-list --remote=127.0.0.1 --port="$FAR_PORT" --key=mine "${bare[@]}" >list.tsv
    [ "$(column remote list.tsv)" = 127.0.0.1 ]
    iris-list --remote="$(id -un)@127.0.0.1" --port="$FAR_PORT" --key="$PWD/mine" "${bare[@]}" >list.tsv
    [ "$(column remote list.tsv)" = "$(id -un)@127.0.0.1" ]
    ! grep -qF -e mine -e "$FAR_PORT" list.tsv || false
    rm list.tsv
    # without the one, without the other
    refused 69 --remote=there --port="$FAR_PORT" "${bare[@]}"
    [[ $stderr == *"Permission denied"* ]]
    refused 69 --remote=there --key=mine --port=1 "${bare[@]}"
    [[ $stderr == *"onnection refused"* ]]
    refused 69 --remote=there --key=other --port="$FAR_PORT" "${bare[@]}"
    # the port of the option comes before that of the configuration
    refused 69 "${far[@]}" --port=1 "$there"
    [ "$(far_connections)" = 4 ]
}

@test "a server that is another than it was, or unknown" {
    : >"$there/snap_1.hdf5"
    ssh-keygen -q -t ed25519 -N '' -f other
    echo "far $(cut -d' ' -f1,2 other.pub)" >"$FAR/known"
    refused 69 "${far[@]}" "$there"
    [[ $stderr == *"ost key verification failed"* ]]
    : >"$FAR/known"
    refused 69 "${far[@]}" "$there"
    [[ $stderr == *"ost key verification failed"* ]]
    # where the configuration would ask, nobody is asked
    far_alias asks "StrictHostKeyChecking ask"
    refused 69 --remote=asks --ssh-config="$FAR/config" "$there"
    [ ! -s "$FAR/known" ]
}

@test "a key that is refused" {
    : >"$there/snap_1.hdf5"
    : >"$FAR/id.pub"
    refused 69 "${far[@]}" "$there"
    [[ $stderr == *"Permission denied"* ]]
}

@test "no server" {
    far_alias closed "Port 1"
    refused 69 --remote=closed --ssh-config="$FAR/config" "$there"
    [[ $stderr == *"'closed'"*"onnection refused"* ]]
    far_alias unknown "HostName nowhere.invalid"
    refused 69 --remote=unknown --ssh-config="$FAR/config" --timeout=10 "$there"
    far_down
    refused 69 "${far[@]}" "$there"
}

@test "a server that says nothing" {
    far_alias mute "ProxyCommand wire -s -n 0 %h %p"
    refused 69 --remote=mute --ssh-config="$FAR/config" --timeout=2 "$there"
    [[ $stderr == *"no answer from 'mute'"* ]]
    # a limit of the configuration does it too
    far_alias short "ProxyCommand wire -s -n 0 %h %p" "ConnectTimeout 1"
    refused 69 --remote=short --ssh-config="$FAR/config" "$there"
    wait_for no_near wire
}

@test "a server that speaks something else" {
    # greetings of a shell, before the server of files
    far_down
    far_start "Subsystem sftp echo welcome; exec /usr/lib/openssh/sftp-server"
    rm "$there/.bashrc"
    : >"$there/snap_1.hdf5"
    refused 69 "${far[@]}" "$there"
    # a server of files that is missing
    far_down
    far_start "Subsystem sftp $FAR/nowhere"
    refused 69 "${far[@]}" "$there"
    # no files at all
    far_down
    far_start "Subsystem other internal-sftp"
    refused 69 "${far[@]}" "$there"
    # another protocol at that port
    far_alias web "ProxyCommand printf 'HTTP/1.1 400 Bad Request\r\n\r\n'"
    refused 69 --remote=web --ssh-config="$FAR/config" "$there"
    # nothing at all
    far_alias ends "ProxyCommand true"
    refused 69 --remote=ends --ssh-config="$FAR/config" "$there"
}

@test "cut anywhere" {
    mkdir "$there/snaps"
    (cd "$there/snaps" && seq -f 'a_rather_long_name_of_a_snapshot_%05g.hdf5' 300 | xargs touch)
    far_wire whole
    iris-list --remote=whole --ssh-config="$FAR/config" "$there/snaps" >whole.tsv
    all=$(far_count)
    # the last bytes are the goodbye, after the list
    for k in 1 20 21 22 1000 $((all / 16)) $((all / 8)) $((all / 4)) $((all / 2)) $((all * 3 / 4)) $((all - 500)); do
        far_alias "cut$k" "ProxyCommand wire -n $k %h %p"
        refused 69 --remote="cut$k" --ssh-config="$FAR/config" "$there/snaps"
        [[ $stderr == *"'cut$k'"* ]]
    done
    # a line that is dead instead
    for k in 1000 $((all / 2)); do
        far_alias "dead$k" "ProxyCommand wire -s -n $k %h %p"
        refused 69 --remote="dead$k" --ssh-config="$FAR/config" --timeout=1 "$there/snaps"
        far_alias "quiet$k" "ProxyCommand wire -s -n $k %h %p" "ServerAliveInterval 1" "ServerAliveCountMax 1"
    done
    refused 69 --remote="quiet$k" --ssh-config="$FAR/config" "$there/snaps"
    wait_for no_near wire
}

@test "nobody is asked for anything" {
    : >"$there/snap_1.hdf5"
    # standard input belongs to others
    [ "$(echo line | { iris-list "${far[@]}" -o list.tsv "$there"; cat; })" = line ]
    rm list.tsv
    # a key that needs a passphrase, with and without a terminal
    ssh-keygen -q -p -P '' -N secret -f "$FAR/id"
    printf '#!/bin/sh\ntouch "%s/asked"\necho secret\n' "$PWD" >askpass
    chmod +x askpass
    export DISPLAY=:0 SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force
    refused 69 "${far[@]}" "$there"
    [[ $stderr == *"Permission denied"* ]]
    run timeout 60 script -qec "iris-list --remote=far --ssh-config=$FAR/config $there; echo status \$?" /dev/null <<<secret
    [[ $output == *"Permission denied"*"status 69"* ]]
    ! grep -qi passphrase <<<"$output" || false
    [ ! -e asked ]
}

@test "the program ssh is run as it is, and needed" {
    : >"$there/snap_1.hdf5"
    # no shell of this machine either
    printf '#!/bin/sh\ntouch "%s/canary"\n' "$PWD" >shell
    chmod +x shell
    SHELL=$PWD/shell BASH_ENV=$PWD/shell ENV=$PWD/shell iris-list "${far[@]}" -o list.tsv "$there"
    nothing_ran
    rm list.tsv
    mkdir bin
    ln -s "$(command -v iris-list)" bin
    run -74 --separate-stderr env PATH="$PWD/bin" iris-list "${far[@]}" "$there"
    one_sentence iris-list
    [[ $stderr == *"'ssh'"* ]]
}

@test "limits of time, where the configuration has none" {
    : >"$there/snap_1.hdf5"
    # beside doing what it is told, it says what it makes of all settings
    cat >"$FAR/ssh" <<END
#!/bin/sh
$(command -v ssh) -G "\$@" | grep -E '^(serveralive|connecttimeout|batchmode|controlmaster)' >effective
exec $(command -v ssh) "\$@"
END
    chmod +x "$FAR/ssh"
    PATH=$FAR:$PATH iris-list "${far[@]}" -o list.tsv "$there"
    cat effective
    grep -qx 'batchmode yes' effective
    grep -qx 'connecttimeout 15' effective
    grep -qx 'serveraliveinterval 5' effective
    grep -qx 'serveralivecountmax 3' effective
    far_alias own "ConnectTimeout 7" "ServerAliveInterval 8" "ServerAliveCountMax 9"
    PATH=$FAR:$PATH iris-list --remote=own --ssh-config="$FAR/config" -o list.tsv "$there"
    grep -qx 'connecttimeout 7' effective
    grep -qx 'serveraliveinterval 8' effective
    grep -qx 'serveralivecountmax 9' effective
}

@test "ended by a signal, it leaves nothing behind" {
    (cd "$there" && seq -f 'a_rather_long_name_of_a_snapshot_%05g.hdf5' 1000 | xargs touch)
    far_wire slow -r 32K
    far_alias dead "ProxyCommand wire -c $FAR/count -s -n 8000 %h %p" "ServerAliveInterval 3" "ServerAliveCountMax 1"
    for host in slow dead; do
        for signal in TERM INT KILL; do
            rm -f "$FAR/count"
            setsid env --default-signal=INT iris-list --remote=$host --ssh-config="$FAR/config" -o list.tsv "$there" </dev/null 3>&- &
            wait_for far_has_sent 8000
            kill "-$signal" $!
            status=0
            wait $! || status=$?
            [ "$status" = 75 ] || [ "$status" -gt 128 ]
            [ -z "$(ls)" ]
            wait_for no_near ssh
            wait_for no_near wire
        done
    done
}
