#!/usr/bin/env bats
# What must hold of any galaxy, whatever the numbers are: symmetries, laws of scaling,
# limits. Snapshots are changed, the programs make their points, arrays are compared.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    iris-mock -o snap_001.hdf5 --cells=3000 --seed=5 --double
    settings >hyper.json
    iris-chem -q -H hyper.json -o lines.h5
    points plain standard snap_001.hdf5
    points plain simple snap_001.hdf5
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# settings OPTION...: a small grid of four observers, nothing drawn, not smoothed
settings() {
    tiny_lines -s coordinate_hyper.r_steps=24 -s coordinate_hyper.r_crop_max_index=24 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 \
        -s coordinate_hyper.lat_min=-0.6 -s coordinate_hyper.lat_max=0.6 \
        -s cube_hyper.v_steps=41 -s observer_hyper.lat_pieces=2 \
        -s observer_hyper.blur_inputs=false -s observer_hyper.out_blur_fwhm=null \
        -s dataset_hyper.CMZ_scale_range=null -s writer_hyper.points_per_snapshot=4 "$@"
}

# python ARGUMENT...: Debian's, with a script from standard input, for which p(file) is
# an array in double precision, and the galaxy that is changed begins as:
python() {
    {
        cat <<'HEAD'
import sys, warnings
warnings.simplefilter('error')
import numpy as np
import h5py
def p(name):
    return np.load(name + '.npy').astype('f8')
def off(a, b):
    return np.abs(a - b).max() / np.abs(b).max()
def turned(v, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.stack([c * v[:, 0] - s * v[:, 1], s * v[:, 0] + c * v[:, 1], v[:, 2]], 1)
HEAD
        cat
    } >script.py
    /usr/bin/python3 script.py "$@"
}

# change FILE CODE: a copy of the galaxy; CODE has x (from the middle), v and gas, all
# datasets by name, and box
change() {
    cp snap_001.hdf5 "$1"
    python "$1" "$2" <<'PYTHON'
with h5py.File(sys.argv[1], 'r+') as f:
    box = f['Header'].attrs['BoxSize']
    gas = {k: f['PartType0'][k][...] for k in f['PartType0']}
    x, v = gas['Coordinates'] - box / 2, gas['Velocities']
    exec(sys.argv[2])
    f['Header'].attrs['BoxSize'] = box
    gas['Coordinates'], gas['Velocities'] = x + box / 2, v
    for k in gas:
        f['PartType0'][k][...] = gas[k]
PYTHON
}

# points NAME TYPE SNAPSHOT [OPTION...]: arrays NAME.0.KIND.npy of the first point and so
# on; options are those of settings
points() {
    local name=$1 type=$2 snapshot=$3 lines=() f
    shift 3
    rm -rf data
    settings "$@" >now.json
    iris-list -o list.tsv "$snapshot"
    if [ "$type" = synthetic ] && [ $# = 0 ]; then
        lines=(--lines=lines.h5)
    fi
    iris-gen -q --device=cpu -H now.json -t "$type" "${lines[@]}" -d data -o entries.tsv list.tsv </dev/null
    for f in data/entries/*/raw/*/p00*.npy; do
        mv "$f" "$name.$(basename "$f" | sed 's/^p00//')"
    done
}

# ---- where the observer stands ----

@test "the next point is the galaxy turned by a step" {
    change turned.hdf5 'x, v = turned(x, 90), turned(v, 90)'
    points turned standard turned.hdf5
    python <<'PYTHON'
for i in range(4):
    a, b = p(f'plain.{i}.tensor'), p(f'turned.{(i + 1) % 4}.tensor')
    assert np.array_equal(a[1:], b[1:]), i
    assert off(b[0], a[0]) < 2e-6
assert not np.array_equal(p('plain.0.tensor'), p('plain.1.tensor'))
PYTHON
}

@test "the first angle turns all points alike" {
    points angle standard snap_001.hdf5 -s coordinate_hyper.theta_zero=90.0
    for i in 0 1 2; do
        cmp angle.$i.tensor.npy plain.$((i + 1)).tensor.npy
    done
    python <<'PYTHON'
assert np.array_equal(p('angle.3.tensor')[1:], p('plain.0.tensor')[1:])
assert off(p('angle.3.tensor')[0], p('plain.0.tensor')[0]) < 2e-6
PYTHON
}

@test "a full circle turns by whole columns" {
    circle=(-s coordinate_hyper.observer_radius=0.0 -s coordinate_hyper.r_min=20.0 -s coordinate_hyper.r_max=200.0
        -s coordinate_hyper.lon_min=-180.0 -s coordinate_hyper.lon_max=180.0 -s coordinate_hyper.lon_steps=37
        -s coordinate_hyper.lat_min=-30.0 -s coordinate_hyper.lat_max=30.0
        -s writer_hyper.points_per_snapshot=1 -s coordinate_hyper.spin_orientation=1)
    points here standard snap_001.hdf5 "${circle[@]}"
    change turned.hdf5 'x, v = turned(x, 30), turned(v, 30)'
    points turned standard turned.hdf5 "${circle[@]}"
    points angle standard snap_001.hdf5 "${circle[@]}" -s coordinate_hyper.theta_zero=30.0
    python <<'PYTHON'
a, turned, angle = (p(f'{n}.0.tensor') for n in ('here', 'turned', 'angle'))
def same(b, a, what):
    other = (b[1:] != a[1:]).any(axis=0).mean()
    assert other < 2e-3, (what, other) # where two cells are equally near, but for rounding
    assert (np.abs(b[0] - a[0]) < 1e-5 * np.abs(a[0]).max()).mean() > 1 - 2e-3, what
same(a[..., 0, :], a[..., 36, :], 'the ends meet')
ring = a[..., :36, :]
assert (ring[1] != np.roll(ring[1], 1, axis=1)).mean() > .5
same(turned[..., :36, :], np.roll(ring, 3, axis=2), 'by three columns of 10 degrees')
same(angle[..., :36, :], np.roll(ring, -3, axis=2), 'the other way')
PYTHON
}

@test "a galaxy upside down has its latitudes upside down" {
    change mirror.hdf5 'x[:, 2], v[:, 2] = -x[:, 2], -v[:, 2]'
    points mirror standard mirror.hdf5
    points mirror simple mirror.hdf5
    points turned standard snap_001.hdf5 -s coordinate_hyper.spin_orientation=1
    python <<'PYTHON'
for i in range(4):
    a, b, c = (p(f'{n}.{i}.tensor') for n in ('plain', 'mirror', 'turned'))
    assert np.array_equal(b, a[..., ::-1])
    assert np.array_equal(c[1:], a[1:, :, ::-1, ::-1]) and off(c[0], a[0, :, ::-1, ::-1]) < 2e-6
    assert not np.array_equal(b, a)
    for kind in 'columnized', 'observed':
        assert off(p(f'mirror.{i}.{kind}'), p(f'plain.{i}.{kind}')) < 1e-6, kind
PYTHON
}

@test "a galaxy that runs backwards mirrors the velocities" {
    change back.hdf5 'v = -v'
    points line synthetic snap_001.hdf5 -s 'suite_hyper.profile="cell_average"'
    points back synthetic back.hdf5 -s 'suite_hyper.profile="cell_average"'
    mv back.0.observed.npy back.line.npy
    points back simple back.hdf5
    python <<'PYTHON'
a, b = p('plain.0.observed'), p('back.0.observed')
assert off(b, a[..., ::-1]) < 1e-6 and off(b, a) > .1
a, b = p('line.0.observed'), p('back.line')
# frequencies, and with them the background, are other ones, by v / c
assert off(b, a[..., ::-1]) < 2e-3 and off(b, a) > .1
PYTHON
}

# ---- velocities ----

@test "gas that comes nearer by whole channels shifts by whole channels" {
    # channels of 10 km/s
    change faster.hdf5 '
eye = np.array([8277e-3 * 3.08567758128e21 / f["Header"].attrs["UnitLength_in_cm"], 0, 0])
way = eye - x
way /= np.sqrt((way ** 2).sum(axis=1))[:, None]
v = v + 3 * 10 * way * 1e5 / f["Header"].attrs["UnitVelocity_in_cm_per_s"]'
    one=(-s writer_hyper.points_per_snapshot=1)
    points faster standard faster.hdf5 "${one[@]}"
    points a simple snap_001.hdf5 "${one[@]}" -s 'suite_hyper.simple_out_of_band="drop"'
    points b simple faster.hdf5 "${one[@]}" -s 'suite_hyper.simple_out_of_band="drop"'
    python <<'PYTHON'
dv = p('faster.0.tensor')[0] - p('plain.0.tensor')[0]
assert np.abs(dv - 0.3).max() < 2e-6, dv # in units of 100 km/s
a, b = p('a.0.observed')[0], p('b.0.observed')[0]
# but where gas comes into the band
assert off(b[:, 5:-1], a[:, 2:-4]) < 2e-5 and off(b, a) > .1
PYTHON
    for transfer in thick "selectively thin" "optically thin"; do
        words=("${one[@]}" -s 'suite_hyper.profile="cell_average"')
        [ "$transfer" = thick ] || words+=(-s "suite_hyper.transfer=\"$transfer\"")
        points a synthetic snap_001.hdf5 "${words[@]}"
        points b synthetic faster.hdf5 "${words[@]}"
        python "$transfer" <<'PYTHON'
a, b = p('a.0.observed')[0], p('b.0.observed')[0]
# frequencies are other ones, by v / c
assert off(b[:, 3:], a[:, :-3]) < 5e-4, (sys.argv, off(b[:, 3:], a[:, :-3]))
assert off(b, a) > .1
PYTHON
    done
}

# ---- laws of scaling ----

@test "twice the density is twice the mass" {
    change dense.hdf5 'gas["Density"] *= 2'
    points dense standard dense.hdf5
    points dense simple dense.hdf5
    python <<'PYTHON'
a, b = p('plain.0.tensor'), p('dense.0.tensor')
assert np.array_equal(b[1], 2 * a[1]) and np.array_equal(np.delete(b, 1, 0), np.delete(a, 1, 0))
for kind in 'columnized', 'observed':
    assert np.array_equal(p(f'dense.0.{kind}'), 2 * p(f'plain.0.{kind}')), kind
PYTHON
}

@test "twice the energy is twice the temperature" {
    change hot.hdf5 'gas["InternalEnergy"] *= 2'
    points hot standard hot.hdf5 -s observer_hyper.T_inf=null
    points cold standard snap_001.hdf5 -s observer_hyper.T_inf=null
    python <<'PYTHON'
a, b = p('cold.0.tensor'), p('hot.0.tensor')
assert np.isfinite(a).all() and np.array_equal(b[2], 2 * a[2])
assert np.array_equal(np.delete(b, 2, 0), np.delete(a, 2, 0))
PYTHON
}

# thin NAME SNAPSHOT [OPTION...]: lines without absorption, and no dust
thin() {
    points "$1" synthetic "$2" -s 'suite_hyper.transfer="optically thin"' -s 'suite_hyper.integration="formal"' \
        -s 'observer_hyper.kappa_dust=[0.0]' -s writer_hyper.points_per_snapshot=1 "${@:3}"
}

@test "thin lines are as bright as there are molecules on their way" {
    change rich.hdf5 'gas["ChemicalAbundances"][:, 2] *= 4'
    # twice as large in all directions, and seen from twice as far
    change large.hdf5 'x, box = 2 * x, 2 * box'
    thin plain snap_001.hdf5
    thin rich rich.hdf5
    large=(-s coordinate_hyper.observer_radius=16554.0
        -s coordinate_hyper.r_min=16104.0 -s coordinate_hyper.r_max=17004.0)
    thin large large.hdf5 "${large[@]}"
    points large standard large.hdf5 "${large[@]}"
    python <<'PYTHON'
a = p('plain.0.observed')
assert np.array_equal(p('rich.0.observed'), 4 * a) and a.max() > 1
assert np.array_equal(p('large.0.tensor'), p('plain.0.tensor'))
assert np.array_equal(p('large.0.observed'), 2 * a)
assert np.array_equal(p('large.0.columnized'), p('plain.0.columnized'))
PYTHON
}

@test "few molecules are as bright as their number, whatever absorbs" {
    change few.hdf5 'gas["ChemicalAbundances"][:, 2] *= 2e-7'
    change fewer.hdf5 'gas["ChemicalAbundances"][:, 2] *= 1e-7'
    while read -r transfer limit; do
        for name in few fewer; do
            points $name synthetic $name.hdf5 -s "suite_hyper.transfer=\"${transfer/_/ }\"" \
                -s observer_hyper.v_subsamples=0 -s writer_hyper.points_per_snapshot=1
        done
        python "$limit" <<'PYTHON'
a, b = p('few.0.observed'), p('fewer.0.observed')
assert 1e-6 < a.max() < 1e-4 and off(b, a / 2) <= float(sys.argv[1]), (a.max(), off(b, a / 2))
PYTHON
    done <<'TRANSFER'
optically_thick 1e-4
selectively_thin 0
TRANSFER
}

@test "the mass in all channels is the mass in all places" {
    points whole simple snap_001.hdf5 -s dataset_hyper.use_AREPO_abundances=false
    python <<'PYTHON'
mu = (1.00784 + 0.1 * 4.002602) / 2.01568
dv = 10e3 / 1e5
dr = 450 / 23 * 3.08567758128e11
for i in range(4):
    mass = p(f'whole.{i}.columnized')[0] / .5 * mu * dr # of all gas, H2 is half of the nuclei
    seen = p(f'whole.{i}.observed')[0] * dv
    assert off(seen.sum(axis=1), mass.sum(axis=0)) < 2e-6
PYTHON
}

@test "all units are the same physical values" {
    for type in standard simple synthetic; do
        rm -rf data
        settings >now.json
        iris-list -o list.tsv snap_001.hdf5
        iris-gen -q --device=cpu -H now.json -t $type -d data -o entries.tsv list.tsv
        iris-merge -d data -o merged.tsv entries.tsv
        iris-units --sample=all -H now.json -d data -o units.json merged.tsv
        iris-normalize -H units.json -d data -o normalized.tsv merged.tsv
        python $type <<'PYTHON'
import glob, json
d = json.load(open('units.json'))['dataset_hyper']
l, t, m, T = (d[f'_{n}_iris_per_SI'] for n in ('length', 'time', 'mass', 'temperature'))
assert abs(d['_length_iris_per_parsec'] / (l * d['meters_per_parsec']) - 1) < 1e-12
def si(folder, kind, *units):
    files = sorted(glob.glob(f'data/entries/*/{folder}/*/*.{kind}.npy'))
    assert len(files) == 4
    a = np.stack([p(f[:-4]) for f in files])
    return a / np.array(units).reshape([1, -1] + [1] * (a.ndim - 2))
def same(kind, raw, iris):
    a, b = si('raw', kind, *raw), si('iris-*', kind, *iris)
    known = np.isfinite(a) # not temperatures of gas that is too hot
    assert np.array_equal(known, np.isfinite(b)) and known.mean() > .9
    assert np.allclose(b[known], a[known], rtol=2e-7, atol=0), kind
if sys.argv[1] == 'standard':
    same('tensor', (1e-5, 1e18, 1, 1, 1, 1), (l / t, m / l ** 3, T, 1, 1, T))
else:
    same('columnized', (1e18,), (m / l ** 3,))
    raw, iris = {'simple': (1e3 / 1e-10 / 1e-5, m / l ** 2 / (l / t)), 'synthetic': (1, T)}[sys.argv[1]]
    same('observed', (raw,), (iris,))
PYTHON
    done
}

# ---- what is not to matter ----

@test "the order of the cells does not matter" {
    change other.hdf5 '
order = np.random.default_rng(3).permutation(len(x))
x, v, gas = x[order], v[order], {k: a[order] for k, a in gas.items()}'
    ! cmp -s snap_001.hdf5 other.hdf5 || false
    points other standard other.hdf5
    points other simple other.hdf5
    points line synthetic snap_001.hdf5
    for f in plain.*.npy line.*.npy; do
        mv "$f" "before.$f"
    done
    points line synthetic other.hdf5
    for f in other.*.npy; do
        cmp "$f" "before.${f/other/plain}"
    done
    for f in line.*.npy; do
        cmp "$f" "before.$f"
    done
}

@test "a column map is cut out of the whole, and the rest is as it was" {
    points cut simple snap_001.hdf5 -s coordinate_hyper.r_crop_min_index=5 -s coordinate_hyper.r_crop_max_index=17
    python <<'PYTHON'
for i in range(4):
    assert np.array_equal(p(f'cut.{i}.columnized'), p(f'plain.{i}.columnized')[:, 5:17])
    assert np.array_equal(p(f'cut.{i}.observed'), p(f'plain.{i}.observed'))
PYTHON
}

@test "the blocks of sky do not matter" {
    blurred=(-s observer_hyper.blur_inputs=true -s observer_hyper.out_blur_fwhm=1200.0)
    points a synthetic snap_001.hdf5 "${blurred[@]}"
    points b synthetic snap_001.hdf5 "${blurred[@]}" -s observer_hyper.lon_pieces=3 -s observer_hyper.lat_pieces=6
    for f in a.*.npy; do
        cmp "$f" "b${f#a}"
    done
}

# ---- limits ----

# slab OPTION...: settings of a grid that a tensor fills evenly
slab() {
    settings -s coordinate_hyper.lon_steps=2 -s coordinate_hyper.lat_steps=2 -s observer_hyper.lat_pieces=1 \
        -s cube_hyper.v_steps=3 -s cube_hyper.v_min=-1.0 -s cube_hyper.v_max=1.0 -s observer_hyper.v_subsamples=0 \
        -s 'observer_hyper.kappa_dust=[0.0]' -s 'observer_hyper.abundance_H2_steps=[2]' \
        -s 'observer_hyper.T_steps=[3]' "$@"
}

# even STEPS DENSITY TEMPERATURE CO: tensor.npy, molecular; the density is of H nuclei per m^3
even() {
    python "$@" <<'PYTHON'
n = int(sys.argv[1])
N, T, co = map(float, sys.argv[2:])
t = np.zeros((6, n, 2, 2))
t[1:] = np.array([N * 2.338205299410957e-9, T, .5, co, 10])[:, None, None, None]
np.save('tensor.npy', t)
PYTHON
}

@test "a line that is thick shines like its temperature before the background" {
    even 24 1e16 25 1e-4
    for integration in smooth formal; do
        slab -s "suite_hyper.integration=\"$integration\"" -s 'observer_hyper.interpolation_max_N_H_TOT=[1e16]' \
            -s 'observer_hyper.interpolation_max_T=[50.0]' >slab.json
        iris-observe --precise -H slab.json --cube=cube.npy tensor.npy
        python <<'PYTHON'
nu = next(float(r[4]) * 1e9 for r in map(str.split, open('co.dat')) if r[1:3] == ['3', '2'] and len(r) < 7)
J = lambda T: 6.62607e-34 * nu / 1.380649e-23 / np.expm1(6.62607e-34 * nu / 1.380649e-23 / T)
got = p('cube')[0, :, :, 1]
assert off(got, J(25) - J(2.73) + 0 * got) < 1e-5, (got, J(25) - J(2.73))
PYTHON
    done
}

@test "where there is nothing there is no line, and the background is seen" {
    # gas without the molecule, then the molecule without gas, which 0 K are too
    even 24 1e9 20 0
    python <<'PYTHON'
t = p('tensor')
t[:, 8:] = np.array([0, 0, 20, .5, 1e-4, 10])[:, None, None, None]
t[1:3, 16:] = np.array([1e9 * 2.338205299410957e-9, 0])[:, None, None, None]
np.save('tensor.npy', t)
PYTHON
    slab >slab.json
    iris-observe -H slab.json --cube=cube.npy tensor.npy
    slab -s 'suite_hyper.subtraction="continuum"' -s 'suite_hyper.output_units="Tb K"' >slab.json
    iris-observe -H slab.json --cube=back.npy tensor.npy
    python <<'PYTHON'
assert not p('cube').any()
assert np.abs(p('back') - 2.73).max() < 1e-6
PYTHON
}

# What RADEX (van der Tak et al. 2007), version of 30 November 2011, prints for CO at 123 K
# in 1000 para- and 100 ortho-H2 per cm^3, a column of 1e12 per cm^2, 1 km/s wide; see
# tests/unit/test_radex.c. A column so thin is the same in all geometries.
@test "lines of CO are as bright as RADEX says" {
    cp "$IRIS_SOURCE/tests/radex/co.dat" radex.dat
    # a slab of 450 pc, and a Gaussian of which half the width is 1 km/s with the area of RADEX's
    abundance=$(awk 'BEGIN { printf "%.17g", 1e16 / (2.2e9 * 450 * 3.08567758128e16) }')
    turb=$(awk 'BEGIN { b = 1.0645e3 / sqrt(3.14159265358979); printf "%.17g",
        sqrt(b ^ 2 - 2 * 1.380649e-23 * 123 / (28e-3 / 6.022141e23)) / 1e3 }')
    even 25 2.2e9 123 0
    while read -r upper T_R; do
        slab -s 'observer_hyper.chem_path=["radex.dat"]' -s "observer_hyper.transition=[[$upper,$((upper - 1))]]" \
            -s observer_hyper.ortho_to_para_H2_ratio=0.1 -s 'observer_hyper.interpolation_max_N_H_TOT=[2.2e9]' \
            -s 'observer_hyper.interpolation_max_T=[246.0]' -s suite_hyper.v_turb="$turb" \
            -s coordinate_hyper.r_steps=25 -s coordinate_hyper.r_crop_max_index=25 \
            -s 'suite_hyper.output_units="Trj K"' \
            -s "suite_hyper.abundance={\"per_H\": $abundance}" >slab.json
        iris-observe --precise -H slab.json --cube=cube.npy tensor.npy
        python "$T_R" <<'PYTHON'
T_R, got = float(sys.argv[1]), p('cube')[0, :, :, 1]
assert np.abs(got / T_R - 1).max() < 1e-3, (got, T_R)
PYTHON
    done <<'RADEX'
1 1.304e-3
2 1.512e-3
3 6.903e-4
4 2.410e-4
5 8.060e-5
6 2.778e-5
RADEX
}
