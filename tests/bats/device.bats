#!/usr/bin/env bats
# Where points are made: by processors or by GPUs. What a GPU does is tested with
# programs whose GPU is emulated.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    snapshots 2
    settings 16 12 6 >hyper.json
    iris-list -H hyper.json snaps -o list.tsv
    iris-chem -q -H hyper.json -o lines.h5
    export CUDA_VISIBLE_DEVICES=
    for type in synthetic simple standard; do
        gen $type $type -o $type.tsv
    done
    EMULATED=$(dirname "$(command -v elementary_bits)")/emulated
    export EMULATED
}

# settings R LON LAT
settings() {
    tiny_lines -s coordinate_hyper.r_steps="$1" -s coordinate_hyper.r_crop_max_index="$1" \
        -s coordinate_hyper.lon_steps="$2" -s coordinate_hyper.lat_steps="$3" \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=3
}

setup() {
    cp -r "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    export CUDA_VISIBLE_DEVICES=
}

# gen TYPE DATASET WORD...
gen() {
    local lines=
    [ "$1" != synthetic ] || lines=--lines=lines.h5
    iris-gen -q -H hyper.json -t "$1" -d "$2" $lines "${@:3}" list.tsv </dev/null
}

record() {
    cat "$1"/entries/*/arithmetic
}

# put_record DATASET WORD
put_record() {
    local d
    for d in "$1"/entries/*; do
        echo "$2" >"$d/arithmetic"
    done
}

# refused STATUS WORDS COMMAND...: in one sentence
refused() {
    run -"$1" --separate-stderr "${@:3}"
    one_sentence "$3"
    [[ $stderr == *"$2"* ]] || { echo "$stderr"; return 1; }
}

# ---- the programs as they are, without a GPU ----

@test "wrong words" {
    gen_words=(iris-gen -H hyper.json -t synthetic -d d)
    for device in gpu cuda: cuda:x cuda:-1 cuda:99999 CPU ''; do
        refused 64 "bad device '$device': need auto, cpu, cuda or cuda:N" "${gen_words[@]}" --device="$device" list.tsv
        refused 64 "bad device '$device'" iris-observe -H hyper.json -d d --device="$device" standard.tsv
    done
    for leases in 0 -1 65 x ''; do
        refused 64 "bad number '$leases' of leases: need 1 to 64" "${gen_words[@]}" --leases-per-gpu="$leases" list.tsv
    done
    refused 64 "--precise does not go with --device=cuda" "${gen_words[@]}" --precise --device=cuda list.tsv
    refused 64 "--precise does not go with --device=cuda" "${gen_words[@]}" --precise --device=cuda:1 list.tsv
    refused 64 "--precise does not go with --device=cuda" \
        iris-observe -H hyper.json -d d --precise --device=cuda standard.tsv
    [ ! -e d ]
}

@test "a GPU is wanted where there is none" {
    for n in 0 2; do
        for device in cuda cuda:0 cuda:3; do
            for type in synthetic simple standard; do
                run -74 --separate-stderr by $n iris-gen -H hyper.json -t $type -d d --device=$device list.tsv </dev/null
                one_sentence iris-gen
                [[ $stderr == *"no GPU on '$(hostname)': "* ]]
            done
        done
    done
    refused 74 "no GPU on '$(hostname)': " iris-gen --estimate -H hyper.json -t simple -d d --device=cuda list.tsv
    tensor=$(find standard -name '*.tensor.npy' | sort | head -n 1)
    refused 74 "no GPU on '$(hostname)': " iris-observe -H hyper.json --device=cuda --cube=c.fits "$tensor"
    refused 74 "no GPU on '$(hostname)': " iris-observe -H hyper.json --device=cuda -d d --from=standard standard.tsv
    [ ! -e d ]
    [ ! -e c.fits ]
    # what makes nothing needs none
    iris-gen --plan -H hyper.json -t simple -d d --device=cuda list.tsv | grep -q '^##plan .*points=6 there=0'
    iris-gen --info --device=cuda | awk -F'\t' 'NR == 2 && $15 == 0 && $17 != "." { found = 1 } END { exit !found }'
}

@test "left to the program, processors make the points, and nothing is said of it" {
    for device in auto cpu; do
        for type in synthetic simple standard; do
            run -0 --separate-stderr iris-gen -H hyper.json -t $type -d $device-$type --device=$device \
                -o out.tsv list.tsv
            [ -z "$stderr" ]
            same_data $type $device-$type
            cmp $type.tsv out.tsv
        done
        gen synthetic $device-precise --precise --device=$device
    done
    same_data auto-precise cpu-precise
}

@test "the record is of lines, where devices differ, and nobody minds it" {
    [ "$(record synthetic)" = cpu ]
    for type in simple standard; do
        [ "$(find $type -name arithmetic | wc -l)" = 0 ]
    done
    gen synthetic p --precise
    [ "$(find p -name arithmetic | wc -l)" = 0 ]
    # pairs of tensors have it too
    iris-observe -q -H hyper.json --lines=lines.h5 -d observed --from=standard standard.tsv >observed.tsv
    same_data synthetic observed
    pipeline synthetic whole
    [ "$(record whole)" = cpu ]
    iris-check whole
}

@test "points without a record were made by a processor" {
    rm synthetic/entries/*/arithmetic synthetic/entries/*/raw/snap_001/p001.*
    gen synthetic synthetic
    run ! ls synthetic/entries/*/arithmetic
    refused 74 "no GPU" iris-gen -q -H hyper.json -t synthetic -d synthetic --device=cuda list.tsv
}

