#!/usr/bin/env bats
# A run of iris-gen is killed at any moment, however and whoever of it: the same
# command makes the data set that it would have made.
#
#   KILLS_SEED  of what is random here; said when it is drawn
bats_require_minimum_version 1.5.0
load common

# Far more than anything here takes; who needs longer hangs.
patience=120

# Two works, each with a list, settings and what comes of them: one of many points,
# and one of fewer than ranks, which are made in parts.
setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    mkdir snaps
    for i in 1 2 3; do
        iris-mock -o snaps/snap_00$i.hdf5 --cells=60000 --seed=$i
    done
    hyper() {
        tiny_hyper -s coordinate_hyper.r_steps=64 -s coordinate_hyper.r_crop_max_index=64 \
            -s coordinate_hyper.lon_steps=128 "$@"
    }
    hyper -s coordinate_hyper.lat_steps=16 -s writer_hyper.points_per_snapshot=4 -o points.json
    hyper -s coordinate_hyper.lat_steps=48 -s writer_hyper.points_per_snapshot=1 -o parts.json
    iris-list -o points.tsv snaps
    iris-list -o parts.tsv snaps/snap_00[12].hdf5
    for work in points parts; do
        iris-gen -H $work.json -t simple -d ref.$work -o ref.$work.tsv $work.tsv
    done
}

setup() {
    cp -r "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    sessions=()
    declare -gA shm=() length=() hit=()
}

teardown() {
    forget
}

# forget: nothing of the sessions is left, and their numbers may be given again
forget() {
    local sid
    for sid in "${sessions[@]}"; do
        end_session "$sid"
        rm -rf "${OMPI_MCA_orte_tmpdir_base:-${TMPDIR:-/tmp}}/ompi.$(hostname).$(id -u)/pid.$sid"
    done
    sessions=()
}

# ---- jobs ----

# work WORK RANKS: what is run, in command; ranks 0: without a launcher
work() {
    command=(iris-gen -H "$1.json" -t simple -d d -o e.tsv "$1.tsv")
    [ "$2" = 0 ] || command=($(mpi "$2") "${command[@]}")
    ref=ref.$1
}

# start COMMAND...: in a session of its own, $job
start() {
    setsid "$@" </dev/null >/dev/null 2>stderr 3>&- &
    job=$!
    sessions+=($job)
}

now() {
    echo $((${EPOCHREALTIME/./} / 1000))
}

# is_over: nobody of the job is left that is not dead
is_over() {
    [ -z "$(ps -o pid=,stat= -s "$job" | awk '$2 !~ /^Z/')" ]
}

# ends WHEN: wait for the job; its $status
ends() {
    settle $job || { echo "hangs: $1"; return 1; }
    [ $status != hung ] || [ "$1" = "after the signal" ] || { echo "hung: $1"; return 1; }
}

# pids WHO: processes of the job; WHO is all, mpirun or the number of a rank
pids() {
    local p
    case $1 in
    all) ps -o pid= -s $job ;;
    mpirun) echo $job ;;
    *)
        for p in $(ps -o pid= -s $job); do
            ! grep -qz "^OMPI_COMM_WORLD_RANK=$1\$" /proc/$p/environ 2>/dev/null || echo $p
        done
        ;;
    esac
}

