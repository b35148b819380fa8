#!/usr/bin/env bats
# Synthetic data sets: spectral lines by iris-gen.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 2
    iris-mock --molecule=13CO -o 13CO.dat
    lines_hyper -o hyper.json
    iris-chem -H hyper.json -o lines.h5
    iris-list -o list.tsv snaps
    iris-gen -H hyper.json -t synthetic -d alone -o alone.tsv list.tsv
}

setup() {
    cp -r "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# lines_hyper OPTION...: a small grid with small tables, of one line.
lines_hyper() {
    tiny_hyper -s 'observer_hyper.chem_path=["13CO.dat"]' \
        -s 'observer_hyper.N_H_TOT_steps=[16]' -s 'observer_hyper.abundance_H2_steps=[8]' \
        -s 'observer_hyper.T_steps=[12]' -s observer_hyper.out_blur_fwhm=600.0 "$@"
}

# two_lines OPTION...: 2-1 and 1-0
two_lines() {
    lines_hyper -s observer_hyper.n_lines=2 -s 'observer_hyper.chem_path=["13CO.dat","13CO.dat"]' \
        -s 'observer_hyper.transition=[[2,1],[1,0]]' -s 'observer_hyper.kappa_dust=[1e-3,2e-3]' \
        -s 'observer_hyper.N_H_TOT_steps=[16,12]' -s 'observer_hyper.abundance_H2_steps=[8,6]' \
        -s 'observer_hyper.T_steps=[12,10]' -s 'observer_hyper.interpolation_max_N_H_TOT=[1e12,1e11]' \
        -s 'observer_hyper.interpolation_max_T=[3000.0,2000.0]' \
        -s 'observer_hyper.bolic_normalization=[1.0,1.0]' "$@"
}

# gen DATASET OPTION...
gen() {
    local data=$1
    shift
    iris-gen -H hyper.json -t synthetic -d "$data" "$@" list.tsv
}

# values FILE: of an array, one a line
values() {
    perl -e 'local $/; open my $f, "<:raw", shift or die; my $s = <$f>;
        print "$_\n" for unpack "f<*", substr $s, 10 + unpack "v", substr $s, 8, 2' "$1"
}

# difference A B: of all observed arrays, in parts of the largest value of each
difference() {
    local f
    for f in $(cd "$1/entries" && ls */raw/*/*.observed.npy | cut -d/ -f2-); do
        paste <(values "$1"/entries/*/"$f") <(values "$2"/entries/*/"$f") |
            awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > e) e = d
                   a = $2 < 0 ? -$2 : $2; if (a > top) top = a } END { print (top > 0 ? e / top : e) }'
    done | sort -g | tail -n 1
}

at_most() {
    awk -v v="$1" -v most="$2" 'BEGIN { exit !(v <= most) }' || { echo "$1 is more than $2"; return 1; }
}

at_least() {
    awk -v v="$1" -v least="$2" 'BEGIN { exit !(v >= least) }' || { echo "$1 is less than $2"; return 1; }
}

@test "pairs of the right shape, finite, with a line in them" {
    [ "$(column state alone.tsv | sort -u)" = raw ]
    [ "$(column type alone.tsv | sort -u)" = synthetic ]
    [ "$(find alone -name '*.npy' | wc -l)" = 12 ]
    for f in $(find alone -name '*.observed.npy'); do
        head -c 128 "$f" | grep -aq "'shape': (1, 12, 20)"
        values "$f" | awk '$1 > m { m = $1 } $1 != $1 + 0 { bad = 1 } END { exit bad || m <= 0 }'
    done
    for f in $(find alone -name '*.columnized.npy'); do
        head -c 128 "$f" | grep -aq "'shape': (1, 16, 12)"
    done
}

@test "column maps are those of a simple data set" {
    iris-gen -H hyper.json -t simple -d simple -o simple.tsv list.tsv
    for f in alone/entries/*/raw/*/*.columnized.npy; do
        cmp "$f" simple/entries/*/raw/"${f#alone/entries/*/raw/}"
    done
}

@test "the same bytes for any number of ranks, with tables from a file or not" {
    gen file --lines=lines.h5 -o file.tsv
    cmp alone.tsv file.tsv
    same_data alone file
    for n in 1 2 4; do
        $(mpi $n) iris-gen -H hyper.json -t synthetic -d "r$n" -o "r$n.tsv" list.tsv </dev/null
        cmp alone.tsv "r$n.tsv"
        same_data alone "r$n"
    done
    $(mpi 3) iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d many -o many.tsv list.tsv </dev/null
    same_data alone many
}

@test "whoever starts where, molecular files are found beside the settings" {
    mkdir elsewhere
    cd elsewhere
    iris-gen -H ../hyper.json -t synthetic -d there -o there.tsv ../list.tsv || true
    sed -i 's|\tsnaps/|\t../snaps/|' ../list.tsv
    $(mpi 2) iris-gen -H ../hyper.json -t synthetic -d there -o there.tsv ../list.tsv </dev/null
    same_data ../alone there
}

@test "precise: other points, of another digest, almost the same" {
    gen precise --precise -o precise.tsv
    [ "$(ls precise/entries)" != "$(ls alone/entries)" ]
    grep -q '"arithmetic": "precise"' precise/entries/*/settings.json
    ! grep -q arithmetic alone/entries/*/settings.json || false
    at_most "$(difference alone precise)" 1e-5
    [ "$(iris-gen --digest -H hyper.json -t synthetic --precise)" = "$(ls precise/entries)" ]
    [ "$(iris-gen --digest -H hyper.json -t synthetic)" = "$(ls alone/entries)" ]
    # together in one data set they do not mix
    gen alone --precise -o both.tsv
    [ "$(ls alone/entries | wc -l)" = 2 ]
}

@test "two lines are two runs of one" {
    two_lines -o hyper.json
    iris-chem -H hyper.json -o two.h5
    gen two --lines=two.h5 -o two.tsv
    head -c 128 two/entries/*/raw/snap_001/p000.observed.npy | grep -aq "'shape': (2, 12, 20)"
    lines_hyper -s 'observer_hyper.kappa_dust=[1e-3]' -o hyper.json
    gen first -o first.tsv
    lines_hyper -s 'observer_hyper.transition=[[1,0]]' -s 'observer_hyper.kappa_dust=[2e-3]' \
        -s 'observer_hyper.N_H_TOT_steps=[12]' -s 'observer_hyper.abundance_H2_steps=[6]' \
        -s 'observer_hyper.T_steps=[10]' -s 'observer_hyper.interpolation_max_N_H_TOT=[1e11]' \
        -s 'observer_hyper.interpolation_max_T=[2000.0]' -o hyper.json
    gen second -o second.tsv
    for f in $(cd two/entries && ls */raw/*/*.observed.npy | cut -d/ -f2-); do
        diff <(values two/entries/*/"$f") <(values first/entries/*/"$f"; values second/entries/*/"$f")
    done
    # the whole chain takes them
    iris-merge -d two -o merged.tsv two.tsv
    two_lines -o hyper.json
    iris-units -H hyper.json -d two -o units.json merged.tsv
    iris-normalize -H units.json -d two -o normalized.tsv merged.tsv
    iris-shuffle --publish=two -H units.json -o shuffled.tsv normalized.tsv
    iris-check -q two
}

# corrected KEY=VALUE LEAST: a correction changes the points, and only it does
corrected() {
    lines_hyper "${@:3}" -o hyper.json
    gen "ref.$1" -o ref.tsv
    lines_hyper "${@:3}" -s "suite_hyper.$1" -o hyper.json
    gen "new.$1" -o new.tsv
    at_least "$(difference "new.$1" "ref.$1")" "$2"
}

@test "every correction changes what it is for" {
    corrected 'ray_order="far_to_near"' 1e-4
    corrected 'profile="cell_average"' 1e-3
    corrected 'lookup="multilinear"' 1e-3
    corrected 'clamp_offsets=true' 1e-6 -s 'observer_hyper.interpolation_max_T=[300.0]'
    corrected 'table="fine"' 1e-2
    corrected 'rate_extrapolation="clamp"' 1e-7
    corrected 'v_turb=3.0' 1e-2
    thin=(-s 'suite_hyper.transfer="optically thin"')
    corrected 'thin_simpson="complete"' 1e-3 "${thin[@]}"
    selective=(-s 'suite_hyper.transfer="selectively thin"' -s 'suite_hyper.integration="formal"')
    corrected 'selective_formal="consistent"' 1e-7 "${selective[@]}"
}

@test "corrections leave alone what they are not for" {
    for s in 'thin_simpson="complete"' 'selective_formal="consistent"'; do
        lines_hyper -s "suite_hyper.$s" -o hyper.json
        rm -rf same
        gen same -o same.tsv
        [ "$(difference same alone)" = 0 ]
    done
}

@test "abundance: a ratio, a constant, a table, freeze-out" {
    with() {
        lines_hyper -s "suite_hyper.abundance=$1" -o hyper.json
        rm -rf "$2"
        gen "$2" -o with.tsv
    }
    with '{"ratio_to_CO": 0.04}' same
    [ "$(difference same alone)" = 0 ]
    with '{"ratio_to_CO": 0}' none
    [ -z "$(values none/entries/*/raw/snap_001/p000.observed.npy | grep -v '^0$')" ]
    with '{"per_H": 1e-6}' constant
    printf '10 100000\n1 1e-6 1e-6\n1e15 1e-6 1e-6\n' >x.txt
    with '{"table": "x.txt"}' table
    at_most "$(difference table constant)" 1e-6
    at_least "$(difference constant alone)" 1e-2
    with '{"ratio_to_CO": 0.04, "T_drop": 30.0, "n_drop": 1e9, "drop": 0.1}' frozen
    at_least "$(difference frozen alone)" 1e-3
    with '{"ratio_to_CO": 0.04, "T_drop": 1.0}' never
    [ "$(difference never alone)" = 0 ]
}

@test "every kind of transfer, maximum and mean, without sub-channels" {
    for t in "optically thick" "selectively thin" "optically thin"; do
        for i in smooth formal; do
            lines_hyper -s "suite_hyper.transfer=\"$t\"" -s "suite_hyper.integration=\"$i\"" -o hyper.json
            gen "out.$i" -o out.tsv
            gen "exact.$i" --precise -o out.tsv
            at_most "$(difference "out.$i" "exact.$i")" 1e-5
            rm -r "out.$i" "exact.$i"
        done
    done
    lines_hyper -s 'cube_hyper.reduction="max"' -s observer_hyper.v_subsamples=0 -o hyper.json
    gen max -o max.tsv
    [ "$(column state max.tsv | sort -u)" = raw ]
}

@test "a window without gas is a failed point that says so" {
    lines_hyper -s dataset_hyper.CMZ_density_factor=1e-300 -o hyper.json
    run -1 --separate-stderr gen empty -o empty.tsv
    [[ $stderr == *"no gas in the window"* ]]
    [ "$(column state empty.tsv | sort -u)" = failed ]
    [ -z "$(find empty -name '*.npy')" ]
}

# ---- refusals ----

refused() {
    run "$1" --separate-stderr gen fresh "${@:3}"
    one_sentence iris-gen
    [[ $stderr == *"$2"* ]] || { echo "no '$2' in $stderr"; return 1; }
    [ ! -e fresh ]
}

@test "tables made for other settings are refused, and the difference named" {
    lines_hyper -s 'observer_hyper.T_steps=[13]' -o hyper.json
    refused -65 "observer_hyper.T_steps 12, the settings have 13" --lines=lines.h5
    sed '/^13CO/s/.*/& again/; 2s/$/ again/' 13CO.dat >other.dat
    lines_hyper -s 'observer_hyper.chem_path=["other.dat"]' -o hyper.json
    refused -65 "another molecular file" --lines=lines.h5
    refused -74 "cannot open 'nothing.h5'" --lines=nothing.h5
    refused -65 "hyper.json" --lines=hyper.json
    # under a launcher as well: one sentence
    run -65 --separate-stderr $(mpi 3) iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d fresh list.tsv </dev/null
    one_sentence iris-gen
    [ ! -e fresh ]
}

@test "options for lines are for synthetic data sets" {
    for o in --precise --lines=lines.h5; do
        run -64 --separate-stderr iris-gen -H hyper.json -t simple -d fresh $o list.tsv
        one_sentence iris-gen
    done
}

@test "a bad molecular file stops the run before anything is made" {
    sed '12s/.*/what is this/' 13CO.dat >bad.dat
    lines_hyper -s 'observer_hyper.chem_path=["bad.dat"]' -o hyper.json
    refused -65 "bad.dat:12: "
    run -65 --separate-stderr $(mpi 2) iris-gen -H hyper.json -t synthetic -d fresh list.tsv </dev/null
    one_sentence iris-gen
    lines_hyper -s 'observer_hyper.transition=[[5,1]]' -o hyper.json
    refused -65 "has no transition from level 5 to level 1"
    lines_hyper -s 'observer_hyper.chem_path=["gone.dat"]' -o hyper.json
    refused -74 "gone.dat"
}

@test "a run that is killed goes on, and ends in the same bytes" {
    for k in 1 2 3; do
        setsid iris-gen -H hyper.json -t synthetic -d killed -o killed.tsv list.tsv </dev/null >/dev/null 2>&1 3>&- &
        sleep "0.0$((k * 4))"
        kill -9 -- -$! 2>/dev/null || true
        wait $! 2>/dev/null || true
    done
    gen killed -o killed.tsv
    cmp alone.tsv killed.tsv
    same_data alone killed
    no_leftovers
}

@test "rows of points that are there are printed without looking at tables" {
    gen alone -o again.tsv
    cmp alone.tsv again.tsv
    [ "$(iris-gen --plan -H hyper.json -t synthetic -d alone list.tsv | column todo /dev/stdin | sort -u)" = 0 ]
}

@test "the corrected preset makes a data set" {
    iris-hyper --preset=SEDIGISM_13C16O_corrected \
        -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=1 -s 'observer_hyper.chem_path=["13CO.dat"]' \
        -s 'observer_hyper.N_H_TOT_steps=[16]' -s 'observer_hyper.abundance_H2_steps=[8]' \
        -s 'observer_hyper.T_steps=[12]' -o hyper.json
    gen corrected -o corrected.tsv
    [ "$(column state corrected.tsv | sort -u)" = raw ]
    gen exact --precise -o exact.tsv
    at_most "$(difference corrected exact)" 1e-5
}

# rel_l2 A B: of two arrays
rel_l2() {
    paste <(values "$1") <(values "$2") | awk '{ d += ($1 - $2) ^ 2; s += $2 ^ 2 } END { print sqrt(d / s) }'
}

# The reference cropped the cells and computed in single precision, which moves
# its lines by up to 36 m/s: 8 % of the norm are explained by that alone.
@test "the reference's own pairs, within what its cropping and precision explain" {
    need_shared
    golden=$SHARED/golden
    iris-hyper --preset="$golden/dataset_synth_mean/hyper.json" -s writer_hyper.points_per_snapshot=5 \
        -s "observer_hyper.chem_path=[\"$SHARED/chem/13C16O.dat\"]" -o hyper.json
    iris-list -o list.tsv "$golden/mock_small.hdf5"
    gen ours -q -o ours.tsv
    theirs=(node_1/0 node_2/0 node_1/1 node_2/1 node_1/2)
    for i in 0 1 2 3 4; do
        node=$golden/dataset_synth_mean_raw/${theirs[i]%/*} k=${theirs[i]#*/}
        at_most "$(rel_l2 ours/entries/*/raw/mock_small/p00$i.columnized.npy "$node/columnized_$k.npy")" 0.003
        at_most "$(rel_l2 ours/entries/*/raw/mock_small/p00$i.observed.npy "$node/observed_$k.npy")" 0.08
    done
}

@test "a molecule without equilibrium ends the run, whoever finds out" {
    # no rates and next to no lines
    perl -ne 'if (/^!/) { $part = uc $_ } elsif ($part =~ /RATES|COLLRATES/) { s/(\d\.\d+[eE][-+]\d+)/0.0E+00/g }
        elsif ($part =~ /EINSTEIN/) { s/^(\s*\d+\s+\d+\s+\d+\s+)\S+/${1}1.0E-30/ } print' 13CO.dat >dead.dat
    lines_hyper -s 'observer_hyper.chem_path=["dead.dat"]' -s observer_hyper.T_continuum=null -o hyper.json
    run -65 --separate-stderr gen fresh -o fresh.tsv
    one_sentence iris-gen
    [[ $stderr == *"cannot be left"* ]]
    [ ! -e fresh.tsv ]
    run --separate-stderr $(mpi 3) iris-gen -q -H hyper.json -t synthetic -d fresh -o fresh.tsv list.tsv </dev/null
    [[ $stderr == *"cannot be left"* && $stderr != *"another rank"* ]]
    [ ! -e fresh.tsv ]
}

@test "a standard output that is closed is an error, and no other file gets the manifest" {
    run -74 --separate-stderr bash -c 'iris-gen -q -H hyper.json -t synthetic -d alone list.tsv >&-'
    one_sentence iris-gen
    run ! grep -q iris-manifest alone/.iris/lock
}

@test "the same bytes with every level of instructions" {
    local level transfer levels=0
    run -64 --separate-stderr env IRIS_SIMD=sse9 iris-gen -H hyper.json -t synthetic -d no list.tsv
    for transfer in '"optically thick"' '"selectively thin"' '"optically thin"'; do
        for integration in '"smooth"' '"formal"'; do
            lines_hyper -s suite_hyper.transfer="$transfer" -s suite_hyper.integration="$integration" >hyper.json
            rm -rf best && gen best --lines=lines.h5 -o best.tsv
            for level in base avx2 avx512; do
                [[ ${stderr##*has} == *$level* ]] || continue
                rm -rf $level && IRIS_SIMD=$level gen $level --lines=lines.h5 -o $level.tsv
                cmp best.tsv $level.tsv
                same_data best $level
                levels=$((levels + 1))
            done
        done
    done
    [ "$levels" -ge 6 ]
}
