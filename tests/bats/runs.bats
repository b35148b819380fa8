#!/usr/bin/env bats
# Several runs of iris-gen on one data set, and what a run writes about itself.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 4
    tiny_hyper -o hyper.json
    iris-list -o list.tsv snaps
    rows list.tsv '$skip = $n > 2' >first.tsv
    rows list.tsv '$skip = $n <= 2' >second.tsv
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv list.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    unset SLURM_JOB_ID
    background=
}

teardown() {
    [ -z "$background" ] || end_session "$background"
}

# by N COMMAND...: with N ranks; 0: without a launcher
by() {
    local n=$1
    shift
    $([ "$n" = 0 ] || mpi "$n") "$@" </dev/null
}

gen() {
    iris-gen -H hyper.json -t simple -d d "$@"
}

# hold N OPTION... MANIFEST: a run of N ranks, held at the first array of rank 0;
# its session is $background, the process that is held $held
hold() {
    local n=$1
    shift
    setsid $(stops rename observed.npy STOP_NTH=1 $([ "$n" = 0 ] || echo STOP_RANK=0)) \
        $([ "$n" = 0 ] || mpi "$n") iris-gen -H hyper.json -t simple -d d -o held.tsv "$@" \
        </dev/null >/dev/null 2>stderr 3>&- &
    background=$!
    wait_for are_stopped $background 1
    held=$(stopped $background)
}

# goes_on: the run that is held, to its end
goes_on() {
    kill -CONT "$held"
    wait $background
    background=
}

# refused PATTERN OPTION... MANIFEST: by 75 and one sentence, and nothing changes
refused() {
    local pattern=$1 n
    shift
    find d/entries -type f | sort >before
    for n in 0 2; do
        run -75 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d -o e.tsv "$@"
        one_sentence iris-gen
        [[ $stderr == *"$pattern"* ]] || { echo "no '$pattern' in: $stderr"; return 1; }
        [ -z "$output" ]
        [ ! -e e.tsv ]
        find d/entries -type f | sort | diff before -
    done
}

# both: the data set is that of one run
both() {
    gen --plan list.tsv | column todo /dev/stdin | sort -u | grep -qx 0
    same_data ref d
}

# ---- names ----