@test "what GPUs have begun a processor does not finish" {
    cp -r synthetic whole
    digest=$(ls synthetic/entries)
    put_record synthetic cuda
    # there is nothing to do
    gen synthetic synthetic
    rm synthetic/entries/*/raw/snap_001/p001.*
    ls -i --full-time synthetic/entries/*/raw/*/p* >before
    words=(iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d synthetic)
    for device in auto cpu; do
        refused 65 "the points in 'synthetic/entries/$digest' were made by a GPU; --device=cuda goes on" \
            "${words[@]}" --device=$device list.tsv
        [[ $stderr == *"--mix goes on with the processor" ]]
    done
    refused 65 "were made by a GPU" iris-observe -H hyper.json --lines=lines.h5 -d synthetic --from=standard standard.tsv
    run -65 --separate-stderr by 2 "${words[@]}" list.tsv </dev/null
    one_sentence iris-gen
    [ "$(record synthetic)" = cuda ]
    ls -i --full-time synthetic/entries/*/raw/*/p* | cmp before -
    # other settings have another record
    gen synthetic synthetic --round=1
    rm -r "$(dirname "$(grep -lx cpu synthetic/entries/*/arithmetic)")"

    "${words[@]}" -q --mix list.tsv >/dev/null
    [ "$(record synthetic)" = mixed ]
    grep -vF -f <(ls -i --full-time synthetic/entries/*/raw/*/p*) before >changed || true
    [ ! -s changed ]
    rm synthetic/entries/*/raw/snap_002/p002.*
    "${words[@]}" -q list.tsv >/dev/null
    [ "$(record synthetic)" = mixed ]
    diff -r --exclude=.iris --exclude=arithmetic whole synthetic
}

@test "a record that no point was made under is replaced by who is alone" {
    for word in cuda mixed; do
        cp -r synthetic none
        rm -r none/entries/*/raw
        put_record none $word
        cp -r none named
        gen synthetic none
        [ "$(record none)" = cpu ]
        same_data synthetic none
        # another run may be about to make one
        [ $word = mixed ] || refused 65 "were made by a GPU" \
            iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d named --run=x list.tsv
        rm -r none named
    done
}

