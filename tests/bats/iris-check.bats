#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Published: simple in D, standard in S; six entries each.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s writer_hyper.points_per_snapshot=2 >hyper.json
    snapshots 3
    pipeline standard S
    pipeline simple D
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# the data set as it was
again() {
    rm -rf D S
    cp -a "$BATS_FILE_TMPDIR"/[DS] .
}

# found DATASET WORD...: the damage is found, in a line with these words
found() {
    local data=$1 lines word
    shift
    run -65 --separate-stderr iris-check "$data"
    one_sentence iris-check
    lines=$output
    if [ -n "$output" ]; then
        [[ $stderr == "iris-check: '$data' is not whole: $(wc -l <<<"$output") promises are broken" ]] ||
            { echo "$stderr"; return 1; }
    else
        lines=$stderr
    fi
    for word in "$@"; do
        lines=$(grep -F -- "$word" <<<"$lines") || { echo "no '$word' in: $output $stderr"; return 1; }
    done
}

# bless DATASET: give the lists the hashes of what is there now, as someone
# would who does not want to be found
bless() {
    local line path old new
    while line=$(iris-check "$1" 2>/dev/null | grep -m1 "its hash is"); do
        path=$(sed "s/.*'\([^']*\)' is not the file .*/\1/" <<<"$line")
        new=$(sed 's/.*its hash is \([0-9a-f]*\), not .*/\1/' <<<"$line")
        old=${line##*, not }
        sed -i "\|$path|s/$old/$new/" "$1/iris-manifest.tsv" "$1/attributes.json"
    done
}

# change DATASET CODE: rewrite the published manifest
change() {
    rows "$1/iris-manifest.tsv" "$2" >changed
    cp changed "$1/iris-manifest.tsv"
}

# path N KIND: of the published data set; id N
path() {
    column "$2" "$BATS_FILE_TMPDIR/D/iris-manifest.tsv" | sed -n "$1p"
}
id() {
    column id "$BATS_FILE_TMPDIR/D/iris-manifest.tsv" | sed -n "$1p"
}

@test "help and version" {
    run -0 --separate-stderr iris-check --help
    [[ $output == "usage: iris-check "* ]]
    run -0 --separate-stderr iris-check --version
    [[ $output == "iris-check (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-check
}

@test "wrong command lines" {
    for words in "" "D S" "--unknown D" "-o" "D --progress=-1"; do
        run -64 --separate-stderr iris-check $words
        one_sentence iris-check
        [ -z "$output" ]
    done
}

@test "whole data sets" {
    for data in D S D/ "$PWD/S"; do
        run -0 --separate-stderr iris-check "$data"
        [ -z "$output$stderr" ]
    done
    run -0 --separate-stderr iris-check -v D
    [[ $stderr == "iris-check: 'D' is whole: 6 entries, 12 arrays" ]]
    run -0 --separate-stderr iris-check -v S
    [[ $stderr == *"6 entries, 6 arrays" ]]
    run -0 iris-check -o lines D
    [ -e lines ]
    [ ! -s lines ]
    # moved, copied, without raw arrays and bookkeeping
    mv D elsewhere
    rm -rf elsewhere/.iris elsewhere/entries/*/raw
    run -0 --separate-stderr iris-check elsewhere
    [ -z "$output$stderr" ]
    diff -r S "$BATS_FILE_TMPDIR/S" # looking changes nothing
}

@test "other units and an extended data set" {
    iris-units -H hyper.json -d S --from=D/hyper.json -o units.json S/iris-manifest.tsv
    iris-list -H hyper.json snaps | iris-gen -H hyper.json -t standard -d S2 | iris-merge -d S2 -o m.tsv
    iris-normalize -H units.json -d S2 m.tsv | iris-shuffle --publish=S2 -H units.json -o s.tsv
    run -0 --separate-stderr iris-check S2
    [ -z "$output$stderr" ]
}

@test "no data set" {
    run -74 --separate-stderr iris-check missing
    one_sentence iris-check
    [[ $stderr == *"missing/attributes.json"* ]]
    run -74 --separate-stderr iris-check snaps
    one_sentence iris-check
    # a file is a container or wrong
    run -65 --separate-stderr iris-check hyper.json
    one_sentence iris-check
    rm D/attributes.json # made, but not published
    run -74 --separate-stderr iris-check D
    [[ $stderr == *"'D' is no published data set: there is no 'D/attributes.json'" ]]
    [ -z "$output" ]
    for text in "" "{" "[]" "{}" '{"cardinality": 0}' '{"index": []}' '{"cardinality": 0, "index": []}' \
        '{"cardinality": 1, "index": [5], "type": "simple"}' '{"cardinality": 1, "index": [[]], "type": "simple"}' \
        '{"cardinality": 1.0, "index": ["x"], "type": "standard"}' '{"cardinality": 0, "index": {}, "type": "standard"}'; do
        printf '%s' "$text" >D/attributes.json
        run -65 --separate-stderr iris-check D
        one_sentence iris-check
        [[ $stderr == *"attributes.json"* ]]
        [ -z "$output" ]
    done
}

@test "the helper that hides damage leaves none where there is none" {
    bless D
    same_data D "$BATS_FILE_TMPDIR/D"
    echo >>D/hyper.json
    found D "'hyper.json'" "hash"
    bless D
    run -0 iris-check D
}

@test "a flipped byte in an array" {
    for at in 0 6 8 9 20 64 127 128 129 500 -1; do
        again
        flip "D/$(path 4 observed)" $at
        found D "$(id 4)" "$(path 4 observed)"
    done
    for at in 10 128 -1; do
        again
        tensor=$(column tensor S/iris-manifest.tsv | sed -n 2p)
        flip "S/$tensor" $at
        found S "$tensor"
    done
}

@test "an array cut short, emptied, lengthened, missing, something else" {
    array=D/$(path 2 column)
    truncate -s -1 "$array"
    found D "$(id 2)" "$(path 2 column)"
    truncate -s 128 "$array"
    found D "$(id 2)" "$(path 2 column)"
    : >"$array"
    found D "$(id 2)" "$(path 2 column)"
    again
    echo >>"$array"
    found D "$(id 2)" "$(path 2 column)"
    rm "$array"
    found D "$(id 2)" "$(path 2 column)" "No such file"
    mkdir "$array"
    found D "$(id 2)" "$(path 2 column)"
    # the other entries are looked at all the same
    again
    rm "D/$(path 1 column)" "D/$(path 6 observed)"
    found D "$(id 1)"
    found D "$(id 6)"
    [ "$(iris-check D 2>/dev/null | wc -l)" = 2 ]
    rm -r D/entries
    [ "$(iris-check D 2>/dev/null | grep -c "^entry '")" -ge 6 ]
}

@test "two arrays swapped" {
    mv "D/$(path 1 column)" x
    mv "D/$(path 3 column)" "D/$(path 1 column)"
    mv x "D/$(path 3 column)"
    found D "$(id 1)" "$(path 1 column)"
    found D "$(id 3)" "$(path 3 column)"
}

@test "an array of another shape" {
    array=D/$(path 5 observed)
    new_array "$array" "(1, 12, 21)" 1 2 3
    found D "$(id 5)" "(1, 12, 21)" "(1, 12, 20)"
    new_array "$array" "(1, 20, 12)" 1 2 3
    found D "$(id 5)" "(1, 20, 12)"
    bless D
    found D "$(id 5)" "(1, 20, 12)"
    # all of them alike, with all hashes right
    again
    for i in 1 2 3 4 5 6; do
        new_array "D/$(path $i observed)" "(1, 20, 12)" 1 2 3
    done
    bless D
    found D "$(id 1)" "(1, 20, 12)"
    found D "$(id 6)" "(1, 20, 12)"
    rm D/entries/*/settings.json
    bless D
    found D "$(id 6)" "shape"
}

@test "values that are not finite" {
    for value in '$nan' '$inf' '-$inf'; do
        again
        array "D/$(path 3 observed)" "\$v[11] = $value"
        bless D
        found D "$(id 3)" "$(path 3 observed)" "not finite" "11"
    done
    again
    tensor=$(column tensor S/iris-manifest.tsv | sed -n 1p)
    array "S/$tensor" '$v[@v / 3 + 1] = $inf' # a temperature may be
    bless S
    run -0 iris-check S
    array "S/$tensor" '$v[1] = $inf'
    bless S
    found S "$tensor" "not finite"
}

@test "a constant map" {
    array "D/$(path 3 column)" '@v = (2.5) x @v'
    found D "$(id 3)" "$(path 3 column)"
    bless D
    found D "$(id 3)" "$(path 3 column)" "constant (2.5)"
    again
    array "D/$(path 2 observed)" '@v = (0) x @v'
    bless D
    found D "$(id 2)" "constant (0)"
}

@test "rows of the manifest removed, doubled, more, none" {
    change D '$skip = $n == 2'
    found D iris-manifest.tsv hash
    bless D
    found D "the index has 6 entries" "has 5"
    again
    change D '$skip = $n == 6'
    bless D
    found D "the index has 6 entries" "has 5"
    again
    sed -n '/snap_/p' D/iris-manifest.tsv | sed -n 4p >row
    sed -i -e '6r row' -e 's/^##rows 6/##rows 7/' D/iris-manifest.tsv
    found D iris-manifest.tsv hash
    bless D
    found D "'$(id 4)' is there twice"
    again
    change D '$skip = 1'
    bless D
    found D "the index has 6 entries" "has 0"
    again
    # one in another's place
    sed -n '/snap_/p' D/iris-manifest.tsv | sed -n 4p >row
    sed -i -e '6r row' -e 6d D/iris-manifest.tsv
    bless D
    found D "'$(id 4)' is there twice"
    found D "of the index is '$(path 3 column)'"
}

@test "the manifest in another order, cut short, no manifest" {
    { head -3 D/iris-manifest.tsv; sed -n '/snap_/p' D/iris-manifest.tsv | tac; tail -1 D/iris-manifest.tsv; } >x
    cp x D/iris-manifest.tsv
    bless D
    found D "entry 0 of the index"
    again
    truncate -s -40 D/iris-manifest.tsv
    found D iris-manifest.tsv
    bless D
    found D iris-manifest.tsv
    : >D/iris-manifest.tsv
    found D iris-manifest.tsv
    rm D/iris-manifest.tsv
    found D iris-manifest.tsv "No such file"
    again
    cp "$BATS_FILE_TMPDIR/list.tsv" D/iris-manifest.tsv
    bless D
    found D iris-manifest.tsv
}

@test "fields of the manifest" {
    change D '$f{theta} = "1.0" if $n == 3'
    found D iris-manifest.tsv hash
    again
    change D '$f{state} = "raw" if $n == 3'
    bless D
    found D "$(id 3)" "not in IRIS units"
    again
    change D '$f{state} = "failed" if $n == 3'
    bless D
    found D "$(id 3)" "not in IRIS units"
    again
    change D '$f{state} = "good" if $n == 3'
    bless D
    found D "$(id 3)" "state"
    again
    change D '$f{type} = "synthetic" if $n == 3'
    bless D
    found D "$(id 3)" "type"
    again
    change D '$f{type} = "standard" if $n == 3'
    bless D
    found D "$(id 3)"
    again
    change D '$f{units} = "01234567" if $n == 3'
    bless D
    found D "$(id 3)" 01234567 hyper.json
    again
    change D '$f{units} = "."'
    bless D
    found D "$(id 6)" "not in IRIS units"
    again
    for code in '$f{point} = 1 - $f{point}' '$f{snapshot} = "snap_009"' '$f{digest} = "01234567"' \
        '$f{id} =~ s/snap/snip/' '$f{id} = "x"' '$f{id} = "."'; do
        change D "$code if \$n == 3"
        bless D
        found D "bad id"
        again
    done
    change D '$f{column_xxh128} = "." if $n == 3'
    bless D
    found D "$(id 3)" "no hash"
    again
    change D '@f{qw(column observed)} = @f{qw(observed column)} if $n == 3'
    bless D
    found D "$(id 3)"
    found D "entry 2 of the index"
    again
    change D '$f{column} = "../D/$f{column}" if $n == 3'
    bless D
    found D "$(id 3)" "column"
}

# attributes CODE: change attributes.json by a perl substitution
attributes() {
    perl -0 -i -pe "$1" D/attributes.json
}

@test "attributes.json: cardinality, index, type, hashes" {
    attributes 's/"cardinality": 6/"cardinality": 5/'
    found D attributes.json cardinality 5 6
    again
    attributes 's/"cardinality": 6/"cardinality": 7/'
    found D attributes.json cardinality
    again
    attributes 's/"cardinality": 6/"cardinality": "6"/'
    found D attributes.json cardinality
    again
    # an entry more: the first one again
    attributes 's/("index": \[\s*)(\[.*?\]),/$1$2,$2,/s; s/"cardinality": 6/"cardinality": 7/'
    found D "the index has 7 entries" "has 6"
    again
    attributes 's/("index": \[\s*)(\[.*?\]),/$1/s; s/"cardinality": 6/"cardinality": 5/'
    found D "the index has 5 entries" "has 6"
    again
    attributes 's/("index": \[\s*)(\[.*?\]),\s*(\[.*?\]),/$1$3,$2,/s'
    found D "entry 0 of the index" "$(path 2 column)" "$(path 1 column)"
    found D "entry 1 of the index"
    again
    attributes 's/p00(\d).observed/p00$1.columnized/'
    found D "of the index"
    again
    attributes 's/observed.npy"/observed.npy", "x"/'
    found D attributes.json "entry 0 of the index"
    again
    # the observations left out: a list of paths, and of lists of one path
    attributes 's/",\s*"[^"]*observed.npy"/"/g'
    found D attributes.json "entry 0 of the index"
    attributes 's/\[\s*("[^"]*columnized.npy")\s*\]/$1/g'
    found D attributes.json "entry 0 of the index"
    again
    perl -0 -i -pe 's/("[^"]*tensor.npy")/[$1]/g' S/attributes.json
    found S attributes.json "entry 0 of the index"
    again
    attributes 's/"type": "simple"/"type": "synthetic"/'
    found D "$(id 1)" "type simple" "type synthetic"
    again
    attributes 's/"type": "simple"/"type": "standard"/'
    found D attributes.json
    again
    attributes 's/"type": "simple"/"type": "pair"/'
    found D attributes.json type
    again
    attributes 's/"xxh128"/"xxh64"/'
    found D "iris-manifest.tsv" "no hash"
    found D "hyper.json" "no hash"
    again
    attributes 's/("hyper.json": ")./$1/'
    found D "hyper.json"
}

@test "hyper.json" {
    sed -i 's/: 20,$/:  20,/' D/hyper.json # white space only
    found D "'hyper.json'" "hash"
    again
    printf '\n' >>D/hyper.json
    found D "'hyper.json'" "hash"
    for key in _length_iris_per_SI _time_iris_per_SI _mass_iris_per_SI _temperature_iris_per_SI \
        _length_iris_per_parsec _density_iris_per_processing _v_density_iris_per_processing; do
        again
        sed -i "s/\"$key\": \([^,]*\)/\"$key\": 2\1/" D/hyper.json
        found D "'hyper.json'" "hash"
        bless D
        found D "$(id 1)" "in the units" hyper.json
        again
        sed -i "s/\"$key\": [^,]*/\"$key\": null/" D/hyper.json
        bless D
        found D hyper.json units
    done
    again
    sed -i 's/"reduction": "mean"/"reduction": "median"/' D/hyper.json
    bless D
    found D hyper.json reduction
    again
    sed -i 's/"v_steps": 20/"v_steps": 22/' D/hyper.json
    bless D
    found D "$(id 1)" "$(path 1 observed)" shape hyper.json
    again
    sed -i 's/"lat_steps": 6/"lat_steps": 8/' S/hyper.json
    bless S
    found S tensor.npy shape hyper.json
    again
    cp S/hyper.json D/hyper.json # the units of the other type
    bless D
    found D hyper.json units
    for text in "" "{" "[]" "{}"; do
        again
        printf '%s' "$text" >D/hyper.json
        found D hyper.json
        bless D
        found D hyper.json
    done
    rm D/hyper.json
    found D hyper.json "No such file"
}

@test "the settings of the digest" {
    settings=$(echo D/entries/*/settings.json)
    sed -i 's/20/21/' "$settings"
    found D "$(id 1)" settings.json
    bless D
    found D "$(id 6)" settings.json
    again
    printf '\n' >>"$settings"
    found D settings.json
    : >"$settings"
    found D settings.json
    rm "$settings"
    found D "$(id 1)" settings.json missing
    # another digest's, in a folder of its name
    again
    digest=$(column digest D/iris-manifest.tsv | head -1)
    cp S/entries/*/settings.json "$settings"
    found D settings.json "does not belong"
}

@test "the folder of other units" {
    units=$(column units D/iris-manifest.tsv | head -1)
    mv D/entries/*/iris-"$units" "$(echo D/entries/*)/iris-01234567"
    found D "$(id 1)" "No such file"
    change D "s|$units|01234567| for @f{qw(column observed)}"
    found D "hash"
    bless D
    found D "of the index"
    sed -i "s/iris-$units/iris-01234567/" D/attributes.json
    found D "$(id 1)" "iris-01234567" "belongs at" "iris-$units"
    change D '$f{units} = "01234567"'
    bless D
    found D "$(id 1)" 01234567 hyper.json
    again
    # the raw arrays in place of the others
    change D "s|iris-$units|raw| for @f{qw(column observed)}; @f{qw(column_xxh128 observed_xxh128)} = qw(. .)"
    sed -i "s/iris-$units/raw/" D/attributes.json
    bless D
    found D "$(id 1)" "belongs at"
}

@test "lines by -o, and a full disk" {
    rm "D/$(path 1 column)"
    run -65 --separate-stderr iris-check -o lines D
    [ -z "$output" ]
    [ "$(wc -l <lines)" = 1 ]
    run -74 --separate-stderr bash -c "iris-check D >/dev/full"
    one_sentence iris-check
    run -74 --separate-stderr bash -c "iris-check --help >/dev/full"
    run -0 --separate-stderr iris-check --dry-run D
    [ -z "$output" ]
    no_leftovers
}

@test "a signal stops it" {
    command=(iris-check D)
    "${command[@]}"
    $(stops open p001 STOP_NTH=1) "${command[@]}" 2>said 3>&- &
    pid=$!
    is_there() {
        grep -q '^State:.T' /proc/$pid/status
    }
    wait_for is_there
    kill -TERM $pid
    kill -CONT $pid
    status=0
    wait $pid || status=$?
    [ $status = 75 ]
    stderr=$(cat said)
    one_sentence iris-check
    "${command[@]}"
}
