# A server on loopback for the tests of what is remote; loaded with `load remote`.
# Everything of it lies in $FAR, nothing of it is left when a test has ended:
# setup calls far_start, teardown far_stop, whatever happens between.
#
#   $FAR/config       for ssh -F: the host far, and those of far_alias
#   $FAR/home         where relative paths start
#   $FAR/home/.bashrc read by bash, if that is the account's shell, for each command
#   $FAR/bin          before /usr/bin in the PATH of the account there
#   $FAR/id, id.pub   the key that is let in
#   $FAR/known        the host key that is expected
#   $FAR/log          what the server says

# far_start [LINE]...: start it, with these lines in its settings. An account
# without a shell: far_start "ForceCommand internal-sftp -d $FAR/home"
far_start() {
    export FAR=$BATS_TEST_TMPDIR/far
    FAR_HOST=${FAR_HOST:-127.0.0.1}
    mkdir -p "$FAR/home" "$FAR/bin"
    [ "$(id -u)" != 0 ] || install -d -m 755 /run/sshd
    [ -e "$FAR/id" ] || ssh-keygen -q -t ed25519 -N '' -f "$FAR/id"
    [ -e "$FAR/host" ] || ssh-keygen -q -t ed25519 -N '' -f "$FAR/host"
    echo "far $(cut -d' ' -f1,2 "$FAR/host.pub")" >"$FAR/known"
    until far_listen "$@"; do
        grep -q 'Address already in use' "$FAR/log" || { cat "$FAR/log"; return 1; }
    done
    rm -f "$FAR/config"
    far_alias far
}

# Try one port. The server dies with the test that called, even if that is killed.
far_listen() {
    FAR_PORT=$((20000 + RANDOM % 10000))
    cat >"$FAR/sshd_config" <<END
$(printf '%s\n' "$@")
ListenAddress $FAR_HOST
Port $FAR_PORT
HostKey $FAR/host
AuthorizedKeysFile $FAR/id.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
LogLevel VERBOSE
SetEnv FAR=$FAR HOME=$FAR/home PATH=$FAR/bin:/usr/bin:/bin
$([[ $* == *Subsystem* ]] || echo "Subsystem sftp internal-sftp -d $FAR/home")
END
    far_run
}

# Start the server as it was, at the same port.
far_run() {
    : >"$FAR/log"
    "${FAR_IN[@]}" setpriv --pdeathsig KILL /usr/sbin/sshd -D -f "$FAR/sshd_config" -E "$FAR/log" \
        </dev/null >/dev/null 2>&1 3>&- &
    FAR_PID=$!
    disown
    wait_for far_is_decided && kill -0 "$FAR_PID" 2>/dev/null
}

# It listens, or it has ended.
far_is_decided() {
    grep -q '^Server listening' "$FAR/log" || ! kill -0 "$FAR_PID" 2>/dev/null
}

# far_alias NAME [LINE]...: a name for the server in $FAR/config, with these
# lines before all others.
far_alias() {
    cat >>"$FAR/config" <<END
Host $1
$(printf '    %s\n' "${@:2}")
    HostName $FAR_HOST
    Port $FAR_PORT
    User $(id -un)
    HostKeyAlias far
    IdentityFile $FAR/id
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile $FAR/known
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
END
}

# far_wire NAME [OPTION]...: a name for the server behind wire(1 of tests/helpers)
# with these options, which counts in $FAR/count.
far_wire() {
    far_alias "$1" "ProxyCommand wire -c $FAR/count ${*:2} %h %p"
}

