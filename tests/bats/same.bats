#!/usr/bin/env bats
# Results have the same bytes whatever the processor can do. The C library takes
# code that rounds otherwise where there are no fused operations; told that this
# processor has none, it does so here. Little of that outlives the rounding to
# single precision of tensors and pairs, so `make layers` also looks for calls.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    results with
    (without_fused && results without)
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# What follows finds a C library that takes no fused operations.
without_fused() {
    export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4
}

# results FOLDER: what the programs make, each kind of data set in its own folder.
# Settings may have the place of a file and manifests have the time of snapshots.
results() (
    mkdir work && cd work && snapshots 2 && touch -d @0 snaps/* &&
        iris-mock --molecule=13CO -o 13CO.dat || exit 1
    for type in standard simple; do
        mkdir $type
        tiny_hyper -s observer_hyper.out_blur_fwhm=600.0 >$type/hyper.json
        ln -s ../snaps $type
        (cd $type && pipeline $type D) || exit 1
    done
    mkdir synthetic
    tiny_hyper -s 'observer_hyper.chem_path=["../13CO.dat"]' \
        -s 'observer_hyper.N_H_TOT_steps=[64]' -s 'observer_hyper.abundance_H2_steps=[16]' \
        -s 'observer_hyper.T_steps=[64]' -s observer_hyper.out_blur_fwhm=600.0 >synthetic/hyper.json
    ln -s ../snaps synthetic
    (cd synthetic && iris-chem -q -H hyper.json -o lines.h5 && pipeline synthetic D) || exit 1
    cd standard
    tensor=$(find D/entries -path '*/raw/*.tensor.npy' | sort | head -n 1)
    iris-observe -H hyper.json -t simple --cube=cube.fits "$tensor" &&
        iris-observe -H ../synthetic/hyper.json --cube=lines.fits "$tensor" &&
        iris-observe -H ../synthetic/hyper.json --precise --cube=precise.fits "$tensor" &&
        mv ../../work "../../$1"
)

same() {
    local file
    for file in "$@"; do
        cmp "with/$file" "without/$file" || return
    done
}

@test "the C library rounds otherwise without fused operations" {
    elementary_bits libm >with_fused
    without_fused
    elementary_bits libm >without_fused
    ! cmp -s with_fused without_fused || skip "this processor has none, or this C library no choice"
    grep -q '^exp ' <(diff with_fused without_fused | cut -c3-)
}

@test "elementary functions" {
    elementary_bits iris >with_fused
    (without_fused && elementary_bits iris) >without_fused
    [ "$(wc -l <with_fused)" = 15 ]
    cmp with_fused without_fused
}

@test "mock snapshots and molecules" {
    same snaps/snap_001.hdf5 snaps/snap_002.hdf5 13CO.dat
}

@test "tensors, and every manifest" {
    [ "$(find with/standard/D -name '*.tensor.npy' | wc -l)" -ge 6 ]
    same_data {with,without}/standard/D
    same standard/{list,entries,merged,normalized,shuffled}.tsv standard/units.json
}

@test "simple pairs, and every manifest" {
    [ "$(find with/simple/D -name '*.observed.npy' | wc -l)" -ge 6 ]
    same_data {with,without}/simple/D
    same simple/{list,entries,merged,normalized,shuffled}.tsv simple/units.json
}

@test "tables of lines" {
    same synthetic/lines.h5
}

@test "synthetic pairs, and every manifest" {
    [ "$(find with/synthetic/D -name '*.observed.npy' | wc -l)" -ge 6 ]
    same_data {with,without}/synthetic/D
    same synthetic/{list,entries,merged,normalized,shuffled}.tsv synthetic/units.json
}

@test "cubes of a tensor" {
    same standard/{cube,lines,precise}.fits
}

@test "pictures" {
    for scale in linear log asinh; do
        iris-show --scale=$scale -o with.png with/simple/D
        (without_fused && iris-show --scale=$scale -o without.png without/simple/D)
        cmp with.png without.png
    done
}
