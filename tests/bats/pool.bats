#!/usr/bin/env bats
# The ranks of a run of iris-gen: what each has, and that nothing is done unless all
# are the same program with the same settings.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 2
    tiny_lines -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=3 -o hyper.json
    iris-hyper --preset=hyper.json -s dataset_hyper.CMZ_density_factor=0.25 -o other.json
    iris-list -o list.tsv snaps
}

setup() {
    cp -a "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# two WORD... : WORD...: ranks 0 and 1 of a job, each with a command of its own
two() {
    local first=()
    while [ "$1" != : ]; do
        first+=("$1")
        shift
    done
    shift
    timeout 60 $(mpi 1) "${first[@]}" : -x ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 \
        -n 1 "$@" </dev/null
}

# refused STATUS PATTERN WORD... : WORD...: with one sentence, and nothing is made
refused() {
    local status=$1 pattern=$2
    shift 2
    run "-$status" --separate-stderr two "$@"
    one_sentence iris-gen
    [[ $stderr == *$pattern* ]] || { echo "no '$pattern' in: $stderr"; return 1; }
    [ -z "$output" ]
    [ ! -e d ]
    [ ! -e d2 ]
    [ ! -e e.tsv ]
}

simple() {
    echo iris-gen -t simple -d d -o e.tsv "$@" list.tsv
}

# ---- what each rank has ----

columns="#rank host node node_rank node_ranks processors memory memory_free gpus version build mpi hdf5 simd usable_gpus gpu_model no_gpu"

@test "--info has a row for each rank, and needs nothing else" {
    run -0 --separate-stderr iris-gen --info
    [ -z "$stderr" ]
    [ "$(head -1 <<<"$output")" = "${columns// /$'\t'}" ]
    [ "$(wc -l <<<"$output")" = 2 ]
    [[ $output == *$'\n0\t'"$(hostname)"$'\t0\t0\t1\t'*$'\tnone\t'* ]]
    run -0 --separate-stderr $(mpi 3) iris-gen --info </dev/null
    [ -z "$stderr" ]
    [ "$(head -1 <<<"$output")" = "${columns// /$'\t'}" ]
    [ "$(sed 1d <<<"$output" | cut -f1-5)" = "$(printf "%d\t$(hostname)\t0\t%d\t3\n" 0 0 1 1 2 2)" ]
    sed 1d <<<"$output" | awk -F'\t' -v version="$(iris-gen --version | awk '{ print $3 }')" '
        NF != 17 || $6 < 1 || $7 < 1e6 || $8 > $7 || $9 !~ /^[0-9]+$/ || $10 != version ||
            $11 !~ /^[0-9a-f]+$/ || length($11) != 8 || $12 !~ /^[A-Z]/ || $13 !~ /^[0-9]+\.[0-9]+\.[0-9]+$/ { bad = 1 }
        END { exit bad || NR != 3 }'
    [ "$(sed 1d <<<"$output" | cut -f6,7,9-17 | sort -u | wc -l)" = 1 ]
    # no settings, no list, no data set is looked at
    run -0 --separate-stderr iris-gen --info -H missing.json -t simple -d d missing.tsv
    [ ! -e d ]
    iris-gen --info -o info.tsv
    [ "$(cut -f1 info.tsv)" = $'#rank\n0' ]
}

@test "--info tells ranks of different programs apart by refusing them" {
    refused 65 "all ranks must be the same program" iris-gen --info : iris-gen-other --info
    refused 64 "rank 1 has another command line than rank 0" iris-gen --info : $(simple -H hyper.json)
    refused 64 "rank 1 has another command line than rank 0" $(simple -H hyper.json) : iris-gen --info
}

# ---- all ranks are the same ----

@test "other settings on a rank" {
    refused 65 "rank 1 on '$(hostname)' has other settings or molecular files than rank 0 on '$(hostname)': their digests are " \
        $(simple -H hyper.json) : $(simple -H other.json)
    # both are named
    for file in hyper other; do
        [[ $stderr == *"$(iris-gen --digest -H $file.json -t simple)"* ]]
    done
    refused 65 "other settings" $(simple -H other.json) : $(simple -H hyper.json)
    refused 65 "other settings" $(simple -H hyper.json) : $(simple -H hyper.json --round=1)
    refused 65 "other settings" $(simple -H hyper.json) : $(simple -H hyper.json --seed=1)
    refused 65 "other settings" iris-gen -H hyper.json -t synthetic -d d list.tsv : \
        iris-gen -H hyper.json -t synthetic --precise -d d list.tsv
    # settings that make no sense there
    sed 's/"lat_pieces": 2/"lat_pieces": -2/' hyper.json >wrong.json
    refused 65 "rank 1 on '$(hostname)': wrong.json" $(simple -H hyper.json) : $(simple -H wrong.json)
    # the same under another name, and where there is no such file, those of rank 0
    cp hyper.json copy.json
    two $(simple -H hyper.json) : $(simple -H copy.json)
    cp e.tsv first.tsv
    two $(simple -H hyper.json) : $(simple -H elsewhere.json)
    cmp first.tsv e.tsv
}

@test "the third of three ranks" {
    run -65 --separate-stderr timeout 60 $(mpi 2) $(simple -H hyper.json) : \
        -x ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 -n 1 $(simple -H other.json) </dev/null
    one_sentence iris-gen
    [[ $stderr == *"rank 2 on"*"than rank 0"* ]]
    [ ! -e d ]
}

@test "another type, data set, run, way or number to read ahead on a rank" {
    started="rank 1 on '$(hostname)' was started with another data set, type, run, mode, device or --read-ahead than rank 0"
    refused 65 "than rank 0" $(simple -H hyper.json) : iris-gen -H hyper.json -t standard -d d list.tsv
    refused 65 "$started" $(simple -H hyper.json) : iris-gen -H hyper.json -t simple -d d2 list.tsv
    refused 65 "$started" $(simple -H hyper.json) : $(simple -H hyper.json --run=x)
    refused 65 "$started" $(simple -H hyper.json) : $(simple -H hyper.json --read-ahead=0)
    refused 65 "$started" $(simple -H hyper.json) : $(simple -H hyper.json --device=cpu)
    refused 65 "$started" $(simple -H hyper.json) : $(simple -H hyper.json --leases-per-gpu=2)
    refused 65 "$started" $(simple -H hyper.json) : $(simple -H hyper.json --mix)
    refused 64 "another command line" $(simple -H hyper.json) : $(simple -H hyper.json --plan)
    refused 64 "another command line" $(simple -H hyper.json) : $(simple -H hyper.json --estimate)
    refused 64 "another command line" $(simple -H hyper.json) : iris-gen --help
}

@test "a command line that is wrong on one rank" {
    refused 64 "rank 1 has another command line than rank 0: unknown or ambiguous option '--bad'" \
        $(simple -H hyper.json) : $(simple -H hyper.json --bad)
    refused 64 "rank 0 has another command line than rank 1: unknown or ambiguous option '--bad'" \
        $(simple -H hyper.json --bad) : $(simple -H hyper.json)
    refused 64 "rank 1 has another command line than rank 0: bad deadline 'x'" \
        $(simple -H hyper.json) : $(simple -H hyper.json --deadline=x)
    refused 64 "rank 1 has another command line than rank 0: -t TYPE is needed" \
        $(simple -H hyper.json) : iris-gen -H hyper.json -d d list.tsv
    # and on all of them: once
    refused 64 "unknown or ambiguous option '--bad'" $(simple -H hyper.json --bad) : $(simple -H hyper.json --bad)
    [[ $stderr != *"another command line"* ]]
}

@test "a molecular file of another content on a rank" {
    mkdir far
    cp hyper.json list.tsv far
    iris-mock --molecule=C18O -o far/co.dat
    digest=$(iris-gen --digest -H hyper.json -t synthetic)
    iris-list -o list.tsv "$PWD/snaps"
    # a node reads settings of one name once, so that there they have another
    here="iris-gen -H hyper.json -t synthetic -d $PWD/d $PWD/list.tsv"
    there="--wdir $PWD/far iris-gen -H ./hyper.json -t synthetic -d $PWD/d $PWD/list.tsv"
    refused 65 "rank 1 on '$(hostname)' has other settings or molecular files than rank 0 on '$(hostname)'" \
        $here : $there
    [[ $stderr == *" and $digest"* ]]
    # gone there
    rm far/co.dat
    refused 74 "rank 1 on '$(hostname)': observer_hyper.chem_path: cannot open " $here : $there
    # the same content elsewhere
    cp co.dat far
    two $here : $there >e.tsv
    iris-gen -H hyper.json -t synthetic -d alone list.tsv | cmp - e.tsv
    same_data alone d
}

@test "another version, another build" {
    run -0 iris-gen-other --version
    [ "$output" = "iris-gen (iris) other" ]
    version=$(iris-gen --version | awk '{ print $3 }')
    build() {
        PATH=$PWD:$PATH "$1" --info | sed 1d | cut -f11
    }
    refused 65 "rank 1 on '$(hostname)' is iris-gen other (build $(build iris-gen-other)), rank 0 on '$(hostname)' is $version (build $(build iris-gen)): all ranks must be the same program" \
        $(simple -H hyper.json) : iris-gen-other -t simple -d d -o e.tsv -H hyper.json list.tsv
    refused 65 "rank 1 on '$(hostname)' is iris-gen $version" \
        iris-gen-other -t simple -d d -o e.tsv -H hyper.json list.tsv : $(simple -H hyper.json)
    # the same version from a file with other bytes
    cp "$(command -v iris-gen)" iris-gen-longer
    echo more >>iris-gen-longer
    refused 65 "rank 1 on '$(hostname)' is iris-gen $version (build $(build ./iris-gen-longer)), rank 0 on '$(hostname)' is $version (build $(build iris-gen))" \
        $(simple -H hyper.json) : ./iris-gen-longer -t simple -d d -o e.tsv -H hyper.json list.tsv
    # where a program is does not matter
    cp "$(command -v iris-gen)" iris-gen-copy
    two $(simple -H hyper.json) : ./iris-gen-copy -t simple -d d -o e.tsv -H hyper.json list.tsv
    [ "$(tail -1 e.tsv)" = "##rows 6" ]
}

@test "what cannot go on anywhere is said once" {
    refused 74 "cannot open 'missing.json'" $(simple -H missing.json) : $(simple -H missing.json)
    [[ $stderr != *"rank "* ]]
    refused 74 "cannot open 'missing.tsv'" iris-gen -H hyper.json -t simple -d d missing.tsv : \
        iris-gen -H hyper.json -t simple -d d missing.tsv
    # a data set of somebody else is left alone
    mkdir other
    touch other/mine
    run -65 --separate-stderr $(mpi 2) iris-gen -H hyper.json -t simple -d other list.tsv </dev/null
    one_sentence iris-gen
    [ "$(ls -A other)" = mine ]
}
