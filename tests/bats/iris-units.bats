#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Eight raw entries of two snapshots, simple (D) and standard (S).
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s writer_hyper.points_per_snapshot=4 >hyper.json
    snapshots 2
    iris-list -H hyper.json -o list.tsv snaps
    iris-gen -H hyper.json -t simple -d D -o entries.tsv list.tsv
    iris-gen -H hyper.json -t standard -d S -o standard.tsv list.tsv
    iris-merge -d D -o merged.tsv entries.tsv
    iris-merge -d S -o merged_standard.tsv standard.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# unit KEY FILE: a factor, without its _ and _iris
unit() {
    sed -n "s/^ *\"_\?$1\": \([^,]*\),*\$/\1/p" "$2"
}

# relative A B TOLERANCE
relative() {
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; m = b < 0 ? -b : b; exit !(d <= t * m && -d <= t * m) }' ||
        { echo "$1 is not $2"; return 1; }
}

# deviation KIND ROWS: the standard deviation of these rows' arrays in double
deviation() {
    perl -e '
        my (@v, $mean, $m2);
        for (@ARGV) { open my $f, "<:raw", "D/$_" or die; local $/; push @v, unpack "f<*", substr <$f>, 128 }
        $mean += $_ / @v for @v;
        $m2 += ($_ - $mean) ** 2 for @v;
        printf "%.17g\n", sqrt($m2 / (@v - 1))' $(column "$1" merged.tsv | sed -n "$2")
}

