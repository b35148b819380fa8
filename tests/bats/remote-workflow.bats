#!/usr/bin/env bats
# The make workflow with snapshots of another machine.
bats_require_minimum_version 1.5.0
load common
load remote

# A data set made of local snapshots, which those of the other machine must equal.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    snapshots 3
    iris-mock -o snaps/snapdir_004 --cells=2000 --seed=4 --files=2
    tiny_hyper -s writer_hyper.unit_calculation_sample_size=6 -s writer_hyper.points_per_snapshot=2 >hyper.json
    setup_make
    timeout 120 "${flow[@]}" SOURCE=snaps DATASET=base >make.out
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp -a "$BATS_FILE_TMPDIR"/{hyper.json,base} .
    far_start
    cp -a "$BATS_FILE_TMPDIR/snaps" "$FAR/home"
    setup_make
}

teardown() {
    far_stop
}

# A make of its own, not a part of the one that runs the tests.
setup_make() {
    unset SOURCE FILES HYPER DATASET TYPE NP SEED ROUND PART WINDOW CACHE UNITS_FROM SAMPLE \
        ALLOW_FAILED STATE MPIRUN GEN SSH_CONFIG FETCH
    flow=(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -f "$IRIS_SOURCE/workflows/iris.mk"
        HYPER=hyper.json TYPE=simple)
}

flow() {
    timeout 120 "${flow[@]}" SOURCE=far:snaps SSH_CONFIG="$FAR/config" DATASET=out CACHE=cache "$@" >make.out
}

# The data set is that of the local snapshots, and so are its manifests.
same_as_base() {
    same_data base out && cmp base/.iris/published out/.iris/published && iris-check -q out
}

# fetched: the ids that iris-fetch was called for, from what make printed
fetched() {
    sed -n 's|^ *iris-fetch .*--copy.* -o [^ ]*/\([^ ]*\)\.tsv .*|\1|p' make.out | tr '\n' ' '
}

@test "the same bytes as from local snapshots" {
    flow -j2
    same_as_base
    [ -z "$(ls cache)" ]
    # nothing is left to do, and looking does not ask the other machine
    n=$(far_connections)
    flow -q publish
    flow status
    [ "$(far_connections)" = "$n" ]
}

@test "a data set knows neither machine nor user nor paths" {
    flow -j2
    cp -a out away
    rm -r away/.iris
    for word in far "$FAR" "$(id -un)" "$HOSTNAME" 127.0.0.1; do
        ! grep -rlwF --exclude='*.npy' -- "$word" away || { echo "'$word' is in the data set"; return 1; }
    done
    # and no manifest knows how the machine is reached
    for word in "$FAR/config" "$FAR/id" "$FAR_PORT"; do
        ! grep -lF -- "$word" out/.iris/*.tsv out/.iris/*/*.tsv || { echo "'$word' is in a manifest"; return 1; }
    done
}

@test "a cache of its own in memory, when none is named" {
    flow -j2 CACHE=
    same_as_base
    run -0 grep -o '/dev/shm/iris-[0-9-]*' make.out
    [ -n "${lines[0]}" ]
    [ ! -e "${lines[0]}" ]
}