@test "names that are none" {
    for name in '' .a a/b 'a b' ../a 'ä' "$(printf 'a%.0s' {1..101})"; do
        run -64 --separate-stderr gen --run="$name" list.tsv
        one_sentence iris-gen
        [[ $stderr == *"bad name '$name' of a run: need letters, digits and . _ - only"* ]]
        [ ! -e d ]
    done
    gen --run=A.b_c-9 -o e.tsv list.tsv
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "two runs at once make the data set of one" {
    for n in 0 2; do
        rm -rf d
        hold $n --run=a first.tsv
        run -0 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d --run=b -o e.tsv second.tsv
        [ -z "$stderr" ]
        kill -0 "$held"
        goes_on
        both
        # their rows together are those of one
        iris-merge -d d -o merged.tsv held.tsv e.tsv
        iris-merge -d ref merged.tsv | cmp - <(iris-merge -d ref ref.tsv)
    done
    # with other settings also of the same snapshots
    hold 0 --run=a --round=1 list.tsv
    run -0 --separate-stderr gen --run=b --round=2 -o e.tsv list.tsv
    goes_on
    [ "$(ls d/entries | wc -l)" = 3 ]
}

@test "what a run with a name writes is in a folder of its own" {
    gen --run=a -o e.tsv first.tsv
    by 2 iris-gen -H hyper.json -t simple -d d --run=b -o e.tsv second.tsv
    [ "$(ls d/.iris/runs)" = $'a\nb' ]
    [ ! -e d/.iris/status.json ]
    [ ! -e d/.iris/journal ]
    [ ! -e d/.iris/flight ]
    [ "$(ls d/.iris/runs/a/journal)" = rank0.tsv ]
    [ "$(ls d/.iris/runs/b/journal)" = $'rank0.tsv\nrank1.tsv' ]
    [ "$(cat d/.iris/runs/a/journal/* | grep -c 'snap_00[12]')" = 6 ]
    [ "$(cat d/.iris/runs/b/journal/* | grep -c 'make .*snap_00[34]')" = 6 ]
    for name in a b; do
        grep -q '"state": "finished".*"points": 6, "done": 6' d/.iris/runs/$name/status.json
    done
    # one without is beside them
    gen -o e.tsv list.tsv
    cmp ref.tsv e.tsv
    grep -q '"points": 12, "done": 12, "there_before": 12' d/.iris/status.json
    both
}

@test "runs that would be in each other's way are refused" {
    for job in "" 4711; do
        rm -rf d
        [ -z "$job" ] || export SLURM_JOB_ID=$job
        for n in 0 2; do
            hold $n --run=a first.tsv
            who="(host $(hostname), process $held${job:+, job $job})"
            unset SLURM_JOB_ID # of those who are refused
            # who has come and gone is not in the way
            gen --run=z -o z.tsv second.tsv
            refused "data set 'd' is in use by another run of the name 'a' $who" --run=a second.tsv
            refused "data set 'd' is in use by another run $who" second.tsv
            refused "another run on data set 'd' is at snapshot 'snap_001' with the same settings $who" --run=b list.tsv
            # looking is allowed
            gen --plan list.tsv >plan.tsv
            gen --estimate --run=a list.tsv >estimate.tsv
            [ -z "$job" ] || export SLURM_JOB_ID=$job
            goes_on
            rm -rf d
            hold $n first.tsv
            who="(host $(hostname), process $held${job:+, job $job})"
            refused "data set 'd' is in use by another run $who" second.tsv
            refused "data set 'd' is in use by another run $who" --run=b second.tsv
            goes_on
            # nothing is left of the locks
            run -0 --separate-stderr gen --run=a second.tsv
            both
            rm -rf d
        done
    done
}

@test "a snapshot is held until the run ends, and no longer" {
    hold 0 --run=a first.tsv
    # also one that is not begun yet
    rows list.tsv '$skip = $n != 2' >later.tsv
    refused "is at snapshot 'snap_002'" --run=b later.tsv
    gen --run=b -o e.tsv second.tsv
    gen --run=c -o e.tsv second.tsv
    kill -KILL "$held"
    wait $background || true
    background=
    run -0 --separate-stderr gen --run=b -o e.tsv first.tsv
    both
}

# ---- what a run writes about itself ----

# status EXPRESSION [FILE]: of s, the status file, is true in Python
status() {
    python3 - "$1" "${2:-d/.iris/status.json}" <<'END'
import json, sys
s = json.load(open(sys.argv[2]))
p = s["phases"]
if not eval(sys.argv[1]):
    sys.exit("not %s: %s" % (sys.argv[1], s))
END
}

# npy DATASET: bytes of its arrays
npy() {
    find "$1/entries" -name '*.npy' -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'
}

keys='["state", "digest", "ranks", "points", "done", "there_before", "failed", "seconds", "rate_per_s"]'
more='["peak_rank_bytes", "phases", "host", "process", "updated"]'
phases='["load_s", "wait_s", "tables_s", "make_s", "write_s", "read_bytes", "written_bytes"]'

@test "status.json is JSON, and adds up" {
    hold 0 list.tsv
    status "s['state'] == 'running' and s['process'] == $held and s['host'] == '$(hostname)' and 'job' not in s"
    goes_on
    status "s['state'] == 'finished' and list(s)[:9] == $keys and list(s)[-5:] == $more and list(p) == $phases"
    status "s['digest'] == '$(ls d/entries)' and s['ranks'] == 1"
    status "(s['points'], s['done'], s['there_before'], s['failed']) == (12, 12, 0, 0)"
    status "p['written_bytes'] == $(npy d) and p['read_bytes'] == $(cat snaps/* | wc -c)"
    status "sum(p[k] for k in p if k.endswith('_s')) <= s['seconds'] + 1"
    status "s['updated'][:4].isdigit() and s['updated'][-1] == 'Z' and len(s['updated']) == 20"
    status "s['peak_rank_bytes'] // 1024 == $(awk -F'\t' '!/^#/ && $10 > most { most = $10 } END { print most }' d/.iris/journal/rank0.tsv)"
    # some are there, some fail
    rm d/entries/*/raw/snap_002/p001.* d/entries/*/raw/snap_003/p00[02].*
    truncate -s 60000 snaps/snap_003.hdf5
    for n in 0 2; do
        SLURM_JOB_ID=4711 run -1 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d -o e.tsv list.tsv
        status "(s['points'], s['done'], s['there_before'], s['failed']) == (12, 12, $((9 + !!n)), 2)"
        status "s['job'] == '4711' and s['ranks'] == $((n + !n)) and s['state'] == 'finished'"
        status "p['written_bytes'] == $([ $n = 0 ] && echo "$(($(npy ref) / 12))" || echo 0)"
    done
    run -75 --separate-stderr gen --round=3 --deadline=0 -o e.tsv list.tsv
    status "s['state'] == 'stopped' and s['done'] == 0 and s['points'] == 12 and s['deadline_s'] <= 0"
    gen --round=3 --deadline=1000 -o e.tsv first.tsv
    status "s['state'] == 'finished' and 0 < s['deadline_s'] <= 1000 and s['eta_s'] == 0"
}

header="#Seq Host Starttime JobRuntime Send Receive Exitval Signal Command peak_kib message gpu_peak_kib gpu_wait gpu"

@test "the journal is a joblog, and its bytes are those of files" {
    for n in 0 1 3; do
        rm -rf d
        by $n iris-gen -H hyper.json -t simple -d d -o e.tsv list.tsv
        [ "$(ls d/.iris/journal | wc -l)" = $((n + !n)) ]
        for f in d/.iris/journal/*; do
            [ "$(head -1 "$f")" = "${header// /$'\t'}" ]
            awk -F'\t' -v host="$(hostname)" '!/^#/ && (NF != 14 || $1 != ++n || $2 != host || $3 < 1e9 ||
                $4 < 0 || $7 != 0 || $8 != 0 || $10 < 1 || $11 != "." || $12 != 0 || $13 != 0 || $14 != ".") { print; exit 1 }' "$f"
        done
        cat d/.iris/journal/* | grep -v '^#' >all
        # a point's arrays are received, a snapshot is sent where it is loaded
        while IFS=$'\t' read -r id column observed; do
            bytes=$(($(stat -c %s "d/$column") + $(stat -c %s "d/$observed")))
            awk -F'\t' -v id="make $id" -v bytes=$bytes '$9 == id { n++; bad = $6 != bytes } END { exit bad || n != 1 }' all
        done < <(paste <(column id e.tsv) <(column column e.tsv) <(column observed e.tsv))
        [ "$(awk -F'\t' '{ sum += $6 } END { print sum }' all)" = "$(npy d)" ]
        [ "$(awk -F'\t' '{ sum += $5 } END { print sum }' all)" = "$(cat snaps/* | wc -c)" ]
        # what the status says of all ranks
        status "(p['read_bytes'], p['written_bytes']) == ($(cat snaps/* | wc -c), $(npy d))"
    done
    # more is added at the end, failures with their sentence
    truncate -s 60000 snaps/snap_003.hdf5
    rm d/entries/*/raw/snap_003/p001.*
    run -1 --separate-stderr gen -o e.tsv list.tsv
    tail -1 d/.iris/journal/rank0.tsv | awk -F'\t' '
        $7 != 65 || $6 != 0 || $9 !~ /^make [0-9a-f]+\.snap_003\.p001$/ || $11 !~ /snap_003/ { print; exit 1 }'
    [ "$(grep -c '^#' d/.iris/journal/rank0.tsv)" = 1 ]
}

@test "-v says what it took, progress has the memory" {
    for n in 0 2; do
        rm -rf d
        run -0 --separate-stderr by $n iris-gen -v --progress=0.001 -H hyper.json -t simple -d d -o e.tsv list.tsv
        grep -qxE 'iris-gen: 12/12.*, [0-9.]+ MiB' <<<"$stderr"
        grep -A8 'of all ranks:$' <<<"$stderr" >totals
        sed -E 's/ +/ /g; s/[0-9.]+/N/g' totals | diff - <(
            echo "iris-gen: N s; of all ranks:"
            for phase in load wait tables make write; do
                echo "iris-gen: $phase N s"
            done
            printf 'iris-gen: %s\n' "read N MiB" "written N MiB" "memory N MiB, the most of a rank"
        )
        [ "$(awk '$2 == "read" { print $3 }' totals)" = "$(cat snaps/* | wc -c | awk '{ printf "%.1f", $1 / 1048576 }')" ]
    done
    run -0 --separate-stderr gen -o e.tsv list.tsv
    [ -z "$stderr" ]
}
