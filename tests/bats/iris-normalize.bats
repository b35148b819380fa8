#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Six verified entries of three snapshots with their units: simple in D, and
# standard in S.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s writer_hyper.points_per_snapshot=2 >hyper.json
    snapshots 3
    iris-list -H hyper.json -o list.tsv snaps
    iris-gen -H hyper.json -t simple -d D list.tsv | iris-merge -d D -o merged.tsv
    iris-gen -H hyper.json -t standard -d S list.tsv | iris-merge -d S -o merged_standard.tsv
    iris-units -H hyper.json -d D -o units.json merged.tsv
    iris-units -H hyper.json -d S -o units_standard.json merged_standard.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# is_product RAW MADE FACTOR...: MADE is RAW times its factors, each product
# rounded once to single precision, and has the same header
is_product() {
    perl -e '
        my ($raw, $made, @factor) = @ARGV;
        my @v;
        for ($raw, $made) {
            open my $f, "<:raw", $_ or die "$_: $!"; local $/; my $all = <$f>;
            push @v, [substr($all, 0, 128), unpack "f<*", substr $all, 128];
        }
        my ($x, $y) = @v;
        die "headers differ\n" if shift @$x ne shift @$y;
        die "lengths differ\n" if !@$x or @$x != @$y;
        @factor = map { unpack "f<", pack "f<", $_ } @factor;
        for (0 .. $#$x) {
            my $want = pack "f<", $x->[$_] * $factor[int($_ * @factor / @$x)];
            die "$made: value $_ is $y->[$_]\n" if $want ne pack "f<", $y->[$_];
        }' "$@"
}

unit() {
    sed -n "s/^ *\"_$1_iris_per_processing\": \([^,]*\),*$/\1/p" "$2"
}

# what a data set has: names, times, inodes
state_of() {
    find "$1" -name .iris -prune -o -type f -printf '%p %T@ %i %n\n' | sort
}

