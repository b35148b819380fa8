#!/usr/bin/env bats
# Every message of iris-messages(7) is one that a program prints, and all that are
# made here are in the page.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    unset MAKEFLAGS MFLAGS MAKELEVEL SOURCE FILES HYPER DATASET
    provoke
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# says COMMAND...: it fails, and its sentence goes to ./said
says() {
    local status=0
    "$@" </dev/null >out 2>err || status=$?
    [ "$status" != 0 ] || { echo "does not fail: $*"; return 1; }
    grep -E '^iris-|iris\.mk:' err >>said || { echo "says nothing: $*"; cat err; return 1; }
}

# warns COMMAND...: it does what it should, and its warning goes to ./said
warns() {
    "$@" </dev/null >out 2>err
    grep -E '^iris-[a-z]*: warning: ' err >>said || { echo "says nothing: $*"; return 1; }
}

# changed CHANGE...: ./other.json
changed() {
    iris-hyper --preset=hyper.json -o other.json "$@"
}

# spoiled HYPER TYPE [CHANGE...]: points of a snapshot after h5edit CHANGE
spoiled() {
    local hyper=$1 type=$2
    shift 2
    cp snaps/snap_001.hdf5 .
    [ $# = 0 ] || h5edit snap_001.hdf5 "$@"
    refused "$hyper" "$type"
}

# refused HYPER TYPE: points of ./snap_001.hdf5
refused() {
    iris-list -o one.tsv snap_001.hdf5
    rm -rf one
    says iris-gen -H "$1" -t "$2" -d one -o entries.tsv one.tsv
}

provoke() {
    tiny_hyper -o hyper.json
    snapshots 2
    iris-list -H hyper.json -o list.tsv snaps
    # settings
    says iris-hyper --preset=hyper.json -s coordinate_hyper.r_step=16
    says iris-hyper --preset=hyper.json -s coordinate_hyper.r_steps=3.5
    says iris-hyper --preset=hyper.json -s coordinate_hyper.r_steps=8
    says iris-hyper --preset=mine
    says iris-gen -H hyper.json -t synthetic -d none list.tsv

    # snapshots that are not found
    mkdir simulation
    says iris-list simulation
    says iris-list --min-index=800 snaps
    printf 'Host archive\n HostName 127.0.0.1\n Port 1\n' >config
    says iris-list --remote=archive --ssh-config=config simulation

    # snapshots that cannot be used
    spoiled hyper.json simple delete PartType0/ChemicalAbundances
    spoiled hyper.json standard delete PartType0/DustTemperature
    spoiled hyper.json simple iattr Parameters ComovingIntegrationOn 1
    changed -s dataset_hyper.AREPO_H2_abundance_id=5
    spoiled other.json simple
    spoiled hyper.json simple set PartType0/Density 7 nan
    echo text >snap_001.hdf5
    refused hyper.json simple
    says iris-merge -d one entries.tsv
    iris-mock -o simulation/snapdir_003 --cells=2000 --files=4
    rm simulation/snapdir_003/*.3.hdf5
    iris-list -o three.tsv simulation
    says iris-gen -H hyper.json -t simple -d three -o entries.tsv three.tsv

    # runs
    warns env -u CUDA_VISIBLE_DEVICES IRIS_EMULATED_GPUS=0 \
        "$(dirname "$(command -v elementary_bits)")/emulated/iris-gen" -H hyper.json -t simple -d cpu -o cpu.tsv list.tsv
    iris-gen -H hyper.json -t simple -d galaxy -o entries.tsv list.tsv
    mkfifo in
    exec 9<>in
    iris-gen -H hyper.json -t simple -d galaxy - <in >/dev/null 2>&1 3>&- 9>&- &
    holder=$!
    wait_for grep -q "$holder" galaxy/.iris/status.json
    says iris-gen -H hyper.json -t simple -d galaxy list.tsv
    exec 9>&-
    wait "$holder" || true
    says mpirun -n 1 iris-gen -H hyper.json -t simple -d galaxy
    says iris-gen --memory=1K -H hyper.json -t simple -d none list.tsv
    mkdir -p dead/.iris/suspects
    digest=$(iris-gen --digest -H hyper.json -t simple)
    for death in 1 2; do echo "a run" >>dead/.iris/suspects/"$digest".snap_001.p000; done
    says iris-gen -H hyper.json -t simple -d dead -o dead.tsv list.tsv

    # disks, pipes, copies
    says sh -c 'iris-list snaps >/dev/full'
    says iris-fetch --cache=cache --copy --window=2 -o fetched.tsv list.tsv
    says iris-fetch --cache=cache --copy --budget=1K list.tsv
    says iris-fetch --cache=snaps --copy list.tsv

    # data sets
    says iris-merge -d galaxy list.tsv
    head -c 900 entries.tsv >cut.tsv
    says iris-merge -d galaxy cut.tsv
    head -n 4 entries.tsv >few.tsv
    iris-merge -q -d galaxy -o merged.tsv entries.tsv
    says iris-units -H hyper.json -d galaxy --sample=100 merged.tsv
    cp -r galaxy flat
    for f in flat/entries/*/raw/*/*.columnized.npy; do array "$f" '@v = map { 1 } @v'; done
    rows merged.tsv '$f{column_xxh128} = "."' >flat.tsv
    says iris-units -H hyper.json -d flat flat.tsv
    says iris-pack -o galaxy.h5 galaxy
    iris-units -q -H hyper.json -d galaxy -o units.json merged.tsv
    iris-normalize -q -H units.json -d galaxy -o normalized.tsv merged.tsv
    says iris-normalize -H hyper.json -d galaxy merged.tsv
    iris-shuffle -q --publish=galaxy -H units.json -o shuffled.tsv normalized.tsv
    iris-pack -q -o galaxy.h5 galaxy
    for f in galaxy/entries/*/iris-*/*/*.observed.npy; do :; done
    flip "$f" 300
    says iris-check galaxy
    says iris-pack -o other.h5 galaxy
    /usr/bin/python3 "$IRIS_SOURCE/tests/helpers/container.py" change galaxy.h5 'del f.attrs["complete"]'
    says iris-check galaxy.h5
    says make -f "$IRIS_SOURCE/workflows/iris.mk" SOURCE=snaps DATASET=galaxy
}

# in_page: the messages of the page, a line each; ... stands for anything
in_page() {
    sed -n '/^\.Bl -diag/,/^\.El/ s/^\.It //p' "$IRIS_SOURCE/man/iris-messages.7" | sed 's/\\(dq/"/g'
}

# partners A B: for each line of A how many of B it goes with, and the line; one of the
# two is ./page, in which ... stands for anything
partners() {
    perl -e '
        my ($first, $second) = map { open my $in, "<", $_ or die "$_: $!\n"; [map { chomp; $_ } <$in>] } @ARGV;
        my $from_page = $ARGV[0] eq "page";
        for my $x (@$first) {
            my $n = grep {
                my ($message, $said) = $from_page ? ($x, $_) : ($_, $x);
                my $re = join ".*", map { quotemeta } split /\.\.\./, $message, -1;
                $said =~ /^$re$/
            } @$second;
            print "$n $x\n";
        }' "$1" "$2"
}

@test "each message of the page is printed" {
    in_page >page
    [ "$(wc -l <page)" -ge 25 ]
    lost=$(partners page said | grep '^0 ' || true)
    [ -z "$lost" ] || { echo "$lost"; return 1; }
}

@test "each message that is printed is in the page, once" {
    in_page >page
    lost=$(partners said page | grep -v '^1 ' || true)
    [ -z "$lost" ] || { echo "$lost"; return 1; }
}

@test "what stands for anything is no whole message" {
    [ -z "$(in_page | grep -E '^\.\.\. |^iris-[a-z]*: \.\.\.$')" ]
    in_page | while read -r message; do
        rest=${message//.../}
        [ "${#rest}" -ge 20 ] || { echo "matches too much: $message"; false; }
    done
}

@test "a damaged array that is removed is made again, as the page says" {
    for f in galaxy/entries/*/iris-*/*/*.observed.npy; do :; done
    rm "$f"
    iris-normalize -q -H units.json -d galaxy -o normalized.tsv merged.tsv
    iris-check -v galaxy
}