@test "a damaged record" {
    for text in '' gpu 'cpu cuda' "$(seq 100)"; do
        put_record synthetic "$text"
        gen synthetic synthetic >all.tsv
        cmp synthetic.tsv all.tsv
        cp -r synthetic d
        rm d/entries/*/raw/snap_001/p001.*
        refused 65 "/arithmetic' is not cpu, cuda or mixed" iris-gen -H hyper.json -t synthetic -d d list.tsv
        rm -r d
    done
}

@test "each row of a sweep has a record of its own" {
    iris-list -H hyper.json --grid=dataset_hyper.CMZ_density_factor=0.5:1.5:2 snaps/snap_001.hdf5 -o list.tsv
    gen synthetic d >first.tsv
    [ "$(record d)" = $'cpu\ncpu' ]
    one=$(ls -d d/entries/* | head -n 1) other=$(ls -d d/entries/* | tail -n 1)
    echo cuda >"$one/arithmetic"
    rm "$other"/raw/*/p001.*
    gen synthetic d | cmp first.tsv -
    rm "$one"/raw/*/p001.*
    refused 65 "the points in '$one' were made by a GPU" iris-gen -q -H hyper.json -t synthetic -d d list.tsv
}

@test "GPUs for the jobs of an array" {
    mkdir bin
    printf '#!/bin/bash\necho "$*" >>args\necho 7\n' >bin/sbatch
    chmod +x bin/sbatch
    PATH=$PWD/bin:$PATH "$IRIS_SOURCE/workflows/slurm/submit-training.sh" --partition=x PARTS=3 GPUS=4 NP=2 DEVICE=cuda
    [ "$(grep -c -- '--partition=x --gres=gpu:4 .*PARTS=3 NP=2 DEVICE=cuda$' args)" = 2 ]
    ! grep -q 'GPUS' args || false
}

# ---- with a GPU that is emulated ----

emulated() {
    [ -x "$EMULATED/iris-gen" ]
    unset CUDA_VISIBLE_DEVICES
    PATH=$EMULATED:$PATH
    # devices of this test alone
    export IRIS_EMULATED_GPUS=1 IRIS_EMULATED_BUS=$(($$ % 65535 + 1))
}

# cuda N TYPE DATASET WORD...: by N ranks
cuda() {
    local tables=
    [ "$2" != synthetic ] || tables=--lines=lines.h5
    by "$1" iris-gen -q -H hyper.json -t "$2" -d "$3" --device=cuda $tables "${@:4}" list.tsv </dev/null
}

# by_words N: the launcher of by, as words
by_words() {
    [ "$1" = 0 ] || mpi "$1"
}

# near TOLERANCE FILE FILE: all values, relative to the largest of the first
near() {
    perl -e '
        my ($tolerance, @file) = @ARGV;
        local $/;
        my @v = map {
            open my $in, "<:raw", $_ or die "$_: $!";
            my $all = <$in>;
            [unpack "f<*", substr $all, 10 + unpack("v", substr $all, 8, 2)] } @file;
        my ($peak, $most) = (0, 0);
        die "sizes differ\n" if @{$v[0]} != @{$v[1]} || !@{$v[0]};
        for my $i (0 .. $#{$v[0]}) {
            $peak = abs $v[0][$i] if abs $v[0][$i] > $peak;
            my $d = abs($v[0][$i] - $v[1][$i]);
            $most = $d if !($d <= $most);
        }
        print "$file[1]: ", $most / $peak, "\n";
        exit !($most <= $tolerance * $peak)' "$@"
}

# all_near TOLERANCE DATASET DATASET: what the folders of their digests hold
all_near() {
    local file one other
    one=$(ls -d "$2"/entries/*/raw) other=$(ls -d "$3"/entries/*/raw)
    [ "$(cd "$one" && find . -name '*.npy' | sort)" = "$(cd "$other" && find . -name '*.npy' | sort)" ]
    for file in $(cd "$one" && find . -name '*.npy'); do
        near "$1" "$one/$file" "$other/$file" || return
    done
}

leases() {
    find /dev/shm -maxdepth 1 -iname "iris-$(id -u)-gpu-$(printf %04x "$IRIS_EMULATED_BUS"):*"
}
are_leases() {
    [ -n "$(leases)" ]
}

@test "emulated: tensors and mass by velocity are the same to the byte" {
    emulated
    for type in standard simple; do
        for n in 0 3; do
            for gpus in 1 2; do
                IRIS_EMULATED_GPUS=$gpus cuda $n $type d >out.tsv
                same_data $type d
                cmp $type.tsv out.tsv
                rm -r d
            done
        done
    done
}

@test "emulated: lines are those of a processor to 1e-5, and the same whoever makes them" {
    emulated
    cuda 0 synthetic one >one.tsv
    [ "$(record one)" = cuda ]
    cmp synthetic.tsv one.tsv
    all_near 1e-5 synthetic one
    gen synthetic precise --precise
    all_near 1e-5 precise one
    for n in 0 1 3; do
        for gpus in 1 2 3; do
            for leases in 1 2; do
                IRIS_EMULATED_GPUS=$gpus cuda $n synthetic d --leases-per-gpu=$leases >out.tsv
                same_data one d
                cmp one.tsv out.tsv
                rm -r d
            done
        done
    done
    IRIS_EMULATED_GPUS=2 cuda 2 synthetic d --device=cuda:1 >out.tsv
    same_data one d
    # one point, in parts
    rm d/entries/*/raw/snap_002/p001.*
    cuda 3 synthetic d >out.tsv
    same_data one d
}