# note_shm: where the job has its shared memory, in the keys of shm
note_shm() {
    local p dir
    for p in $(pids all); do
        for dir in $(readlink /proc/$p/fd/* 2>/dev/null |
            grep "^/dev/shm/iris-$(id -u)-mpi-" | sed 's,/\.held$,,'); do
            shm[$dir]=1
        done
    done
}

# moment: where the run is: start, load, points, between two of them, end
moment() {
    perl -e '
        my %is;
        for (glob "d/.iris/flight/rank*") {
            open my $in, "<:raw", $_ or next;
            local $/;
            my (undef, $word, undef, undef, undef, undef, $what) = unpack "a8 Q i i Q Q Z*", <$in>;
            $is{$word ? $what =~ /\.p\d+$/ ? "points" : "load" : "between"} = 1;
        }
        my @all = grep { $is{$_} } qw(load points between);
        print -e "e.tsv" ? "end" : @all ? $all[0] : "start", "\n"'
}

# ---- data sets ----

# before STATE: what there is when the run begins: nothing, a part or all
before() {
    local f
    rm -f e.tsv
    if [ "$1" = nothing ] || ! same_data $ref d >/dev/null 2>&1; then
        rm -rf d
    fi
    [ "$1" = nothing ] || [ -e d ] || cp -r $ref d
    [ "$1" = part ] || return 0
    for f in d/entries/*/raw/*/*.npy; do
        [ $((RANDOM % 2)) = 0 ] || rm "$f"
    done
}

# nothing_half DATASET REFERENCE: every file under a final name is whole
nothing_half() {
    local f
    [ -e "$1/entries" ] || return 0
    for f in $(cd "$1" && find entries -type f ! -name '*.tmp'); do
        cmp "$1/$f" "$2/$f" || return 1
    done
}

# nothing_left: of what a run writes for itself alone
nothing_left() {
    local left
    left=$(find d -name '*.tmp'; find d/.iris/flight d/.iris/suspects -type f 2>/dev/null) || true
    [ -z "$left" ] || { echo "left: $left"; return 1; }
}

# ---- to kill ----

# measure RANKS STATE: how long it takes undisturbed, in ms; $took
measure() {
    local key="${command[*]} $2" from
    if [ -z "${length[$key]}" ]; then
        before "$2"
        from=$(now)
        start "${command[@]}"
        ends undisturbed
        [ $status = 0 ]
        length[$key]=$(($(now) - from))
    fi
    took=${length[$key]}
}

# strike SIGNAL WHO: now, unless it is over; $where
strike() {
    local all
    note_shm
    all=$(pids "$2")
    where=$(moment)
    kill -0 $job 2>/dev/null && [ -n "$all" ] && kill -s "$1" $all 2>/dev/null
}

# has WHO: there is such a process, or never will be
has() {
    [ -n "$(pids "$1")" ] || ! kill -0 $job 2>/dev/null
}

# kill_once SIGNAL WHO RANKS STATE THOUSANDTHS: ... of the time that it takes, or when it
# has just made its manifest ("end"); $status
kill_once() {
    local share=$5
    if [ "$share" = end ]; then
        before "$4"
        start $(stops rename e.tsv) "${command[@]}"
        wait_for are_stopped $job 1
        strike "$1" "$2"
        ends "after the signal"
        return
    fi
    while :; do
        before "$4"
        start "${command[@]}"
        sleep "$(printf '%d.%03d' $((took * share / 1000000)) $((took * share / 1000 % 1000)))"
        wait_for has "$2"
        if strike "$1" "$2"; then
            break
        fi
        # it was faster this time
        ends "done before"
        [ $status = 0 ] || { echo "undisturbed, and status $status"; cat stderr; return 1; }
        share=$((share * 9 / 10))
    done
    ends "after the signal"
}

# again: the same command; whoever is on the way out may still have a lock
again() {
    local late=$(($(now) + patience * 1000))
    while :; do
        start "${command[@]}"
        ends "the same command"
        note_shm
        [ $status = 75 ] && [ "$(now)" -lt $late ] || break
        grep -qE ' is in use by another run|another program is writing' stderr
        sleep 0.1
    done
    [ $status = 0 ] || { echo "status $status"; cat stderr; return 1; }
}

# survive SIGNAL WHO RANKS STATE THOUSANDTHS WORK
survive() {
    local killed
    work "$6" "$3"
    measure "$3" "$4"
    kill_once "$@"
    killed=$job
    echo "SIG$1 to $2 of $3 ranks, $6, $4 there, at $5 (of 1000) of $took ms: hit $where, status $status"
    hit[$where]=$((${hit[$where]:-0} + 1))
    nothing_half d $ref
    [ $status != 0 ] || cmp $ref.tsv e.tsv
    again
    wait_for is_over
    job=$killed
    wait_for is_over
    cmp $ref.tsv e.tsv
    same_data $ref d
    nothing_left
    forget
}

# Every signal to everybody with any number of ranks, and to a process alone; in any
# order.
all_kills() {
    local signal n
    for signal in TERM USR1 KILL; do
        echo "$signal 0 0"
        for n in 1 2 3; do
            echo "$signal mpirun $n"
            echo "$signal all $n"
            echo "$signal $((RANDOM % n)) $n"
        done
    done | while read -r line; do echo "$RANDOM $line"; done | sort -n | cut -d' ' -f2-
}

@test "30 kills at random moments" {
    seed=${KILLS_SEED:-$RANDOM}
    RANDOM=$seed
    echo "seed $seed"
    from=$((RANDOM % 1000)) i=0
    states=(nothing nothing part nothing all)
    while read -r signal who n; do
        # no two moments are near each other
        share=$(((from + i * 618) % 1000))
        name=points
        [ $n -lt 2 ] || [ $((i % 2)) = 0 ] || name=parts
        [ "$who" != 0 ] || [ $n != 0 ] || who=all
        survive $signal $who $n ${states[i % 5]} $share $name
        i=$((i + 1))
    done < <(all_kills)
    [ $i = 30 ]
    # the end is short, and may have been missed by all
    survive KILL all 2 nothing end points
    # an orderly job sweeps up what those have left that were killed
    work points 2
    again
    for dir in "${!shm[@]}"; do
        wait_for test ! -e "$dir"
    done
    said=
    for where in start load points between end; do
        said+=" $where ${hit[$where]:-0},"
    done
    echo "# kills: seed $seed, hit${said%,}" >&3
    # they are spread
    for where in start points end; do
        [ ${hit[$where]:-0} -gt 0 ]
    done
}
