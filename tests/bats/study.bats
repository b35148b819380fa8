#!/usr/bin/env bats
# iris-accuracy(7) has how large the errors of maps are, which `make study` measures.
bats_require_minimum_version 1.5.0
load common

# in_page: its tables, as study.sh prints them
in_page() {
    sed -n '/^\.Bl -column/,/^\.El/ { /^\.It Sy/d; s/^\.It //p }' "$IRIS_SOURCE/man/iris-accuracy.7" |
        sed 's/ Ta /\t/g'
}

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# small WORD...: settings of a grid that is quickly observed
small() {
    iris-hyper --preset=SEDIGISM_13C16O_corrected -s coordinate_hyper.lon_steps=32 -s coordinate_hyper.lat_steps=2 \
        -s observer_hyper.lat_pieces=1 -s 'observer_hyper.chem_path=["13CO.dat"]' \
        -s dataset_hyper.CMZ_scale_range=null \
        -s observer_hyper.blur_inputs=false -s observer_hyper.out_blur_fwhm=null -s writer_hyper.points_per_snapshot=1 \
        -s 'observer_hyper.N_H_TOT_steps=[192]' -s 'observer_hyper.abundance_H2_steps=[16]' \
        -s cube_hyper.v_steps=64 -s cube_hyper.v_min=-20.0 -s cube_hyper.v_max=20.0 "$@"
}

@test "what is exact is where ever more samples and finer tables end" {
    iris-mock -q -o snap_001.hdf5 --cells=2000 --seed=1 --double
    iris-mock --molecule=13CO -o 13CO.dat
    iris-list -o list.tsv snap_001.hdf5
    small -s coordinate_hyper.r_steps=16384 -s coordinate_hyper.r_crop_max_index=16384 \
        -s 'observer_hyper.T_steps=[96]' \
        -s observer_hyper.v_subsamples=16 >fine.json
    iris-gen -q --device=cpu -H fine.json -t synthetic -d data -o entries.tsv list.tsv </dev/null
    exact fine.json snap_001.hdf5 column.npy line.npy
    /usr/bin/python3 - <<'PYTHON'
import glob
import numpy as np
def rms(kind, exact, along):
    a = np.load(exact).astype('f8')
    b = np.load(glob.glob(f'data/entries/*/raw/*/p000.{kind}.npy')[0]).astype('f8')
    assert a.shape == b.shape
    a, b = along(a), along(b)
    return np.sqrt(((b - a) ** 2).sum() / (a ** 2).sum())
errors = rms('columnized', 'column.npy', lambda a: a.sum(axis=1)), rms('observed', 'line.npy', lambda a: a)
print(errors)
assert errors[0] < 1e-3 and errors[1] < 2e-2
PYTHON
}

@test "every series of the page is printed, and no other" {
    CELLS=2000 FEW=1 "$IRIS_SOURCE/tests/study/study.sh" here coordinate_hyper.r_steps=8 \
        coordinate_hyper.r_crop_max_index=8 coordinate_hyper.lat_steps=2 cube_hyper.v_steps=16 \
        'observer_hyper.T_steps=[5]' 'observer_hyper.N_H_TOT_steps=[8]' 'observer_hyper.abundance_H2_steps=[3]' |
        grep -v '^#' >table
    [ "$(wc -l <table)" -ge 20 ]
    diff <(cut -f1-4 table | sort -u) <(in_page | cut -f1-4 | sort -u)
    [ -z "$(in_page | cut -f1-5 | sort | uniq -d)" ]
    [ -z "$(cut -f1-5 table | sort | comm -23 - <(in_page | cut -f1-5 | sort))" ]
    # they are numbers
    ! cut -f6-8 table | grep -vE '^[+-][0-9.]+'$'\t''[0-9.]+'$'\t''[+-][0-9.]+$' || false
    # nothing large is left
    [ -z "$(find here -name '*.npy' -o -name data)" ]
}

@test "the page says the finest value of each series" {
    script=$IRIS_SOURCE/tests/study/study.sh
    text=$(tr '\n' ' ' <"$IRIS_SOURCE/man/iris-accuracy.7")
    grep -oE 'finest (\$preset|main) .*' "$script" | while read -ra word; do
        [[ $text == *"${word[2]} ${word[-1]}"* ]] || { echo "not ${word[2]} ${word[-1]}"; exit 1; }
    done
    fine=$(sed -n 's/^enum { FINE = \([0-9]*\).*/\1/p' "$IRIS_SOURCE/tests/study/exact.c")
    [[ $text == *"at $fine velocities a channel"* ]]
}