@test "emulated: left to the program it takes the GPU" {
    emulated
    cuda 0 synthetic one >one.tsv
    run -0 --separate-stderr iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d d -o out.tsv list.tsv
    [ -z "$stderr" ]
    same_data one d
    grep -q '"gpu_points": 6' d/.iris/status.json
    # as precise as can be is a matter of processors
    gen synthetic precise --precise
    [ "$(find precise -name arithmetic | wc -l)" = 0 ]
    ! grep -q '"gpu' precise/.iris/status.json || false
    # whoever wants one that is not there
    refused 74 "no GPU on '$(hostname)': there is no number 1, but only 1 in all" \
        iris-gen -H hyper.json -t synthetic -d e --device=cuda:1 list.tsv
    [ ! -e e ]
}

@test "emulated: no GPU, and an old driver" {
    emulated
    for gpus in 0 -1; do
        export IRIS_EMULATED_GPUS=$gpus
        refused 74 "no GPU on '$(hostname)': " iris-gen -H hyper.json -t simple -d d --device=cuda list.tsv
        run -0 --separate-stderr by 2 iris-gen -H hyper.json -t simple -d d -o out.tsv list.tsv </dev/null
        [ "$(grep -c "^iris-gen: warning: no GPU on '$(hostname)': .*; processors make the points$" <<<"$stderr")" = 1 ]
        same_data simple d
        rm -r d
        # somebody has said so
        run -0 --separate-stderr env CUDA_VISIBLE_DEVICES= iris-gen -H hyper.json -t simple -d d -o out.tsv list.tsv
        [ -z "$stderr" ]
        rm -r d
    done
}