@test "names of any kind are targets by their ids" {
    cd "$FAR/home"
    rm -r snaps/*
    odd=('snap 1' "q'uo\"te_2" '$(touch gone)_3' '`touch gone`_4' $'line\nend_5' '-rf_6' 'ü_7' 'a=b_8' 'x;touch gone;_9' '*_10' 'a\b_11')
    mkdir "$BATS_TEST_TMPDIR/snaps"
    for name in "${odd[@]}"; do
        iris-mock -o "$BATS_TEST_TMPDIR/one" --cells=500 --seed="${name##*[_ ]}"
        cp "$BATS_TEST_TMPDIR/one" "snaps/$name.hdf5"
        mv "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/snaps/$name.hdf5"
    done
    cd "$BATS_TEST_TMPDIR"
    mv base old
    timeout 120 "${flow[@]}" SOURCE=snaps DATASET=base >/dev/null
    flow -j2
    same_as_base
    [ "$(grep -c '^[^#]' out/.iris/list.tsv)" = ${#odd[@]} ]
    [ -z "$(find . -name 'gone*')" ]
    [ "$(far_commands)" = 0 ] || ! grep -q touch "$FAR/log" || false
}

@test "a directory with odd names, and the home directory itself" {
    mv "$FAR/home/snaps" "$FAR/home/it's \$(x) \"one\""
    flow SOURCE="far:it's \$\$(x) \"one\"" -j2
    same_as_base
    rm -rf out
    mv "$FAR/home/it's \$(x) \"one\""/* "$FAR/home"
    flow SOURCE=far: -j2
    same_as_base
}

@test "a colon behind a slash is of this machine" {
    mkdir with:colon
    cp -a "$FAR/home/snaps/." with:colon
    timeout 120 "${flow[@]}" SOURCE=./with:colon DATASET=out >make.out
    same_as_base
    [ "$(far_connections)" -le 1 ]
}

@test "no machine, no list: a sentence, and nothing is made" {
    far_down
    run ! --separate-stderr flow
    [[ $stderr == *"iris-list: cannot connect to 'far': "* ]]
    [ ! -e out ]
    [ ! -e cache ]
}

@test "a machine that goes away while it is copied from: the same command goes on" {
    far_wire thin -n 100000
    run ! --separate-stderr flow SOURCE=thin:snaps FETCH=--retries=0
    # the points of what could not be had have failed, and say so
    [[ $stderr == *"iris-fetch: lost the connection to 'thin'"* ]]
    grep -q 'is on another machine and was not fetched' out/.iris/gen/*.tsv
    ! grep -rqF 'thin' out/.iris/gen || false
    far_alias thin2
    sed -i '/^Host thin$/,/^Host thin2$/s/^ *ProxyCommand.*//' "$FAR/config"
    flow SOURCE=thin:snaps retry
    same_as_base
}

@test "a rerun fetches no snapshot whose points are done" {
    flow -j2
    rm out/.iris/gen/* out/.iris/merged.tsv
    n=$(far_connections)
    flow -j2
    same_as_base
    [ "$(far_connections)" = "$n" ]
    # of one that has lost a point, and only of that
    rm out/entries/*/raw/snap_002/p001.* out/.iris/gen/*
    far_wire counted
    sed -i 's/^Host far$/Host elsewhere/; s/^Host counted$/Host far/' "$FAR/config"
    flow -j2 FETCH=--verify=size
    same_as_base
    size=$(stat -c %s "$FAR/home/snaps/snap_002.hdf5")
    [ "$(far_count)" -ge "$size" ]
    [ "$(far_count)" -lt $((size * 5 / 4 + 8192)) ]
}

@test "listing again finds what has changed there" {
    flow -j2
    cp "$FAR/home/snaps/snap_001.hdf5" "$FAR/home/snaps/snap_009.hdf5"
    flow -j2 relist publish
    [ "$(fetched)" = "snap_009 " ]
    [ "$(grep -c '^[^#]' out/.iris/list.tsv)" = 5 ]
    # one that was touched only is fetched, compared and found the same
    touch -d '2001-01-01' "$FAR/home/snaps/snap_002.hdf5"
    flow -j2
    flow -j2 relist publish
    iris-check -q out
}

@test "killed at odd moments, it goes on and ends in the same bytes" {
    for seconds in 0.2 0.4 0.6 0.8 1.0 1.3; do
        ! killed_after "$seconds" "${flow[@]}" SOURCE=far:snaps SSH_CONFIG="$FAR/config" DATASET=out CACHE=cache -j2 || continue
    done
    wait_for no_near ssh
    flow -j2
    same_as_base
    [ -z "$(ls cache)" ]
}

@test "an address with colons, and a user" {
    far_alias ::1
    for host in ::1 "$(id -un)@::1"; do
        flow SOURCE="${host/::1/[::1]}:snaps" DATASET="d${#host}" list
        [ "$(column remote "d${#host}/.iris/list.tsv" | sort -u)" = "$host" ]
        [ "$(column path "d${#host}/.iris/list.tsv" | head -1)" = snaps/snap_001.hdf5 ]
    done
    # a name with brackets is one of this machine
    cp -a "$BATS_FILE_TMPDIR/snaps" 'a[b]'
    flow SOURCE='a[b]' DATASET=here list
    [ "$(column remote here/.iris/list.tsv | sort -u)" = . ]
}
