#!/usr/bin/env bats
# Listing, planning, fetching and making as one pipeline, and what happens to the
# others when one of them dies.
bats_require_minimum_version 1.5.0
load common
load remote

# Three snapshots, and their points as made on one machine without any copy.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    snapshots 3
    tiny_hyper -s writer_hyper.points_per_snapshot=2 >hyper.json
    iris-list -o list.tsv snaps
    iris-gen -H hyper.json -t simple -d base -o base.tsv list.tsv
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp -a "$BATS_FILE_TMPDIR"/{hyper.json,base,base.tsv} .
    far_start
    cp -a "$BATS_FILE_TMPDIR/snaps" "$FAR/home"
    size=$(stat -c %s "$FAR/home/snaps/snap_001.hdf5")
    ranks=2
    mkfifo a b c
}

teardown() {
    far_stop
    for p in "${stage[@]}"; do end_session "$p"; done
}

# tired NAME BYTES: a name for the server behind a line that is dead after so many
tired() {
    far_wire "$1" -t "$2" -s
}

# start HOST [FETCH-OPTION]...: the pipeline, each program in a session of its own;
# its process in stage[0..3], its words in NAME.err, the manifest in entries.tsv.
start() {
    local host=$1 words=(-H hyper.json -t simple -d out)
    shift
    stage=()
    rm -f entries.tsv
    setsid iris-list --remote="$host" --ssh-config="$FAR/config" snaps >a 2>list.err 3>&- &
    stage[0]=$!
    setsid iris-gen --plan "${words[@]}" - <a >b 2>plan.err 3>&- &
    stage[1]=$!
    setsid iris-fetch --ssh-config="$FAR/config" "$@" - <b >c 2>fetch.err 3>&- &
    stage[2]=$!
    setsid $(mpi $ranks) iris-gen "${words[@]}" --release -o entries.tsv - <c 2>gen.err 3>&- &
    stage[3]=$!
}

# All of them at one moment, so that none sees another go.
kill_all() {
    local p
    for p in "${stage[@]}"; do pkill -STOP -s "$p" || true; done
    for p in "${stage[@]}"; do end_session "$p"; done
    wait "${stage[@]}" || true
    wait_for no_near ssh
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null || [[ $(ps -o stat= -p "$1") == Z* ]]
}

# ends: every stage; its statuses in ended[0..3]
ends() {
    local k
    ended=()
    for k in 0 1 2 3; do
        wait_for is_gone "${stage[k]}" || { echo "stage $k goes on: $(tail -n 5 ./*.err)"; return 1; }
        ended[k]=0
        wait "${stage[k]}" || ended[k]=$?
    done
}

# Both points of a snapshot are there.
is_made() {
    [ "$(ls out/entries/*/raw/"$1"/*.npy 2>/dev/null | wc -l)" = 4 ]
}