@test "emulated: what a processor has begun" {
    emulated
    rm synthetic/entries/*/raw/snap_001/p001.*
    digest=$(ls synthetic/entries)
    cp -r synthetic d
    refused 65 "the points in 'd/entries/$digest' were made by a processor; --device=cpu goes on" \
        iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d d --device=cuda list.tsv
    [[ $stderr == *"--mix goes on with a GPU" ]]
    run -0 --separate-stderr iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d d -o out.tsv list.tsv
    [ "$(wc -l <<<"$stderr")" = 1 ]
    [[ $stderr == "iris-gen: warning: points of $digest were made by a processor, so it makes the others; --mix"* ]]
    [ "$(record d)" = cpu ]
    same_data "$BATS_FILE_TMPDIR/synthetic" d
    cuda 0 synthetic synthetic --mix >out.tsv
    [ "$(record synthetic)" = mixed ]
    all_near 1e-5 "$BATS_FILE_TMPDIR/synthetic" synthetic
}

# made N: so many arrays are there
made() {
    [ "$(find d -name '*.npy' 2>/dev/null | wc -l)" -ge "$1" ]
}

@test "emulated: a run that is killed is continued" {
    emulated
    settings 64 96 16 >hyper.json
    cuda 0 synthetic one >one.tsv
    for n in 0 3; do
        for k in 1 4 7; do
            setsid $(by_words $n) iris-gen -q -H hyper.json -t synthetic --lines=lines.h5 -d d --device=cuda \
                --retry-failed list.tsv </dev/null >/dev/null 2>&1 3>&- &
            wait_for made $k
            end_session $!
            wait $! || true
        done
        ! made 12 || false
        cuda $n synthetic d --retry-failed >out.tsv
        same_data one d
        cmp one.tsv out.tsv
        no_leftovers
        rm -r d
    done
}

# held_lease PID: wait until that process has a lease, and has stopped with it
held_lease() {
    local i
    for i in $(seq 2000); do
        if are_leases; then
            kill -STOP "$1" 2>/dev/null || return 1
            ! are_leases || return 0
            kill -CONT "$1"
        fi
        kill -0 "$1" 2>/dev/null || return 1
    done
    return 1
}

@test "emulated: who dies with a lease keeps nobody waiting" {
    emulated
    settings 64 96 16 >hyper.json
    cuda 0 synthetic one >one.tsv
    ! are_leases || false
    iris-gen -q -H hyper.json -t synthetic --lines=lines.h5 -d dying --device=cuda list.tsv >/dev/null 2>&1 3>&- &
    dying=$!
    held_lease $dying
    cuda 0 synthetic d >out.tsv 3>&- &
    waiting=$!
    sleep 1
    [ -z "$(find d -name '*.npy')" ]
    kill -KILL $dying
    wait $waiting
    same_data one d
    ! are_leases || false
}

@test "emulated: one at a time on a GPU, or as many as there may be" {
    emulated
    settings 64 96 16 >hyper.json
    IRIS_EMULATED_GPUS=1 iris-gen -q -H hyper.json -t synthetic --lines=lines.h5 -d dying --device=cuda list.tsv \
        >/dev/null 2>&1 3>&- &
    dying=$!
    held_lease $dying
    [ "$(leases | wc -l)" = 1 ]
    # a second one on it, or on another
    cuda 0 synthetic two --leases-per-gpu=2 >out.tsv
    IRIS_EMULATED_GPUS=2 cuda 0 synthetic three >out.tsv
    same_data two three
    # who waits can be stopped
    iris-gen -q -H hyper.json -t synthetic --lines=lines.h5 -d d --device=cuda list.tsv >/dev/null 2>err 3>&- &
    waiting=$!
    wait_for catches $waiting TERM
    sleep 0.5
    kill -0 $waiting
    kill -TERM $waiting
    local status=0
    wait $waiting || status=$?
    [ "$status" = 75 ]
    grep -q "stopped by a signal with 0 of 6 points done" err
    [ -z "$(find d -name '*.npy')" ]
    # who is killed while it waits has died of nothing
    iris-gen -q -H hyper.json -t synthetic --lines=lines.h5 -d d --device=cuda list.tsv >/dev/null 2>&1 3>&- &
    waiting=$!
    sleep 1
    kill -KILL $waiting
    wait $waiting || true
    iris-gen -q -H hyper.json -t simple -d d --device=cpu list.tsv >/dev/null
    [ -z "$(ls d/.iris/suspects 2>/dev/null)" ]
    kill -KILL $dying
    wait $dying || true
    rm -r d
    cuda 3 synthetic d >out.tsv
    same_data two d
    ! are_leases || false
}

@test "emulated: a GPU that is too small fails points, and no more" {
    emulated
    cuda 0 synthetic one >one.tsv
    for n in 0 3; do
        run -1 --separate-stderr env IRIS_EMULATED_MEMORY=4096 $(by_words $n) iris-gen -H hyper.json -t synthetic \
            --lines=lines.h5 -d d --device=cuda -o out.tsv list.tsv </dev/null
        [[ $stderr == *"6 of 6 points failed"*"out of memory"* ]]
        [ "$(column state out.tsv | sort -u)" = failed ]
        [ "$(column message out.tsv | grep -c 'out of memory')" = 6 ]
        [ "$(awk -F'\t' '!/^#/ && $9 ~ /^make/ { print $7 }' d/.iris/journal/*.tsv | sort -u)" = 74 ]
        cuda $n synthetic d >out.tsv
        same_data one d
        rm -r d
    done
}

@test "emulated: a GPU that fails costs the point in hand" {
    emulated
    cuda 0 synthetic one >one.tsv
    for k in 3 10 20 30 40 60 90; do
        run --separate-stderr env IRIS_EMULATED_FAIL=$k iris-gen -H hyper.json -t synthetic --lines=lines.h5 \
            -d d --device=cuda -o out.tsv list.tsv
        [ "$status" -le 1 ]
        [ "$(column state out.tsv | grep -c failed)" -le 1 ]
        [ "$status" = 0 ] || [[ $stderr == *"1 of 6 points failed"* ]]
        cuda 0 synthetic d >out.tsv
        same_data one d
        rm -r d
    done
    run -1 --separate-stderr env IRIS_EMULATED_FAIL=30+ iris-gen -H hyper.json -t synthetic --lines=lines.h5 \
        -d d --device=cuda -o out.tsv list.tsv
    [ "$(column state out.tsv | grep -c failed)" -ge 3 ]
    cuda 0 synthetic d >out.tsv
    same_data one d
}

@test "emulated: what is told of GPUs" {
    emulated
    run -0 --separate-stderr by 3 iris-gen -v -H hyper.json -t synthetic --lines=lines.h5 -d d --device=cuda \
        -o out.tsv list.tsv </dev/null
    grep -Eq "^iris-gen:   GPU +[0-9.]+ MiB, the most of a rank on '.+': 6 points, [0-9.]+ s waited for it$" <<<"$stderr"
    python3 - <<'P'
import json
s = json.load(open("d/.iris/status.json"))
assert s["gpu"] and s["gpu_points"] == 6 and s["peak_gpu_bytes"] > 100000 and s["gpu_wait_s"] >= 0, s
P
    head -qn1 d/.iris/journal/*.tsv | grep -q $'message\tgpu_peak_kib\tgpu_wait\tgpu$'
    awk -F'\t' '!/^#/ && $9 ~ /^make/ { n++; bad = bad || $12 < 100 || $13 < 0 || $14 == "." } END { exit bad || !n }' \
        d/.iris/journal/*.tsv
    iris-gen --info | awk -F'\t' 'NR == 2 && $15 == 1 && $17 == "." { found = 1 } END { exit !found }'
    by 3 iris-gen --estimate -H hyper.json -t synthetic --lines=lines.h5 -d e --device=cuda list.tsv </dev/null >estimate
    [ "$(awk '$1 == "busy_ranks" { print $2 }' estimate)" = 1 ]
    [ "$(awk '$1 == "gpu_memory" { print ($2 > 100000) }' estimate)" = 1 ]
    [ ! -e e ]
    iris-gen --estimate -H hyper.json -t synthetic --lines=lines.h5 -d e --device=cpu list.tsv >estimate
    ! grep -q gpu_memory estimate || false
}

@test "emulated: tensors that exist are observed" {
    emulated
    cuda 0 synthetic one >one.tsv
    iris-observe -q -H hyper.json --lines=lines.h5 --device=cuda -d d --from=standard standard.tsv >out.tsv
    [ "$(record d)" = cuda ]
    cmp one.tsv out.tsv
    all_near 1e-5 one d
    tensor=$(find standard -name '*.tensor.npy' | sort | head -n 1)
    for type in synthetic simple; do
        for device in cpu cuda; do
            iris-observe -q -H hyper.json -t $type --device=$device --cube=$device.npy "$tensor"
        done
        near 1e-5 cpu.npy cuda.npy
        [ $type = synthetic ] || cmp cpu.npy cuda.npy
    done
    iris-observe -q -H hyper.json --device=cuda --cube=cube.fits "$tensor"
    head -c 28800 cube.fits | grep -aq 'arithmetic cuda'
    run -74 --separate-stderr env IRIS_EMULATED_MEMORY=4096 iris-observe -H hyper.json --device=cuda --cube=none.npy "$tensor"
    [[ $stderr == *"out of memory"* ]]
    [ ! -e none.npy ]
    run -1 --separate-stderr env IRIS_EMULATED_MEMORY=4096 iris-observe -H hyper.json --lines=lines.h5 \
        --device=cuda -d e --from=standard standard.tsv
    [[ $stderr == *"6 of 6 pairs failed"*"out of memory"* ]]
    ! are_leases || false
}