@test "help and version" {
    run -0 --separate-stderr iris-normalize --help
    [[ $output == "usage: iris-normalize "* ]]
    run -0 --separate-stderr iris-normalize --version
    [[ $output == "iris-normalize (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-normalize
}

@test "wrong command lines" {
    for words in "-d D merged.tsv" "-H units.json merged.tsv" "-H units.json -d D a b" \
        "-H units.json -d D --from=x merged.tsv" "-H units.json -d"; do
        run -64 --separate-stderr iris-normalize $words
        one_sentence iris-normalize
        [ -z "$output" ]
    done
}

@test "missing and wrong files" {
    run -74 --separate-stderr iris-normalize -H missing.json -d D merged.tsv
    [[ $stderr == *"'missing.json'"* ]]
    run -74 --separate-stderr iris-normalize -H units.json -d D missing.tsv
    run -74 --separate-stderr iris-normalize -H units.json -d missing merged.tsv
    one_sentence iris-normalize
    [ ! -e missing ]
    run -65 --separate-stderr iris-normalize -H merged.tsv -d D merged.tsv
    run -65 --separate-stderr iris-normalize -H units.json -d D hyper.json
    [[ $stderr == "iris-normalize: hyper.json:1: "* ]]
    run -65 --separate-stderr iris-normalize -H units.json -d D list.tsv
    run -65 --separate-stderr iris-normalize -H units.json -d snaps merged.tsv
    rows merged.tsv '$skip = 1' >none.tsv
    run -65 --separate-stderr iris-normalize -H units.json -d D none.tsv
    one_sentence iris-normalize
    run ! ls -d D/entries/*/iris-*
}

@test "units that are null" {
    for key in _density_iris_per_processing _v_density_iris_per_processing; do
        iris-hyper --preset=units.json -s dataset_hyper.$key=null >less.json
        run -65 --separate-stderr iris-normalize -H less.json -d D merged.tsv
        one_sentence iris-normalize
        [[ $stderr == "iris-normalize: less.json: "*"$key"* ]]
    done
    run -65 --separate-stderr iris-normalize -H hyper.json -d D merged.tsv
    for key in _velocity_iris_per_processing _density_iris_per_processing _temperature_iris_per_processing; do
        iris-hyper --preset=units_standard.json -s dataset_hyper.$key=null >less.json
        run -65 --separate-stderr iris-normalize -H less.json -d S merged_standard.tsv
        [[ $stderr == *"$key"* ]]
    done
    [ -z "$(ls -d [DS]/entries/*/iris-* 2>/dev/null)" ]
}

@test "pairs: values, rows, files" {
    cp -a D before
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    units=$(column units normalized.tsv | sort -u)
    [[ $units =~ ^[0-9a-f]{8}$ ]]
    [ "$(column state normalized.tsv | sort -u)" = iris ]
    for name in id snapshot point theta scale seed round digest type; do
        cmp <(column $name merged.tsv) <(column $name normalized.tsv)
    done
    cmp <(column column merged.tsv | sed "s|/raw/|/iris-$units/|") <(column column normalized.tsv)
    cmp <(column observed merged.tsv | sed "s|/raw/|/iris-$units/|") <(column observed normalized.tsv)
    for path in $(column column merged.tsv); do
        is_product "D/$path" "D/${path/raw/iris-$units}" "$(unit density units.json)"
    done
    for path in $(column observed merged.tsv); do
        is_product "D/$path" "D/${path/raw/iris-$units}" "$(unit v_density units.json)"
    done
    # the raw arrays are as they were; the hashes are those of the new ones
    diff -r before/entries/*/raw D/entries/*/raw
    iris-merge -d D normalized.tsv | cmp - normalized.tsv
    no_leftovers
}

@test "the spread is one then" {
    iris-units -H hyper.json -d D --sample=all -o all.json merged.tsv
    iris-normalize -H all.json -d D -o normalized.tsv merged.tsv
    for kind in column observed; do
        (cd D && perl -e '
            my (@v, $mean, $m2);
            for (@ARGV) { open my $f, "<:raw", $_ or die; local $/; push @v, unpack "f<*", substr <$f>, 128 }
            $mean += $_ / @v for @v;
            $m2 += ($_ - $mean) ** 2 for @v;
            my $std = sqrt($m2 / (@v - 1));
            die "$std\n" if abs($std - 1) > 1e-6' $(column $kind ../normalized.tsv))
    done
}

@test "tensors: channel by channel" {
    iris-hyper --preset=units_standard.json -s dataset_hyper._velocity_iris_per_processing=0.62996052 \
        -s dataset_hyper._density_iris_per_processing=3.3e17 \
        -s dataset_hyper._temperature_iris_per_processing=0.126 >units.json
    tensor=S/$(column tensor merged_standard.tsv | head -1)
    array "$tensor" '$v[@v / 3 + $_] = $inf for 0 .. 5'
    rows merged_standard.tsv '$f{tensor_xxh128} = "."' | iris-merge -d S -o merged.tsv
    iris-normalize -H units.json -d S -o normalized.tsv merged.tsv
    units=$(column units normalized.tsv | sort -u)
    for path in $(column tensor merged.tsv); do
        is_product "S/$path" "S/${path/raw/iris-$units}" 0.62996052 3.3e17 0.126 1 1 0.126
    done
    iris-merge -d S normalized.tsv | cmp - normalized.tsv
}

@test "factors of one: the same file under another name" {
    iris-normalize -H units_standard.json -d S -o normalized.tsv merged_standard.tsv
    units=$(column units normalized.tsv | sort -u)
    for path in $(column tensor merged_standard.tsv); do
        [ "$(stat -c %h "S/$path")" = 2 ]
        [ "S/$path" -ef "S/${path/raw/iris-$units}" ]
    done
    cmp <(column tensor_xxh128 normalized.tsv) <(column tensor_xxh128 merged_standard.tsv)
    state_of S >before
    iris-normalize -H units_standard.json -d S merged_standard.tsv | cmp - normalized.tsv
    cmp before <(state_of S)
    # for pairs too, and when they are off by less than 1e-6
    iris-hyper --preset=units.json -s dataset_hyper._density_iris_per_processing=1.0000009 \
        -s dataset_hyper._v_density_iris_per_processing=0.9999991 >ones.json
    iris-normalize -H ones.json -d D -o normalized.tsv merged.tsv
    [ "$(cd D && stat -c %h $(column column ../normalized.tsv) $(column observed ../normalized.tsv) | sort -u)" = 2 ]
    # one factor of 1, the other not
    iris-hyper --preset=units.json -s dataset_hyper._density_iris_per_processing=1.0 >one.json
    iris-normalize -H one.json -d D -o normalized.tsv merged.tsv
    [ "$(cd D && stat -c %h $(column column ../normalized.tsv) | sort -u)" = 3 ]
    [ "$(cd D && stat -c %h $(column observed ../normalized.tsv) | sort -u)" = 1 ]
}

@test "doing it again does nothing" {
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    state_of D >before
    sleep 0.02
    iris-normalize -H units.json -d D merged.tsv | cmp - normalized.tsv
    cmp before <(state_of D)
    iris-normalize -H units.json -d D normalized.tsv | cmp - normalized.tsv
    cmp before <(state_of D)
    # only what is missing is made again
    rm "D/$(column observed normalized.tsv | sed -n 4p)"
    iris-normalize -H units.json -d D merged.tsv | cmp - normalized.tsv
    [ "$(diff before <(state_of D) | grep -c '^>')" = 1 ]
    # or what is something else than the raw array becomes
    array "D/$(column observed normalized.tsv | sed -n 4p)" '$v[0] = 99'
    : >"D/$(column column normalized.tsv | sed -n 2p)"
    iris-normalize -H units.json -d D merged.tsv | cmp - normalized.tsv
    iris-merge -d D normalized.tsv | cmp - normalized.tsv
    # also when the raw arrays are gone
    rm -r D/entries/*/raw
    iris-normalize -H units.json -d D merged.tsv | cmp - normalized.tsv
}

@test "units of their own folder" {
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    iris-units -H hyper.json -d D --sample=1 -o units2.json merged.tsv
    state_of D | grep iris- >before
    iris-normalize -H units2.json -d D -o normalized2.tsv merged.tsv
    [ "$(column units normalized.tsv | sort -u)" != "$(column units normalized2.tsv | sort -u)" ]
    [ "$(ls -d D/entries/*/iris-* | wc -l)" = 2 ]
    state_of D | grep iris- | grep -F -f <(cut -d' ' -f1 before) | cmp before -
    for folder in D/entries/*/iris-*; do
        [ -s "$folder/units.json" ]
    done
    grep -q "\"_density_iris_per_processing\": $(unit density units.json)" "D/entries/"*"/iris-$(column units normalized.tsv | head -1)/units.json"
}

@test "rows in other units" {
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    iris-units -H hyper.json -d D --sample=1 -o units2.json merged.tsv
    run -65 --separate-stderr iris-normalize -H units2.json -d D -o other.tsv normalized.tsv
    one_sentence iris-normalize
    [[ $stderr == *"$(column id normalized.tsv | head -1)"*"--rescale"* ]]
    [ ! -e other.tsv ]
    rows normalized.tsv '$f{units} = "."' >unknown.tsv
    run -65 --separate-stderr iris-normalize -H units.json -d D unknown.tsv
    one_sentence iris-normalize
}

@test "an array that changed after it was verified" {
    path=$(column observed merged.tsv | sed -n 3p)
    array "D/$path" '$v[9] = 2 * $v[9] + 1'
    run -1 --separate-stderr iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    one_sentence iris-normalize
    [ "$(column state normalized.tsv | tr '\n' ' ')" = "iris iris failed iris iris iris " ]
    [[ $(column message normalized.tsv | sed -n 3p) == *"$path"*"hash"* ]]
    [ "$(column column normalized.tsv | sed -n 3p)" = . ]
    [ "$(column observed_xxh128 normalized.tsv | sed -n 3p)" = . ]
    [ ! -e "D/${path/raw/iris-$(column units normalized.tsv | head -1)}" ]
    no_leftovers
    # where the factor is 1
    path=$(column tensor merged_standard.tsv | sed -n 2p)
    array "S/$path" '$v[9] = 2 * $v[9] + 1'
    run -1 --separate-stderr iris-normalize -H units_standard.json -d S -o s.tsv merged_standard.tsv
    [ "$(column state s.tsv | grep -c failed)" = 1 ]
}

@test "an array that is gone or broken" {
    rm "D/$(column column merged.tsv | sed -n 1p)"
    truncate -s 200 "D/$(column observed merged.tsv | sed -n 2p)"
    : >"D/$(column column merged.tsv | sed -n 6p)"
    run -1 --separate-stderr iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    one_sentence iris-normalize
    [ "$(column state normalized.tsv | tr '\n' ' ')" = "failed failed iris iris iris failed " ]
    [[ $(column message normalized.tsv | sed -n 1p) == *"p000.columnized.npy"* ]]
    no_leftovers
}

@test "failed rows are carried through" {
    rows merged.tsv 'if ($n == 5) { @f{qw(state message column observed column_xxh128 observed_xxh128)} = ("failed", "a cell too few", (".") x 4) }' >failed.tsv
    run -0 --separate-stderr iris-normalize -H units.json -d D -o normalized.tsv failed.tsv
    [ "$(column state normalized.tsv | tr '\n' ' ')" = "iris iris iris iris failed iris " ]
    [ "$(column message normalized.tsv | sed -n 5p)" = "a cell too few" ]
    [ "$(column units normalized.tsv | sed -n 5p)" = . ]
    [ "$(tail -1 normalized.tsv)" = "##rows 6" ]
}

@test "rows are sorted, and may come from standard input" {
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    { grep '^#' merged.tsv | grep -v '^##rows'; grep -v '^#' merged.tsv | tac; } >reversed.tsv
    iris-normalize -H units.json -d D reversed.tsv | cmp - normalized.tsv
    iris-normalize -H units.json -d D - <reversed.tsv | cmp - normalized.tsv
    cat merged.tsv | iris-normalize -H units.json -d D | cmp - normalized.tsv
}

@test "some units at a time" {
    rows merged.tsv '$skip = $n > 2' >some.tsv
    iris-normalize -H units.json -d D -o some_iris.tsv some.tsv
    iris-merge -d D some_iris.tsv <(rows merged.tsv '$skip = $n <= 2') -o mixed.tsv
    iris-normalize -H units.json -d D -o normalized.tsv mixed.tsv
    iris-normalize -H units.json -d D merged.tsv | cmp - normalized.tsv
}

@test "output by rename, and nothing with --dry-run" {
    run -0 --separate-stderr iris-normalize -H units.json -d D --dry-run -o out.tsv merged.tsv
    [ -z "$output" ]
    [ -n "$stderr" ]
    [ ! -e out.tsv ]
    same_data D "$BATS_FILE_TMPDIR/D"
    echo old >out.tsv
    ln out.tsv old
    iris-normalize -H units.json -d D -o out.tsv merged.tsv
    [ "$(cat old)" = old ]
    iris-normalize -H units.json -d D merged.tsv | cmp - out.tsv
    no_leftovers
}

@test "a full disk is noticed" {
    run -74 --separate-stderr bash -c "iris-normalize -H units.json -d D merged.tsv >/dev/full"
    one_sentence iris-normalize
    run -74 --separate-stderr bash -c "iris-normalize --help >/dev/full"
}

@test "a directory that cannot be written stops it" {
    units=$(iris-normalize -H units.json -d D --dry-run merged.tsv 2>&1 | grep -oE '[0-9a-f]{8}$')
    digest=$(column digest merged.tsv | head -1)
    mkdir -p "D/entries/$digest/iris-$units"
    echo x >"D/entries/$digest/iris-$units/snap_002" # where a folder must be
    run -74 --separate-stderr iris-normalize -H units.json -d D -o out.tsv merged.tsv
    one_sentence iris-normalize
    [ ! -e out.tsv ] # our disk is no failure of an entry
    rm "D/entries/$digest/iris-$units/snap_002"
    iris-normalize -H units.json -d D -o out.tsv merged.tsv
}

# ---- many entries: stopped and killed in the middle ----

many() {
    iris-hyper --preset=hyper.json -s writer_hyper.points_per_snapshot=100 >many.json
    iris-gen -H many.json -t simple -d M list.tsv | iris-merge -d M -o many.tsv
    cp -a M whole
    iris-normalize -H units.json -d whole -o whole.tsv many.tsv
}

made() {
    find M/entries/*/iris-* -name '*.npy' 2>/dev/null | wc -l
}

@test "killed in the middle, then run again" {
    many
    for n in 1 100 299 600; do
        rm -rf M/entries/*/iris-*
        killed_at rename .npy $n iris-normalize -H units.json -d M -o out.tsv many.tsv
        [ ! -e out.tsv ]
        [ "$(made)" = $n ]
        # what is there is whole
        for path in $(find M/entries/*/iris-* -name '*.npy'); do
            cmp "$path" "whole${path#M}"
        done
    done
    rm -f $(find M/entries/*/iris-* -name '*.npy' | head -300)
    iris-normalize -H units.json -d M -o out.tsv many.tsv
    cmp out.tsv whole.tsv
    same_data M whole
    no_leftovers
}

@test "stopped by a signal, then run again" {
    many
    for signal in TERM INT USR1; do
        rm -rf M/entries/*/iris-* out.tsv
        signalled $signal rename .npy 5 iris-normalize -H units.json -d M -o out.tsv many.tsv
        [ ! -e out.tsv ]
        [ "$(made)" -lt 600 ]
        no_leftovers
    done
    iris-normalize -H units.json -d M -o out.tsv many.tsv
    cmp out.tsv whole.tsv
    same_data M whole
}
