#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Published: simple in D, standard in S; six entries each. Their containers.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s writer_hyper.points_per_snapshot=2 >hyper.json
    snapshots 3
    pipeline standard S
    pipeline simple D
    iris-pack -o S.h5 S
    iris-pack -o D.h5 D
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# Debian's python3 has h5py; another one that comes first in PATH may not
container() {
    /usr/bin/python3 "$IRIS_SOURCE/tests/helpers/container.py" "$@"
}

# refused STATUS WORD...: iris-pack says one sentence with these words, and leaves
# nothing
refused() {
    local status=$1 word
    shift
    run -"$status" --separate-stderr iris-pack -o new.h5 D
    one_sentence iris-pack
    for word; do
        [[ $stderr == *"$word"* ]] || { echo "no '$word' in: $stderr"; return 1; }
    done
    [ ! -e new.h5 ]
    no_leftovers
}

# found FILE WORD...: the damage is found, in a line with these words
found() {
    local file=$1 lines word
    shift
    run -65 --separate-stderr iris-check "$file"
    one_sentence iris-check
    lines=${output:-$stderr}
    for word; do
        lines=$(grep -F -- "$word" <<<"$lines") || { echo "no '$word' in: $output $stderr"; return 1; }
    done
}

@test "help and version" {
    run -0 --separate-stderr iris-pack --help
    [[ $output == "usage: iris-pack "* ]]
    run -0 --separate-stderr iris-pack --version
    [[ $output == "iris-pack (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-pack
}

@test "wrong command lines" {
    cp -a D before
    path=$(column observed D/iris-manifest.tsv | head -n 1)
    for words in "" "D" "-o x.h5" "-o x.h5 D S" "-o x.h5 --bad D" "-o - D" "-o D D" "-o D/hyper.json D" "-o D/x.h5 D" \
        "-o D/$path D"; do
        run -64 --separate-stderr iris-pack $words
        one_sentence iris-pack
    done
    [ ! -e x.h5 ]
    [ ! -e - ]
    diff -r before D
}

@test "a container has what the files have" {
    for d in D S; do
        container equal $d $d.h5
        run -0 --separate-stderr iris-check -v $d.h5
        [[ $stderr == "iris-check: '$d.h5' is whole: 6 entries, "* ]]
    done
}

@test "a thousand entries, one by one" {
    tiny_hyper -s writer_hyper.points_per_snapshot=250 -s writer_hyper.total_snapshots=4 >hyper.json
    snapshots 4
    pipeline simple K
    iris-pack -o K.h5 K
    [ "$(container print K.h5 'f["columnized"].shape[0]')" = 1000 ]
    container equal K K.h5
    iris-check -q K.h5
}

@test "arrays of several pieces, in little memory" {
    peak() {
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
    }
    tiny_hyper -s writer_hyper.points_per_snapshot=1 -s coordinate_hyper.r_steps=90 -s coordinate_hyper.lon_steps=90 \
        -s coordinate_hyper.lat_steps=66 -s coordinate_hyper.r_crop_max_index=90 >hyper.json
    rm snaps/snap_002.hdf5 snaps/snap_003.hdf5
    pipeline standard B
    [ "$(stat -c %s B/entries/*/iris-*/*/*.npy)" -gt 12000000 ]
    [ $(($(peak iris-pack -o B.h5 B) - $(peak iris-pack -o S.h5 S))) -lt 6000 ]
    container equal B B.h5
    [ $(($(peak iris-check -q B.h5) - $(peak iris-check -q S.h5))) -lt 6000 ]
}

@test "a synthetic data set, and one of several settings" {
    tiny_lines -s writer_hyper.points_per_snapshot=2 -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=12 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 -s observer_hyper.lon_pieces=1 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 -s dataset_hyper.CMZ_skew_range='[1.0,1.2]' >hyper.json
    pipeline synthetic Y
    iris-pack -o Y.h5 Y
    container equal Y Y.h5
    iris-check -q Y.h5
    [ "$(container print Y.h5 'f["observed"].attrs["cgs_units"].decode()')" = K ]
    [ "$(container print Y.h5 'len(f["distance"]), len(f["skew"])')" = "(12, 6)" ]
    tiny_hyper >hyper.json
    iris-list -H hyper.json --grid suite_hyper.v_turb=0.5:1.5:2 -o list.tsv snaps || true
    iris-list -H hyper.json --grid dataset_hyper.CMZ_density_factor=0.5:1.5:2 -o list.tsv snaps
    iris-gen -H hyper.json -t simple -d G -o entries.tsv list.tsv
    iris-merge -d G -o merged.tsv entries.tsv
    iris-units -H hyper.json -d G -o units.json merged.tsv
    iris-normalize -H units.json -d G -o normalized.tsv merged.tsv
    iris-shuffle --publish=G -H units.json -o shuffled.tsv normalized.tsv
    iris-pack -o G.h5 G
    container equal G G.h5
    [ "$(container print G.h5 'sorted(set(f["columns/set:dataset_hyper.CMZ_density_factor"][:]))')" = "[0.5, 1.5]" ]
    iris-check -q G.h5
}

@test "values are what their attributes say" {
    # of the same tensor: processing units are cm, g and cm/s by these factors
    container print S.h5 '[u.decode() for u in f["tensor"].attrs["cgs_units"]]' >units
    [ "$(cat units)" = "['cm s-1', 'g cm-3', 'K', '1', '1', 'K']" ]
    [ "$(container print S.h5 '[float("%.12g" % x) for x in f["tensor"].attrs["cgs_factor"]]')" = \
        "[10000000.0, 1e-21, 1.0, 1.0, 1.0, 1.0]" ]
    # the picture of the same entry has the same unit: a mean over the whole map
    [ "$(container print D.h5 'f["columnized"].attrs["units"].decode().split(" ", 1)[1]')" = "g cm-3" ]
    container print D.h5 'float(f["columnized"].attrs["cgs_factor"])' >factor
    cp D/hyper.json shown
    python3 -c '
import json, sys
h = json.load(open("shown"))
d, w = h["dataset_hyper"], h["writer_hyper"]
g_per_cm3 = w["mass_g_per_processing"] / w["length_cm_per_processing"] ** 3
want = g_per_cm3 / d["_density_iris_per_processing"]
have = float(open("factor").read())
assert abs(have / want - 1) < 1e-12, (have, want)'
    [ "$(container print D.h5 'float(f["longitude"][0]), float(f["longitude"][-1])')" = "(-1.5, 1.5)" ]
    [ "$(container print D.h5 '[list(d.keys())[0] for d in f["observed"].dims]')" = "['entry', 'line', 'longitude', 'velocity']" ]
}

@test "the split" {
    tiny_hyper -s writer_hyper.points_per_snapshot=5 -s writer_hyper.total_snapshots=10 >hyper.json
    snapshots 10
    pipeline simple M
    iris-pack -o M.h5 M
    [ "$(container print M.h5 'int(f["split/entry"][:].sum()), int(f["split/snapshot"][:].sum())')" = "(10, 10)" ]
    # no snapshot is on both sides
    [ "$(container print M.h5 '[len(set(f["snapshot_id"][:][f["split/snapshot"][:] == x])) for x in (0, 1)]')" = "[8, 2]" ]
    # whatever the order of the entries
    iris-shuffle --seed=99 --publish=M -H units.json -o shuffled.tsv normalized.tsv
    iris-pack -o again.h5 M
    for f in M again; do
        container print $f.h5 'sorted(zip(f["entry_id"][:], f["split/entry"][:], f["split/snapshot"][:]))' >$f.split
    done
    cmp M.split again.split
    run ! cmp -s M.h5 again.h5
}

@test "equal data sets give equal bytes, into a file or in its place" {
    # and at another time, if HDF5 writes one
    sleep 1.1
    iris-pack -o new.h5 D
    cmp new.h5 D.h5
    iris-pack -o S.h5 D
    cmp S.h5 D.h5
    no_leftovers
}

@test "what is not whole is not packed" {
    path=$(column observed D/iris-manifest.tsv | head -n 3 | tail -n 1)
    cp "D/$path" kept
    flip "D/$path" -5
    refused 65 "$path" "hash"
    array "D/$path" '$v[3] = $nan'
    refused 65 "$path" "not finite, the first at 3"
    new_array "D/$path" "(1, 2, 3)" 1 2
    refused 65 "$path" "(1, 2, 3)" "(1, 12, 20)"
    rm "D/$path"
    refused 74 "$path"
    cp kept "D/$path"
    echo older >new.h5
    flip "D/$path" -5
    run -65 iris-pack -o new.h5 D
    [ "$(cat new.h5)" = older ]
}

@test "what is no data set is not packed" {
    mv D/attributes.json kept
    refused 74 attributes.json
    cp kept D/attributes.json
    echo >>D/iris-manifest.tsv
    refused 65 iris-manifest.tsv hash
    cp -a "$BATS_FILE_TMPDIR/D/iris-manifest.tsv" D
    sed -i 's/"lat_steps": 6/"lat_steps": 7/' D/hyper.json
    refused 65 hyper.json hash
    cp -a "$BATS_FILE_TMPDIR/D/hyper.json" D
    perl -pi -e 's/snap_001/snap_009/ if /entries/' D/attributes.json
    refused 65 snap_009
}

@test "dry run" {
    run -0 --separate-stderr iris-pack --dry-run -o new.h5 D
    [ "$stderr" = "iris-pack: would pack 6 entries of 'D' into 'new.h5'" ]
    [ ! -e new.h5 ]
}

@test "stopped, it leaves nothing" {
    setsid $(stops open .npy STOP_NTH=6) iris-pack -o new.h5 D 2>err 3>&- &
    pid=$!
    wait_for are_stopped "$pid" 1
    kill -TERM "$pid"
    kill -CONT "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" = 75 ]
    grep -q "stopped by a signal with . of 6 entries packed" err
    [ ! -e new.h5 ]
    no_leftovers
}

@test "a write that fails, each in turn: no container" {
    command -v strace >/dev/null && strace -o /dev/null true || skip "no strace"
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # which cannot be done under strace
    failing() {
        strace -o trace -e trace=pwrite64 -e inject=pwrite64:error=EIO:when="$1" iris-pack -o new.h5 D
    }
    failing 60000
    n=$(grep -c pwrite64 trace)
    [ "$n" -gt 20 ]
    rm new.h5
    for k in $(seq "$n"); do
        run -74 --separate-stderr failing "$k"
        one_sentence iris-pack
        [ ! -e new.h5 ]
    done
}

# with COLUMN VALUE...: D has a column more, in which the values take turns
with() {
    awk -F'\t' -v OFS='\t' -v column="$1" -v values="${*:2}" '
        BEGIN { n = split(values, v, " ") }
        /^##columns/ { print $0 " " column; next }
        /^##/ { print; next }
        /^#/ { print $0, substr(column, 1, index(column, ":") - 1); next }
        { print $0, v[r++ % n + 1] }' normalized.tsv >more.tsv
    iris-shuffle --replace --publish=D -H units.json -o shuffled.tsv more.tsv
}

@test "columns that somebody has added" {
    with "whole:i64" -9007199254740993 5
    iris-pack -o i.h5 D
    iris-check -q i.h5
    [ "$(container print i.h5 'str(f["columns/whole"].dtype), sorted(set(f["columns/whole"][:].tolist()))')" = \
        "('int64', [-9007199254740993, 5])" ]
    container change i.h5 'f["columns/whole"][0] += 1'
    found i.h5 "'columns/whole' of entry 0"
    # what is no number of 32 bits stays what it is
    with "big:u32" 5000000000 1
    iris-pack -o u.h5 D
    iris-check -q u.h5
    [ "$(container print u.h5 'sorted(set(x.decode() for x in f["columns/big"][:]))')" = "['1', '5000000000']" ]
    with "f:f64[$(printf 'a%.0s' {1..60})]" 0.5 .
    iris-pack -o f.h5 D
    [ "$(container print f.h5 'len(f["columns/f"].attrs["units"]), bool(np.isnan(f["columns/f"][:]).any())')" = "(60, True)" ]
    with "g:f64[]" 0.5
    iris-pack -o g.h5 D
    [ "$(container print g.h5 '"units" in f["columns/g"].attrs')" = False ]
    for name in a/b .; do
        with "$name:str" x
        refused 65 "a column '$name'"
    done
}

@test "settings of more than 64 KiB" {
    perl -0pi -e 's/\n\}\s*$/,\n    "notes": "@{["x" x 100000]}"\n}/' hyper.json units.json
    iris-shuffle --publish=D -H units.json --replace -o shuffled.tsv normalized.tsv
    iris-pack -o big.h5 D
    container equal D big.h5
    iris-check -q big.h5
}

@test "iris-check: damage to a container" {
    damage() {
        cp D.h5 x.h5
        container change x.h5 "$1"
    }
    damage 'f["observed"][2, 0, 3, 4] += 1.5'
    found x.h5 observed hash
    damage 'f["columnized"][1, 0, 0, 3] = np.nan'
    found x.h5 columnized hash
    damage 'f["entry_id"][0] = f["entry_id"][1]'
    found x.h5 "'entry_id' of entry 0 is not that of the manifest"
    damage 'f["theta"][3] += 1'
    found x.h5 "'theta' of entry 3"
    damage 'f["split/snapshot"][0] ^= 1'
    found x.h5 "'split/snapshot' of entry 0"
    damage 'del f["observed"]'
    found x.h5 "there is no dataset 'observed'"
    # of which HDF5 would find no end
    circle() {
        damage "s, t = f['$1'].shape, f['$1'].dtype; del f['$1']; v = h5py.VirtualLayout(s, t); \
            v[:] = h5py.VirtualSource('.', '$1', s, t); f.create_virtual_dataset('$1', v)"
    }
    circle observed
    found x.h5 "dataset 'observed' does not have 6 entries"
    circle point
    found x.h5 "dataset 'point' has not the shape or the type"
    # what is in one file is not in another
    outside() {
        damage "x = f['$1'][:]; x.tofile('outside'); s, t = x.shape, x.dtype; del f['$1']; \
            f.create_dataset('$1', s, t, external=[('$PWD/outside', 0, x.nbytes)])"
    }
    outside observed
    found x.h5 "dataset 'observed' does not have 6 entries"
    outside point
    found x.h5 "dataset 'point' has not the shape or the type"
    damage 'del f["point"]'
    found x.h5 "there is no dataset 'point'"
    damage 'del f["settings"]'
    found x.h5 "the settings of its digest"
    damage 'x = f["columnized"][:4]; del f["columnized"]; f["columnized"] = x'
    found x.h5 "dataset 'columnized' does not have 6 entries"
    damage 'x = f["columnized"][:].astype("f8"); del f["columnized"]; f["columnized"] = x'
    found x.h5 "dataset 'columnized' does not have 6 entries of singles"
    damage 'del f["manifest"]'
    found x.h5 "there is no dataset 'manifest'"
    damage 'x = f["manifest"][()].replace(b"snap_001", b"snap_009"); del f["manifest"]; f.create_dataset("manifest", data=np.bytes_(x))'
    found x.h5 "'manifest' is not the text that was packed"
    damage 'f.attrs["hyper_json"] = np.bytes_(f.attrs["hyper_json"].replace(b"lat_steps", b"lat_stepz"))'
    found x.h5 "'hyper_json' is not the text that was packed"
    damage 'del f.attrs["hyper_json"]'
    found x.h5 "there is no attribute 'hyper_json'"
    damage 'f.attrs["cardinality"] = 7'
    found x.h5 "attribute 'cardinality' of '/' is not what follows"
    # axes, factors, units, links
    damage 'f["longitude"][3] = 99'
    found x.h5 "'longitude' of entry 3"
    damage 'del f["distance"]'
    found x.h5 "there is no dataset 'distance'"
    damage 'f["observed"].attrs["cgs_factor"] *= 2'
    found x.h5 "attribute 'cgs_factor' of 'observed'"
    damage 'f["theta"].attrs["units"] = np.bytes_("bananas")'
    found x.h5 "attribute 'units' of 'theta'"
    damage 'f.attrs["seed"] = np.uint64(7)'
    found x.h5 "attribute 'seed' of '/'"
    damage 'del f["observed"].attrs["DIMENSION_LIST"]'
    found x.h5 "'observed' has no attribute 'DIMENSION_LIST'"
    damage 'a = f["columnized"].attrs; x = a["DIMENSION_LIST"]; x[0] = x[1]; a.modify("DIMENSION_LIST", x)'
    found x.h5 "attribute 'DIMENSION_LIST' of 'columnized'"
    damage 'del f["columns"]; f.create_dataset("columns", data=3)'
    found x.h5 "there is no group 'columns'"
    # what somebody has added is none of our business
    damage 'f["mine"] = np.arange(3); f["observed"].attrs["note"] = "seen"'
    iris-check -q x.h5
}

@test "iris-check: an array that is larger than its file is not read through" {
    claims() {
        cp D.h5 x.h5
        container change x.h5 "a = dict(f['observed'].attrs); del f['observed']; \
            f.create_dataset('observed', shape=$1, dtype='<f4', chunks=$2)"
        run -65 --separate-stderr timeout 60 iris-check x.h5
        [[ $output == *"$3"* ]] || { echo "$output"; false; }
    }
    claims "(6, 1, 2**20, 2**20)" "(1, 1, 2**10, 2**10)" "(1, 1048576, 1048576), not (1, 12, 20)"
    claims "(6, 4, 2**28, 2**29)" "(1, 1, 2**10, 2**10)" "not (1, 12, 20)"
    claims "(6, 1, 0, 20)" None "dataset 'observed' does not have 6 entries"
    claims "(6, 1, 12, 20)" "(1, 1, 12, 20)" "dataset 'observed' has less values than its shape says"
    cp D.h5 x.h5
    container change x.h5 'del f["entry_id"]; f.create_dataset("entry_id", shape=(6,), dtype="S536870912", chunks=(1,))'
    limit=(bash -c 'ulimit -v 2000000; exec "$@"' -)
    ! sanitized || limit=() # which need more for themselves
    run -65 --separate-stderr "${limit[@]}" iris-check x.h5
    [[ $output == *"dataset 'entry_id' has not the shape or the type"* ]]
}

@test "iris-check: what is no container" {
    refuses() {
        found x.h5 "$@"
        [ -z "$output" ]
    }
    cp D.h5 x.h5
    container change x.h5 'del f.attrs["complete"]'
    refuses "'x.h5' is not complete"
    container change x.h5 'f.attrs["complete"] = 0'
    refuses "'x.h5' is not complete"
    container change x.h5 'f.attrs["complete"] = 1; f.attrs["format_version"] = 2'
    refuses "version 2"
    container change x.h5 'f.attrs["format_version"] = 1; f.attrs["type"] = np.bytes_("other")'
    refuses "type"
    cp snaps/snap_001.hdf5 x.h5
    refuses "holds no data set"
    head -c 20000 D.h5 >x.h5
    refuses "cannot read 'x.h5' as HDF5" || refuses "cannot"
    echo none >x.h5
    refuses "cannot"
    run -74 --separate-stderr iris-check none.h5
    one_sentence iris-check
}

@test "compressed by somebody else, it is the same container" {
    command -v h5repack >/dev/null || skip "no h5repack"
    h5repack -f columnized,observed:GZIP=1 D.h5 x.h5
    iris-check -q x.h5
}