# The bytes that the server has sent through wires so far.
far_count() {
    if [ -s "$FAR/count" ]; then echo $((10#$(<"$FAR/count"))); else echo 0; fi
}

# far_has_sent N: that many, or more
far_has_sent() {
    [ "$(far_count)" -ge "$1" ]
}

# How many connections there have been, and how many commands for a shell.
far_connections() {
    grep -c '^Connection from' "$FAR/log"
}
far_commands() {
    grep -c '^Starting session: .*command' "$FAR/log"
}

# below PID: all processes that have come from it and still have their parents
below() {
    ps -eo pid=,ppid= | awk -v root="$1" '
        { parent[$1] = $2 }
        END {
            known[root]
            do {
                more = 0
                for (p in parent)
                    if (!(p in known) && parent[p] in known) { print p; known[p]; more = 1 }
            } while (more)
        }'
}

# end PIDS...: SIGKILL, and wait until they are dead
end() {
    local pids all
    all=$(xargs <<<"$*")
    [ -n "$all" ] || return 0
    while pids=$(ps -o pid=,stat= -p "${all// /,}" | awk '$2 !~ /^Z/ { print $1 }') && [ -n "$pids" ]; do
        kill -KILL $pids 2>/dev/null || true
        sleep 0.01
    done
}

# End the sessions of the server; it listens on.
far_cut() {
    end "$(below "$FAR_PID")"
}

# End the server and its sessions.
far_down() {
    kill -STOP "$FAR_PID" 2>/dev/null || return 0
    end "$(below "$FAR_PID")" "$FAR_PID"
}

# What the test has started, here or there, with this name if one is given: $FAR is
# in its environment. Shells of the test itself are not among it.
near() {
    local pid stat
    for pid in $(grep -lzxF "FAR=$FAR" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3); do
        stat=$(ps -o stat= -p "$pid") && [[ $stat != Z* ]] || continue
        [ -z "$1" ] || [ "$(ps -o comm= -p "$pid")" = "$1" ] || continue
        echo "$pid"
    done
}

# private: the private cache that a running iris-fetch has, by its lock, if there is one
private() {
    readlink "/proc/$(near iris-fetch)/fd/"* | sed -n 's,^\(/dev/shm/iris-[0-9]*-......\)/.*,\1,p' | head -1
}

# no_near NAME: none of that name
no_near() {
    [ -z "$(near "$1")" ]
}

# no_near_soon NAME...: none of these names, within seconds
no_near_soon() {
    local end=$((SECONDS + 60))
    until no_near "$1" && no_near "${2:-$1}"; do
        [ $SECONDS -lt $end ] || { ps -o args= -p "$(near | paste -sd,)"; return 1; }
        sleep 0.1
    done
}

# Processes that work in the directory of the test, but for the test itself.
strays() {
    local pid own=" $BASHPID " up=$BASHPID
    while [ "${up:-1}" -gt 1 ]; do
        up=$(ps -o ppid= -p "$up" | tr -d ' ')
        own+="$up "
    done
    for pid in /proc/[0-9]*; do
        [[ $(readlink "$pid/cwd" 2>/dev/null) == "$BATS_TEST_TMPDIR"* ]] || continue
        pid=${pid#/proc/}
        [[ $own == *" $pid "* ]] || echo "$pid"
    done
}

# Nothing is left of a test.
far_stop() {
    [ -n "$FAR" ] || return 0
    far_down
    end "$(jobs -p)" "$(near)" "$(strays)"
}

# far_net: two network namespaces with a link between: the server starts in one,
# FAR_NEAR... runs a command in the other. Both are gone with far_stop.
far_net() {
    unshare --net true 2>/dev/null || skip "no right to make network namespaces"
    export FAR=$BATS_TEST_TMPDIR/far
    far_namespace
    FAR_IN=("${FAR_NAMESPACE[@]}")
    far_namespace
    FAR_NEAR=("${FAR_NAMESPACE[@]}")
    "${FAR_NEAR[@]}" ip link add far type veth peer name near netns "${FAR_IN[2]}"
    "${FAR_IN[@]}" ip address add 10.77.0.2/30 dev near
    "${FAR_IN[@]}" ip link set near up
    "${FAR_NEAR[@]}" ip address add 10.77.0.1/30 dev far
    "${FAR_NEAR[@]}" ip link set far up
    FAR_HOST=10.77.0.2
}

# One more; FAR_NAMESPACE... runs a command in it.
far_namespace() {
    unshare --net sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
    FAR_NAMESPACE=(nsenter --target $! --net)
    disown
    wait_for far_is_apart $!
}
far_is_apart() {
    [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
