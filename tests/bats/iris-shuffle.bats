#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Twelve entries of three snapshots in IRIS units: simple in D, standard in S.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s writer_hyper.points_per_snapshot=4 \
        -s 'observer_hyper.chem_path=["/some/where/13C16O.dat"]' >hyper.json
    snapshots 3
    iris-list -H hyper.json -o list.tsv snaps
    iris-gen -H hyper.json -t simple -d D list.tsv | iris-merge -d D -o merged.tsv
    iris-gen -H hyper.json -t standard -d S list.tsv | iris-merge -d S -o merged_standard.tsv
    iris-units -H hyper.json -d D -o units.json merged.tsv
    iris-units -H hyper.json -d S -o units_standard.json merged_standard.tsv
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    iris-normalize -H units_standard.json -d S -o standard.tsv merged_standard.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

published() {
    ls "$1"/iris-manifest.tsv "$1"/hyper.json "$1"/attributes.json
}

# index DATASET: the paths of attributes.json, one entry a line
index() {
    sed -n '/"index"/,/^    \]/p' "$1/attributes.json" | grep -o '"entries[^"]*"' | tr -d '"' |
        if grep -q '^        \[$' "$1/attributes.json"; then paste - -; else cat; fi
}

reversed() {
    { grep '^#' "$1" | grep -v '^##rows'; grep -v '^#' "$1" | tac; }
}