# The same lines again, from a machine that counts what it sends: they end in the
# data set of local snapshots, and nothing is left of copies.
goes_on() {
    rm -f "$FAR/count"
    far_wire counted
    start counted --cache=cache --window=2
    ends
    [ "${ended[*]}" = "0 0 0 0" ] || { echo "statuses ${ended[*]}"; cat ./*.err; return 1; }
    cmp base.tsv entries.tsv
    same_data base out
    [ -z "$(ls cache)" ]
    no_leftovers
}

# is_private: iris-fetch has a cache of its own, $own
is_private() {
    own=$(private)
    [ -n "$own" ]
}

@test "the same bytes as from local snapshots, and no copy is left" {
    local options own
    for options in --cache=cache "--cache=cache --window=1" "--cache=cache --window=2 -j2" \
        "--cache=cache --budget=$((size * 3 / 2))" "--window=3 -j2" ""; do
        rm -rf out
        start far $options
        wait_for eval 'is_private || is_gone "${stage[2]}"'
        ends
        [ "${ended[*]}" = "0 0 0 0" ] || { echo "$options: ${ended[*]}"; cat ./*.err; return 1; }
        cmp base.tsv entries.tsv
        same_data base out
        [ ! -e cache ] || [ -z "$(ls cache)" ]
        [ -z "$own" ] || [ ! -e "$own" ]
    done
    # and alone
    ranks=1
    rm -rf out
    start far
    ends
    [ "${ended[*]}" = "0 0 0 0" ]
    same_data base out
}

@test "nothing is fetched when all is done" {
    cp -a base out
    rm -rf out/.iris
    start far --cache=cache --window=2
    ends
    [ "${ended[*]}" = "0 0 0 0" ]
    cmp base.tsv entries.tsv
    [ "$(far_connections)" = 1 ]
}

@test "one killed while the list is awaited: the others end" {
    local k
    far_wire mute -n 100 -s
    for k in 0 1 2 3; do
        start mute --cache=cache --window=2
        wait_for far_has_sent 100
        kill -KILL "${stage[k]}"
        ends
        # what comes after has nothing to read, what comes before no reader
        case $k in
        0) [ "${ended[*]}" = "137 65 65 65" ] ;;
        1) [ "${ended[0]}" = 75 ] && [ "${ended[2]}" = 65 ] && [ "${ended[3]}" = 65 ] ;;
        2) [ "${ended[0]}" = 75 ] && [ "${ended[1]}" = 75 ] && [ "${ended[3]}" = 65 ] ;;
        3) [ "${ended[0]}" = 75 ] && [ "${ended[1]}" = 75 ] && [ "${ended[2]}" = 75 ] ;;
        esac || { echo "stage $k: ${ended[*]}"; cat ./*.err; return 1; }
        [ ! -e entries.tsv ]
        rm -f "$FAR/count"
    done
    goes_on
}

@test "one killed while copies come: the others end, and nothing done is fetched again" {
    local k
    for k in fetch gen rank; do
        rm -rf out cache "$FAR/count"
        # silent in the third snapshot
        tired "tired$k" $((2 * size + size / 2 + 20000))
        start "tired$k" --cache=cache --window=2 --verify=size
        wait_for is_made snap_001
        wait_for is_made snap_002
        case $k in
        fetch) kill -KILL "${stage[2]}" ;;
        gen) kill -KILL "${stage[3]}" ;;
        rank) kill -KILL "$(pgrep -s "$(ps -o sid= -p "${stage[3]}" | tr -d ' ')" -x iris-gen | tail -n 1)" ;;
        esac
        ends
        [ "${ended[0]} ${ended[1]}" = "0 0" ]
        case $k in
        fetch) [ "${ended[2]}" = 137 ] && [ "${ended[3]}" = 75 ] ;;
        gen) [ "${ended[2]}" = 75 ] ;;
        rank) [ "${ended[2]}" = 75 ] && [ "${ended[3]}" != 0 ] ;;
        esac || { echo "$k: ${ended[*]}"; cat ./*.err; return 1; }
        [ ! -e entries.tsv ]
        wait_for no_near ssh
        goes_on
        # one snapshot at the most, less what had come of it
        [ "$(far_count)" -lt $((size + 40000)) ] || { echo "$k: $(far_count) bytes"; return 1; }
    done
}

# The line is dead after N bytes, or there were not so many left to copy.
is_spent() {
    far_has_sent "$1" || ! kill -0 "${stage[3]}" 2>/dev/null
}

@test "killed all at once, again and again, it ends in the same bytes" {
    local n
    for n in 20000 100000 200000 260000; do
        rm -f "$FAR/count"
        tired "until$n" "$n"
        start "until$n" --cache=cache --window=2 -j2
        wait_for is_spent "$n"
        kill_all
    done
    goes_on
}

@test "a private cache of a run that was killed is gone with the next one" {
    local own
    tired tired $((size + size / 2 + 20000))
    start tired
    wait_for is_made snap_001
    wait_for is_private
    kill_all
    start far
    ends
    [ "${ended[*]}" = "0 0 0 0" ]
    [ ! -e "$own" ]
    cmp base.tsv entries.tsv
    same_data base out
}

@test "a snapshot that cannot be had fails its points, and the others are made" {
    cat >edit <<'END'
#!/bin/bash
# between list and plan: one of the files goes
cat >all
rm -f "$FAR/home/snaps/snap_002.hdf5"
cat all
END
    chmod +x edit
    iris-list --remote=far --ssh-config="$FAR/config" snaps | ./edit >list.tsv
    status=0
    iris-fetch --cache=cache --window=2 --ssh-config="$FAR/config" list.tsv 2>fetch.err |
        iris-gen -H hyper.json -t simple -d out --release -o entries.tsv - 2>gen.err || status=$?
    [ "$status" = 1 ]
    grep -q "cannot open 'far:snaps/snap_002.hdf5': No such file or directory" fetch.err
    [ "$(column state entries.tsv | tr '\n' ' ')" = "raw raw failed failed raw raw " ]
    ! grep -q 'far\|snaps/' entries.tsv || false
    [ -z "$(ls cache)" ]
}

@test "the pipelines of the pages, as printed" {
    mkdir bin
    printf '#!/bin/bash\nexec %s -F %q "$@"\n' "$(command -v ssh)" "$FAR/config" >bin/ssh
    chmod +x bin/ssh
    sed -i 's/^Host far$/Host far archive/' "$FAR/config"
    mkdir "$FAR/data"
    mv "$FAR/home/snaps" "$FAR/data/simulation"
    example() {
        sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$IRIS_SOURCE/man/$1" | sed -n '/^iris-list.*archive/,/^\.Ed/p' |
            grep -v '^\.Ed' | sed "s|\\\\e$|\\\\|; s|/data/simulation|$FAR/data/simulation|; s|/scratch|$PWD|; s|mpirun -n 8|$(mpi 2)|"
    }
    for page in iris-list.1 iris-fetch.1; do
        example $page >"$page.sh"
        grep -q archive "$page.sh"
        rm -rf galaxy snapshots
        PATH=$PWD/bin:$PATH bash -euo pipefail "$page.sh" || { cat "$page.sh"; return 1; }
    done
    same_data base galaxy
    cmp base.tsv entries.tsv
    [ "$(column local fetched.tsv | head -n 1)" = "$PWD/snapshots/snap_001/snap_001.hdf5" ]
}