@test "help and version" {
    run -0 --separate-stderr iris-units --help
    [[ $output == "usage: iris-units "* ]]
    run -0 --separate-stderr iris-units --version
    [[ $output == "iris-units (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-units
}

@test "wrong command lines" {
    for words in "-d D merged.tsv" "-H hyper.json merged.tsv" "-H hyper.json -d D a b" \
        "-H hyper.json -d D --sample=0 merged.tsv" "-H hyper.json -d D --sample=some merged.tsv" \
        "-H hyper.json -d D --sample=-1 merged.tsv" "-H hyper.json -d D --sample= merged.tsv" \
        "-H hyper.json -d D --seed=x merged.tsv" "-H hyper.json -d D --new merged.tsv"; do
        run -64 --separate-stderr iris-units $words
        one_sentence iris-units
        [ -z "$output" ]
    done
}

@test "missing and wrong files" {
    run -74 --separate-stderr iris-units -H missing.json -d D merged.tsv
    [[ $stderr == *"'missing.json'"* ]]
    run -74 --separate-stderr iris-units -H hyper.json -d D missing.tsv
    [[ $stderr == *"'missing.tsv'"* ]]
    run -74 --separate-stderr iris-units -H hyper.json -d missing merged.tsv
    one_sentence iris-units
    run -74 --separate-stderr iris-units -H hyper.json -d missing merged_standard.tsv
    one_sentence iris-units
    run -74 --separate-stderr iris-units -H hyper.json -d D --from=missing merged.tsv
    one_sentence iris-units
    run -65 --separate-stderr iris-units -H merged.tsv -d D merged.tsv
    [[ $stderr == "iris-units: merged.tsv:1: "* ]]
    run -65 --separate-stderr iris-units -H hyper.json -d D hyper.json
    [[ $stderr == "iris-units: hyper.json:1: "* ]]
    run -65 --separate-stderr iris-units -H hyper.json -d D list.tsv
    run -65 --separate-stderr iris-units -H hyper.json -d D --from=hyper.json merged.tsv
    [[ $stderr == "iris-units: hyper.json: "*"_length_iris_per_SI"* ]]
    rows merged.tsv '$skip = 1' >none.tsv
    run -65 --separate-stderr iris-units -H hyper.json -d D none.tsv
    run -65 --separate-stderr iris-units -H hyper.json -d D <(cat merged.tsv; rows merged_standard.tsv 1)
    rm "D/$(column observed merged.tsv | sed -n 3p)"
    run -74 --separate-stderr iris-units -H hyper.json -d D --sample=all merged.tsv
    [[ $stderr == *"p002.observed.npy"* ]]
    one_sentence iris-units
}

@test "units of all raw entries" {
    iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
    density=$(unit density_iris_per_processing units.json)
    v_density=$(unit v_density_iris_per_processing units.json)
    relative "$density" "$(awk -v s="$(deviation column 1,8p)" 'BEGIN { printf "%.17g", 1 / s }')" 1e-12
    relative "$v_density" "$(awk -v s="$(deviation observed 1,8p)" 'BEGIN { printf "%.17g", 1 / s }')" 1e-12
    [ "$(unit velocity_iris_per_processing units.json)" = null ]
    [ "$(unit temperature_iris_per_processing units.json)" = null ]
    [ "$(unit temperature_iris_per_SI units.json)" = 1.0 ]
    [ "$(unit mass_iris_per_SI units.json)" = 1000.0 ]
    # 1e18 is the density and 1 the time of default processing units
    relative "$(unit time_iris_per_SI units.json)" "$(awk -v v="$v_density" -v d="$density" 'BEGIN { printf "%.17g", v / d }')" 1e-12
    length=$(awk -v d="$density" 'BEGIN { printf "%.17g", exp(log(1000 / (d * 1e18)) / 3) }')
    relative "$(unit length_iris_per_SI units.json)" "$length" 1e-12
    relative "$(unit length_iris_per_parsec units.json)" "$(awk -v l="$length" 'BEGIN { printf "%.17g", l * 3.08567758128e16 }')" 1e-12
}

@test "a sample is fixed by the seed" {
    for seed in 1 2 3 4; do
        iris-units -H hyper.json -d D --sample=2 --seed=$seed -o u$seed.json merged.tsv
        iris-units -H hyper.json -d D --sample=2 --seed=$seed merged.tsv | cmp - u$seed.json
        [ "$(unit seed u$seed.json | tail -1)" = $seed ]
        unit density_iris_per_processing u$seed.json >>densities
    done
    [ "$(sort -u densities | wc -l)" -gt 1 ]
    iris-hyper --preset=hyper.json --seed=3 >seeded.json
    iris-units -H seeded.json -d D --sample=2 merged.tsv | cmp - u3.json
    # the settings' sample size is what is drawn without --sample
    iris-hyper --preset=hyper.json -s writer_hyper.unit_calculation_sample_size=2 >two.json
    iris-units -H two.json -d D --seed=3 -o two_units.json merged.tsv
    [ "$(unit density_iris_per_processing two_units.json)" = "$(unit density_iris_per_processing u3.json)" ]
}

@test "a sample is some of the entries" {
    for n in 1 2; do
        perl -e 'for my $m (1 .. 255) {
            my @p = grep { $m >> ($_ - 1) & 1 } 1 .. 8;
            print join(";", map { "${_}p" } @p), "\n" if @p == $ARGV[0] }' $n >choices
        iris-units -H hyper.json -d D --sample=$n -o units.json merged.tsv
        while read -r some; do
            awk -v s="$(deviation column "$some")" 'BEGIN { printf "%.9g\n", 1 / s }'
        done <choices >possible
        found=$(awk -v u="$(unit density_iris_per_processing units.json)" 'BEGIN { printf "%.9g", u }')
        [ "$(grep -cFx -- "$found" possible)" = 1 ]
    done
}

@test "the order of rows does not matter" {
    { grep '^#' merged.tsv | grep -v '^##rows'; grep -v '^#' merged.tsv | tac; } >reversed.tsv
    iris-units -H hyper.json -d D --sample=3 -o units.json merged.tsv
    iris-units -H hyper.json -d D --sample=3 reversed.tsv | cmp - units.json
    iris-units -H hyper.json -d D --sample=3 entries.tsv | cmp - units.json
    iris-units -H hyper.json -d D --sample=all -o all.json merged.tsv
    iris-units -H hyper.json -d D --sample=8 merged.tsv | cmp - all.json
    iris-units -H hyper.json -d D --sample=all reversed.tsv | cmp - all.json
}

@test "standard input" {
    iris-units -H hyper.json -d D -o units.json merged.tsv
    iris-units -H hyper.json -d D - <merged.tsv | cmp - units.json
    cat merged.tsv | iris-units -H hyper.json -d D | cmp - units.json
}

@test "only raw rows are drawn, and there must be enough" {
    run -65 --separate-stderr iris-units -H hyper.json -d D --sample=9 merged.tsv
    one_sentence iris-units
    [[ $stderr == *"9 of 8"* ]]
    rows merged.tsv 'if ($n <= 3) { @f{qw(state column observed)} = ("failed", ".", ".") }' >some.tsv
    run -65 --separate-stderr iris-units -H hyper.json -d D --sample=6 some.tsv
    [[ $stderr == *"6 of 5"* ]]
    iris-units -H hyper.json -d D --sample=5 -o five.json some.tsv
    rows merged.tsv '$skip = $n <= 3' >last.tsv
    iris-units -H hyper.json -d D --sample=all last.tsv | cmp - five.json
    iris-hyper --preset=hyper.json -s writer_hyper.unit_calculation_sample_size=9 >nine.json
    run -65 --separate-stderr iris-units -H nine.json -d D merged.tsv
    rows merged.tsv '@f{qw(state column observed)} = ("failed", ".", ".")' >failed.tsv
    run -65 --separate-stderr iris-units -H hyper.json -d D --sample=all failed.tsv
    one_sentence iris-units
}

@test "arrays that do not vary give no units" {
    for kind in column observed; do
        rm -rf D && cp -a "$BATS_FILE_TMPDIR/D" .
        for path in $(column $kind merged.tsv); do
            array "D/$path" '@v = (0) x @v'
        done
        run -65 --separate-stderr iris-units -H hyper.json -d D merged.tsv
        one_sentence iris-units
        [[ $stderr == *"${kind/column/columnized}"* ]]
        [ -z "$output" ]
        run -65 --separate-stderr iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
        [ ! -e units.json ]
    done
}

@test "values that are not finite give no units, and are named" {
    path=$(column observed merged.tsv | sed -n 6p)
    for value in '$nan' '$inf' '-$inf'; do
        array "D/$path" "\$v[7] = $value"
        run -65 --separate-stderr iris-units -H hyper.json -d D --sample=all merged.tsv
        one_sentence iris-units
        [[ $stderr == *"$path"* ]]
    done
}

@test "standard" {
    iris-units -H hyper.json -d S -o units.json merged_standard.tsv
    for key in velocity density temperature; do
        [ "$(unit ${key}_iris_per_processing units.json)" = 1.0 ]
    done
    [ "$(unit v_density_iris_per_processing units.json)" = null ]
    relative "$(unit length_iris_per_SI units.json)" 1e-5 1e-15
    relative "$(unit length_iris_per_parsec units.json)" 308567758128.0 1e-15
    [ "$(unit time_iris_per_SI units.json)" = 1.0 ]
    [ "$(unit mass_iris_per_SI units.json)" = 1000.0 ]
    [ "$(unit temperature_iris_per_SI units.json)" = 1.0 ]
    # other processing units; nothing is drawn, so --sample does not matter
    iris-hyper --preset=hyper.json -s writer_hyper.length_cm_per_processing=1e8 \
        -s writer_hyper.mass_g_per_processing=10 -s writer_hyper.velocity_cm_per_s_per_processing=1e6 \
        -s writer_hyper.temperature_K_per_processing=4 >other.json
    iris-units -H other.json -d S --sample=99 -o units.json merged_standard.tsv
    relative "$(unit length_iris_per_SI units.json)" 1e-6 1e-14
    relative "$(unit time_iris_per_SI units.json)" 0.01 1e-14
    relative "$(unit mass_iris_per_SI units.json)" 100 1e-14
    relative "$(unit temperature_iris_per_SI units.json)" 0.25 1e-14
}

@test "complete units are kept" {
    iris-units -H hyper.json -d D --sample=2 -o units.json merged.tsv
    iris-units -H units.json -d D --sample=all merged.tsv | cmp - units.json
    rm -r D/entries/*/raw # nothing is read
    iris-units -H units.json -d D merged.tsv | cmp - units.json
    iris-units -H units.json -d D --sample=99 --seed=5 -o seeded.json merged.tsv
    diff <(grep -v '"seed"' units.json) <(grep -v '"seed"' seeded.json)
    # one that is missing makes all of them anew
    rm -r D && cp -a "$BATS_FILE_TMPDIR/D" .
    for key in _density_iris_per_processing _v_density_iris_per_processing _length_iris_per_SI \
        _length_iris_per_parsec _time_iris_per_SI _mass_iris_per_SI _temperature_iris_per_SI; do
        iris-hyper --preset=units.json -s dataset_hyper.$key=null >less.json
        iris-units -H less.json -d D --sample=2 merged.tsv | cmp - units.json
    done
}

@test "--from another data set, its settings, or a file of units" {
    iris-units -H hyper.json -d D --sample=2 -o units.json merged.tsv
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    mkdir more
    iris-mock -o more/snap_009.hdf5 --cells=2000 --seed=9
    iris-list -H hyper.json more | iris-gen -H hyper.json -t simple -d E - | iris-merge -d E -o e.tsv
    iris-units -H hyper.json -d E --from=D -o taken.json e.tsv
    iris-units -H hyper.json -d E --from=D/hyper.json e.tsv | cmp - taken.json
    iris-units -H hyper.json -d E --from=units.json e.tsv | cmp - taken.json
    for key in length_iris_per_SI length_iris_per_parsec time_iris_per_SI mass_iris_per_SI temperature_iris_per_SI; do
        [ "$(unit $key taken.json)" = "$(unit $key units.json)" ]
    done
    for key in density v_density; do
        relative "$(unit ${key}_iris_per_processing taken.json)" "$(unit ${key}_iris_per_processing units.json)" 1e-13
    done
    relative "$(unit velocity_iris_per_processing taken.json)" \
        "$(awk -v l="$(unit length_iris_per_SI units.json)" -v t="$(unit time_iris_per_SI units.json)" 'BEGIN { printf "%.17g", l / t / 1e-5 }')" 1e-12
    # they win over units of the settings, and over what the arrays are
    iris-units -H hyper.json -d E --sample=1 -o own.json e.tsv
    run -1 cmp -s own.json taken.json
    iris-units -H own.json -d E --from=D e.tsv | cmp - taken.json
    rm -r E/entries/*/raw
    iris-units -H hyper.json -d E --from=D e.tsv | cmp - taken.json
}

@test "--from takes iris_number_unit and heeds the temperature of processing" {
    iris-units -H hyper.json -d D --sample=2 -o units.json merged.tsv
    iris-hyper --preset=units.json -s dataset_hyper.iris_number_unit=5e12 \
        -s dataset_hyper._temperature_iris_per_SI=0.125 >theirs.json
    iris-hyper --preset=hyper.json -s writer_hyper.temperature_K_per_processing=2 >two_K.json
    iris-units -H two_K.json -d S --from=theirs.json -o taken.json merged_standard.tsv
    [ "$(unit iris_number_unit taken.json)" = 5000000000000.0 ]
    [ "$(unit temperature_iris_per_SI taken.json)" = 0.125 ]
    [ "$(unit temperature_iris_per_processing taken.json)" = 0.25 ]
}

@test "the output is settings" {
    iris-units -H hyper.json -d D -o units.json merged.tsv
    iris-hyper --preset=units.json | cmp - units.json
    iris-hyper --preset=units.json --diff=hyper.json | cut -f1 >changed
    run -1 grep -vE '^(dataset_hyper\._.*_iris_per_(SI|parsec|processing)|writer_hyper\._length_parsec_per_processing)$' changed
    [ "$(wc -l <changed)" = 8 ]
    [ "$(unit length_parsec_per_processing units.json)" = 3.2407792896663568e-12 ]
}

@test "units that are published survive" {
    iris-units -H hyper.json -d D --sample=2 -o units.json merged.tsv
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    iris-units -H D/hyper.json -d D --sample=all merged.tsv >again.json
    diff units.json again.json
    # also when there are more entries, and none of them raw
    iris-units -H D/hyper.json -d D D/iris-manifest.tsv | cmp - again.json
    iris-units -H hyper.json -d D --from=D -o from.json normalized.tsv
    for key in length_iris_per_SI length_iris_per_parsec time_iris_per_SI mass_iris_per_SI temperature_iris_per_SI; do
        [ "$(unit $key from.json)" = "$(unit $key units.json)" ]
    done
    # without the published settings there is nothing to draw from
    run -65 --separate-stderr iris-units -H hyper.json -d D normalized.tsv
}

@test "output by rename, and nothing with --dry-run" {
    echo old >units.json
    ln units.json old
    iris-units -H hyper.json -d D -o units.json merged.tsv
    [ "$(cat old)" = old ]
    iris-units -H hyper.json -d D merged.tsv | cmp - units.json
    run -0 --separate-stderr iris-units -H hyper.json -d D --dry-run -o other.json merged.tsv
    [ -z "$output" ]
    [ -n "$stderr" ]
    [ ! -e other.json ]
    no_leftovers
}

@test "a full disk is noticed" {
    run -74 --separate-stderr bash -c "iris-units -H hyper.json -d D merged.tsv >/dev/full"
    one_sentence iris-units
    run -74 --separate-stderr bash -c "iris-units --help >/dev/full"
}

@test "a signal stops it, and it is run again" {
    mkfifo pipe
    iris-units -H hyper.json -d D -o units.json pipe 2>said &
    pid=$!
    exec 9>pipe
    head -3 merged.tsv >&9
    sleep 0.2
    kill -TERM $pid
    tail -n +4 merged.tsv >&9
    exec 9>&-
    status=0
    wait $pid || status=$?
    [ $status = 75 ]
    [ ! -e units.json ]
    stderr=$(cat said)
    one_sentence iris-units
    iris-units -H hyper.json -d D -o units.json merged.tsv
}