@test "help and version" {
    run -0 --separate-stderr iris-shuffle --help
    [[ $output == "usage: iris-shuffle "* ]]
    run -0 --separate-stderr iris-shuffle --version
    [[ $output == "iris-shuffle (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-shuffle
}

@test "wrong command lines" {
    for words in "--seed=x normalized.tsv" "--seed=-1 normalized.tsv" "--publish=D normalized.tsv" \
        "--drop-raw normalized.tsv" "-H units.json --drop-raw normalized.tsv" "--replace normalized.tsv" "a b" "-H" "--new a"; do
        run -64 --separate-stderr iris-shuffle $words
        one_sentence iris-shuffle
        [ -z "$output" ]
    done
    [ ! -e D/attributes.json ]
    [ -n "$(find D/entries/*/raw -name '*.npy')" ]
}

@test "missing and wrong files" {
    run -74 --separate-stderr iris-shuffle missing.tsv
    one_sentence iris-shuffle
    run -74 --separate-stderr iris-shuffle --publish=D -H missing.json normalized.tsv
    run -74 --separate-stderr iris-shuffle --publish=missing -H units.json normalized.tsv
    one_sentence iris-shuffle
    [ ! -e missing ]
    run -65 --separate-stderr iris-shuffle --publish=snaps -H units.json normalized.tsv
    run -65 --separate-stderr iris-shuffle hyper.json
    [[ $stderr == "iris-shuffle: hyper.json:1: "* ]]
    run -65 --separate-stderr iris-shuffle list.tsv
    rows normalized.tsv '$skip = 1' >none.tsv
    run -65 --separate-stderr iris-shuffle none.tsv
    one_sentence iris-shuffle
    grep -v '^##rows' normalized.tsv >twice.tsv
    grep -v '^#' normalized.tsv | sed -n 3p >>twice.tsv
    run -65 --separate-stderr iris-shuffle twice.tsv
    [[ $stderr == *"'$(column id normalized.tsv | sed -n 3p)'"* ]]
}

@test "a permutation, of whole rows" {
    iris-shuffle --seed=7 -o shuffled.tsv normalized.tsv
    run -1 cmp -s shuffled.tsv normalized.tsv
    cmp <(sort shuffled.tsv) <(sort normalized.tsv)
    cmp <(head -3 shuffled.tsv) <(head -3 normalized.tsv)
    [ "$(tail -1 shuffled.tsv)" = "##rows 12" ]
}

@test "the seed makes the order, not the order of the rows" {
    for seed in 0 1 2 3; do
        iris-shuffle --seed=$seed -o $seed.tsv normalized.tsv
        iris-shuffle --seed=$seed normalized.tsv | cmp - $seed.tsv
        iris-shuffle --seed=$seed <(reversed normalized.tsv) | cmp - $seed.tsv
        iris-shuffle --seed=9 normalized.tsv | iris-shuffle --seed=$seed | cmp - $seed.tsv
        column id $seed.tsv | tr '\n' ' ' >>orders
        echo >>orders
    done
    [ "$(sort -u orders | wc -l)" = 4 ]
    # the settings' seed, 1216, and none: 1216
    iris-shuffle --seed=1216 -o default.tsv normalized.tsv
    iris-shuffle normalized.tsv | cmp - default.tsv
    iris-shuffle -H units.json normalized.tsv | cmp - default.tsv
    iris-hyper --preset=units.json --seed=2 >two.json
    iris-shuffle -H two.json normalized.tsv | cmp - 2.tsv
    iris-shuffle -H two.json --seed=3 normalized.tsv | cmp - 3.tsv
}

@test "every entry comes everywhere" {
    # 120 orders of 12: first places are not always the same few
    for seed in $(seq 120); do
        iris-shuffle --seed=$seed normalized.tsv | column id - | head -1
    done | sort | uniq -c | awk '{ n++; if ($1 > 30) bad = 1 } END { exit !(n == 12 && !bad) }'
}

@test "an entry more disturbs the others least" {
    iris-shuffle --seed=7 -o shuffled.tsv normalized.tsv
    rows normalized.tsv '$skip = $n == 5' >less.tsv
    iris-shuffle --seed=7 less.tsv | column id - |
        cmp - <(column id shuffled.tsv | grep -vxF "$(column id normalized.tsv | sed -n 5p)")
}

@test "failed rows are left out, with a warning" {
    rows normalized.tsv 'if ($n % 5 == 0) { @f{qw(state column observed)} = ("failed", ".", ".") }' >failed.tsv
    run -0 --separate-stderr iris-shuffle --seed=7 -o shuffled.tsv failed.tsv
    [ "$stderr" = "iris-shuffle: warning: 2 of 12 entries have failed and are left out" ]
    [ "$(tail -1 shuffled.tsv)" = "##rows 10" ]
    cmp <(column id shuffled.tsv | sort) <(column id normalized.tsv | sed '5d;10d' | sort)
    run -0 --separate-stderr iris-shuffle -q --seed=7 failed.tsv
    [ -z "$stderr" ]
    iris-shuffle --publish=D -H units.json --seed=7 failed.tsv | cmp - shuffled.tsv
    cmp shuffled.tsv D/iris-manifest.tsv
    iris-check D
    rows normalized.tsv '@f{qw(state column observed)} = ("failed", ".", ".")' >all.tsv
    run -65 --separate-stderr iris-shuffle -q all.tsv
    one_sentence iris-shuffle
}

@test "standard input and output by rename" {
    iris-shuffle --seed=7 -o shuffled.tsv normalized.tsv
    iris-shuffle --seed=7 - <normalized.tsv | cmp - shuffled.tsv
    cat normalized.tsv | iris-shuffle --seed=7 | cmp - shuffled.tsv
    ln shuffled.tsv old
    iris-shuffle --seed=8 -o shuffled.tsv normalized.tsv
    run -1 cmp -s old shuffled.tsv
    no_leftovers
}

@test "--publish writes the three files, attributes.json last" {
    same_data D "$BATS_FILE_TMPDIR/D"
    iris-shuffle --seed=7 --publish=D -H units.json -o shuffled.tsv normalized.tsv
    published D
    cmp shuffled.tsv D/iris-manifest.tsv
    [ "$(cd D && ls)" = "attributes.json
entries
hyper.json
iris-manifest.tsv" ]
    [ "$(stat -c '%.Y' D/iris-manifest.tsv D/hyper.json D/attributes.json)" = \
        "$(stat -c '%.Y' D/iris-manifest.tsv D/hyper.json D/attributes.json | sort -n)" ]
    run -0 --separate-stderr iris-check D
    [ -z "$output$stderr" ]
    no_leftovers
}

@test "the order of writing, by what a hindrance leaves" {
    cp -a D keep
    mkdir D/attributes.json.tmp # in the way of the last file
    run -74 --separate-stderr iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    one_sentence iris-shuffle
    [ -e D/iris-manifest.tsv ]
    [ -e D/hyper.json ]
    [ ! -e D/attributes.json ]
    [ ! -e shuffled.tsv ]
    rm -r D && cp -a keep D
    mkdir D/hyper.json.tmp
    run -74 iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    [ -e D/iris-manifest.tsv ]
    [ ! -e D/hyper.json ]
    [ ! -e D/attributes.json ]
    rm -r D && cp -a keep D
    mkdir D/iris-manifest.tsv.tmp
    run -74 iris-shuffle --publish=D -H units.json --drop-raw -o shuffled.tsv normalized.tsv
    [ ! -e D/iris-manifest.tsv ]
    [ ! -e D/hyper.json ]
    [ ! -e D/attributes.json ]
    [ "$(find D/entries/*/raw -name '*.npy' | wc -l)" = 24 ]
    # and the same command finishes it
    rmdir D/iris-manifest.tsv.tmp
    iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    iris-check D
}

@test "renames in order, each after its data is safe" {
    command -v strace >/dev/null && strace -o /dev/null true || skip "no strace"
    export ASAN_OPTIONS=detect_leaks=0 # which cannot be done under strace
    strace -f -e trace=rename,renameat,renameat2,fsync -o trace iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    grep -oE 'fsync|rename.*"' trace | sed 's/.*"\([^"]*\)"$/\1/' | tr '\n' ' ' >order
    [[ $(cat order) == *"fsync "*"D/iris-manifest.tsv fsync fsync D/hyper.json fsync fsync D/attributes.json fsync "*"shuffled.tsv fsync "* ]]
}

@test "attributes.json: cardinality and index as the reference wants them" {
    iris-shuffle --seed=7 --publish=D -H units.json -o shuffled.tsv normalized.tsv
    index D >index
    cmp index <(paste <(column column shuffled.tsv) <(column observed shuffled.tsv))
    (cd D && ls $(cat ../index) >/dev/null)
    head -1 D/attributes.json | grep -qx '{'
    sed -n 2p D/attributes.json | grep -qx '    "cardinality": 12,'
    sed -n 3p D/attributes.json | grep -qx '    "index": \['
    read -r one two <index
    sed -n '4,7p' D/attributes.json | cmp - <(printf '        [\n            "%s",\n            "%s"\n        ],\n' "$one" "$two")
    [ "$(tail -c 1 D/attributes.json)" = "}" ]
    iris-shuffle --seed=7 --publish=S -H units_standard.json -o shuffled.tsv standard.tsv
    index S | cmp - <(column tensor shuffled.tsv)
    sed -n 4p S/attributes.json | grep -qx '        "entries/.*\.tensor\.npy",'
    LC_ALL=C run -1 grep -P '[^\x20-\x7e]' D/attributes.json
}

@test "attributes.json and hyper.json, read by something else" {
    python3 -c 'import json' 2>/dev/null || skip "no python3"
    iris-shuffle --seed=7 --publish=D -H units.json -o d.tsv normalized.tsv
    iris-shuffle --seed=7 --publish=S -H units_standard.json -o s.tsv standard.tsv
    for set in D:d.tsv S:s.tsv; do
        python3 - "${set%:*}" "${set#*:}" <<'P'
import json, sys
root, manifest = sys.argv[1:]
a = json.load(open(root + '/attributes.json'))
lines = open(manifest).read().split('\n')
names = lines[2][1:].split('\t')
rows = [dict(zip(names, l.split('\t'))) for l in lines[3:] if l and l[0] != '#']
want = [r['tensor'] for r in rows] if 'tensor' in names else [[r['column'], r['observed']] for r in rows]
assert a['cardinality'] == len(rows) == 12
assert a['index'] == want
text = open(root + '/hyper.json').read()
h = json.loads(text)
six = ['writer_hyper', 'dataset_hyper', 'coordinate_hyper', 'observer_hyper', 'cube_hyper', 'training_hyper']
assert list(h)[:6] == six and list(h)[6:] == ['suite_hyper']
assert all(isinstance(h[s], dict) for s in six)
assert json.dumps(h, indent=4) == text            # as Python writes it, to the byte
assert json.dumps(a, indent=4) == open(root + '/attributes.json').read()
assert h['observer_hyper']['chem_path'] == ['13C16O.dat']
assert h['cube_hyper']['reduction'] in ('mean', 'max')
assert all(isinstance(h['dataset_hyper'][k], float) for k in (
    '_length_iris_per_SI', '_length_iris_per_parsec', '_time_iris_per_SI', '_mass_iris_per_SI', '_temperature_iris_per_SI'))
P
    done
}

@test "hyper.json: six sections and ours, no place of this machine" {
    iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    [ "$(grep -oE '^    "[a-z_]*": \{$' D/hyper.json | tr -d ' ":{' | tr '\n' ' ')" = \
        "writer_hyper dataset_hyper coordinate_hyper observer_hyper cube_hyper training_hyper suite_hyper " ]
    [ "$(tail -c 1 D/hyper.json)" = "}" ]
    run -1 grep / D/hyper.json
    grep -q '"13C16O.dat"' D/hyper.json
    iris-hyper --preset=D/hyper.json --diff=units.json >difference
    [ "$(cut -f1 difference)" = observer_hyper.chem_path ]
    run -1 grep -rE "$PWD|$BATS_FILE_TMPDIR|/some/where|$(hostname)" D/hyper.json D/attributes.json D/iris-manifest.tsv
}

@test "publishing again changes no byte" {
    iris-shuffle --seed=7 --publish=D -H units.json -o shuffled.tsv normalized.tsv
    cp -a D once
    iris-shuffle --seed=7 --publish=D -H units.json -o again.tsv normalized.tsv
    cmp again.tsv shuffled.tsv
    same_data D once
    # from what was published, too
    iris-shuffle --seed=7 --publish=D -H D/hyper.json -o again.tsv D/iris-manifest.tsv
    same_data D once
    # another order
    iris-shuffle --seed=8 --publish=D -H units.json -o again.tsv normalized.tsv
    run -1 cmp -s again.tsv shuffled.tsv
    iris-check D
}

@test "rows that are not in these units" {
    run -65 --separate-stderr iris-shuffle --publish=D -H units.json -o shuffled.tsv merged.tsv
    one_sentence iris-shuffle
    [[ $stderr == *"iris-normalize"* ]]
    iris-units -H hyper.json -d D --sample=1 -o units2.json merged.tsv
    run -65 --separate-stderr iris-shuffle --publish=D -H units2.json -o shuffled.tsv normalized.tsv
    one_sentence iris-shuffle
    rows normalized.tsv '$f{units} = "." if $n == 9' >unknown.tsv
    run -65 --separate-stderr iris-shuffle --publish=D -H units.json unknown.tsv
    run -65 --separate-stderr iris-shuffle --publish=D -H hyper.json normalized.tsv
    [[ $stderr == *"_density_iris_per_processing"* ]]
    [ ! -e shuffled.tsv ]
    same_data D "$BATS_FILE_TMPDIR/D"
}

@test "settings that are not those of the arrays" {
    iris-hyper --preset=units_standard.json -s coordinate_hyper.lat_steps=8 >other.json
    run -65 --separate-stderr iris-shuffle --publish=S -H other.json -o shuffled.tsv standard.tsv
    one_sentence iris-shuffle
    iris-hyper --preset=units.json -s cube_hyper.v_steps=21 >other.json
    run -65 --separate-stderr iris-shuffle --publish=D -H other.json -o shuffled.tsv normalized.tsv
    one_sentence iris-shuffle
    same_data D "$BATS_FILE_TMPDIR/D"
    same_data S "$BATS_FILE_TMPDIR/S"
}

@test "a published data set keeps its units and shapes" {
    iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    cp -a D before
    # other units
    iris-units -H hyper.json -d D --sample=1 -o units2.json merged.tsv
    iris-normalize -H units2.json -d D -o normalized2.tsv merged.tsv
    rm -r before && cp -a D before
    run -65 --separate-stderr iris-shuffle --publish=D -H units2.json -o out.tsv normalized2.tsv
    one_sentence iris-shuffle
    [[ $stderr == *"--from"* ]]
    same_data D before
    # other shapes, with the same units
    tiny_hyper -s writer_hyper.points_per_snapshot=4 -s cube_hyper.v_steps=24 >wide.json
    iris-gen -H wide.json -t simple -d D list.tsv | iris-merge -d D -o wide.tsv
    iris-units -H wide.json -d D --from=D -o wide_units.json wide.tsv
    iris-normalize -H wide_units.json -d D -o wide_normalized.tsv wide.tsv
    rm -r before && cp -a D before
    run -65 --separate-stderr iris-shuffle --publish=D -H wide_units.json -o out.tsv wide_normalized.tsv
    one_sentence iris-shuffle
    same_data D before
    # another type
    iris-gen -H hyper.json -t standard -d D list.tsv | iris-merge -d D -o t.tsv
    iris-units -H hyper.json -d D --from=D -o t.json t.tsv
    iris-normalize -H t.json -d D -o tn.tsv t.tsv
    rm -r before && cp -a D before
    run -65 --separate-stderr iris-shuffle --publish=D -H t.json -o out.tsv tn.tsv
    one_sentence iris-shuffle
    same_data D before
    [ ! -e out.tsv ]
    iris-check D
}

@test "a mixture of shapes" {
    tiny_hyper -s writer_hyper.points_per_snapshot=4 -s cube_hyper.v_steps=24 >wide.json
    iris-gen -H wide.json -t simple -d D list.tsv | iris-merge -d D -o wide.tsv merged.tsv -
    run -65 --separate-stderr iris-shuffle --publish=D -H units.json -o out.tsv <(iris-normalize -H units.json -d D wide.tsv)
    one_sentence iris-shuffle
    [ ! -e D/attributes.json ]
}

@test "--replace publishes other units and shapes" {
    iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    cp -a D before
    iris-shuffle --replace --publish=D -H units.json -o again.tsv normalized.tsv # nothing to replace
    same_data D before
    iris-units -H hyper.json -d D --sample=1 -o units2.json merged.tsv
    iris-normalize -H units2.json -d D -o normalized2.tsv merged.tsv
    iris-shuffle --replace --publish=D -H units2.json -o shuffled2.tsv normalized2.tsv
    run -0 --separate-stderr iris-check D
    cmp shuffled2.tsv D/iris-manifest.tsv
    tiny_hyper -s writer_hyper.points_per_snapshot=4 -s cube_hyper.v_steps=24 >wide.json
    iris-gen -H wide.json -t simple -d D list.tsv | iris-merge -d D -o wide.tsv
    iris-units -H wide.json -d D --from=D -o wide_units.json wide.tsv
    iris-normalize -H wide_units.json -d D -o wide_normalized.tsv wide.tsv
    iris-shuffle --replace --publish=D -H wide_units.json -o out.tsv wide_normalized.tsv
    run -0 --separate-stderr iris-check D
    # what is not in the units of its settings is not published with it either
    cp -a D before2
    run -65 --separate-stderr iris-shuffle --replace --publish=D -H wide_units.json -o out2.tsv normalized.tsv
    run -65 --separate-stderr iris-shuffle --replace --publish=D -H wide_units.json -o out2.tsv merged.tsv
    run -65 --separate-stderr iris-shuffle --replace --publish=D -H units.json -o out2.tsv wide_normalized.tsv
    same_data D before2
    # hindered, it is not the old data set with a new list
    mkdir D/iris-manifest.tsv.tmp
    run -74 --separate-stderr iris-shuffle --replace --publish=D -H units.json -o out.tsv normalized.tsv
    [ ! -e D/attributes.json ]
    rmdir D/iris-manifest.tsv.tmp
    iris-shuffle --replace --publish=D -H units.json -o out.tsv normalized.tsv
    iris-check D
}

# more snapshots, with the units of what is published
extend() {
    snapshots 5
    iris-list -H hyper.json -o list.tsv snaps
    iris-gen -H hyper.json -t simple -d D list.tsv | iris-merge -d D -o more.tsv
    iris-units -H hyper.json -d D --from=D -o units5.json more.tsv
    iris-normalize -H units5.json -d D -o normalized5.tsv more.tsv
}

@test "a published data set grows" {
    iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    extend
    iris-shuffle --publish=D -H units5.json -o shuffled5.tsv normalized5.tsv
    run -0 --separate-stderr iris-check -v D
    [[ $stderr == *"20 entries"* ]]
    [ "$(index D | wc -l)" = 20 ]
    grep -vxFf <(column id normalized.tsv) <(column id shuffled5.tsv) | wc -l | grep -qx 8
    # it is what is made at once with these units
    cp -a D grown
    mkdir all
    iris-gen -H hyper.json -t simple -d all list.tsv | iris-merge -d all -o all.tsv
    iris-units -H hyper.json -d all --from=units.json -o all.json all.tsv
    iris-normalize -H all.json -d all all.tsv | iris-shuffle --publish=all -H all.json -o shuffled_all.tsv
    cmp all/hyper.json grown/hyper.json
    cmp all/attributes.json grown/attributes.json
    cmp all/iris-manifest.tsv grown/iris-manifest.tsv
}

@test "a published data set grows when its raw arrays are gone" {
    iris-shuffle --publish=D -H units.json --drop-raw -o shuffled.tsv normalized.tsv
    snapshots 5
    iris-list -H hyper.json snaps/snap_004.hdf5 snaps/snap_005.hdf5 |
        iris-gen -H hyper.json -t simple -d D | iris-merge -d D -o more.tsv
    iris-units -H hyper.json -d D --from=D -o units5.json more.tsv
    iris-normalize -H units5.json -d D -o more_iris.tsv more.tsv
    iris-merge -d D -o all.tsv D/iris-manifest.tsv more_iris.tsv
    iris-shuffle --publish=D -H units5.json --drop-raw -o shuffled5.tsv all.tsv
    iris-check D
    [ "$(index D | wc -l)" = 20 ]
    [ -z "$(find D/entries/*/raw -name '*.npy')" ]
}

@test "--drop-raw removes exactly the raw arrays of these entries" {
    rows normalized.tsv '$skip = $n > 9' >nine.tsv
    cp -a D before
    iris-shuffle --publish=D -H units.json --drop-raw -o shuffled.tsv nine.tsv
    iris-check D
    (cd before && find . -name .iris -prune -o -type f -print | sort) >old
    (cd D && find . -name .iris -prune -o -type f -print | sort) >new
    comm -23 old new | sort >gone
    comm -13 old new >came
    cmp gone <(rows merged.tsv '$skip = $n > 9' | { tee rows9 >/dev/null; column column rows9; column observed rows9; } | sed 's|^|./|' | sort)
    [ "$(sort came | tr '\n' ' ')" = "./attributes.json ./hyper.json ./iris-manifest.tsv " ]
    for path in $(comm -12 old new); do
        cmp "before/$path" "D/$path"
    done
    # again: nothing left to remove
    cp -a D before2
    iris-shuffle --publish=D -H units.json --drop-raw -o again.tsv nine.tsv
    same_data D before2
    cmp again.tsv shuffled.tsv
}

@test "--drop-raw where raw and IRIS are one file" {
    iris-shuffle --publish=S -H units_standard.json --drop-raw -o shuffled.tsv standard.tsv
    iris-check S
    [ -z "$(find S/entries/*/raw -name '*.npy')" ]
    [ "$(find S/entries -name source.tsv | wc -l)" = 3 ]
    [ "$(cd S && stat -c %h $(column tensor ../shuffled.tsv) | sort -u)" = 1 ]
}

@test "--dry-run" {
    run -0 --separate-stderr iris-shuffle --publish=D -H units.json --drop-raw --dry-run -o out.tsv normalized.tsv
    [ -z "$output" ]
    [[ $stderr == *"12 entries"* ]]
    [ ! -e out.tsv ]
    same_data D "$BATS_FILE_TMPDIR/D"
}

@test "a full disk is noticed" {
    run -74 --separate-stderr bash -c "iris-shuffle normalized.tsv >/dev/full"
    one_sentence iris-shuffle
    # the raw arrays stay while the list is not out
    run -74 --separate-stderr bash -c "iris-shuffle --publish=D -H units.json --drop-raw normalized.tsv >/dev/full"
    [ "$(find D/entries/*/raw -name '*.npy' | wc -l)" = 24 ]
    run -74 --separate-stderr bash -c "iris-shuffle --help >/dev/full"
}
