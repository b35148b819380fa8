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
assert off(p('angle.3.tensor'), p('plain.0.tensor')) < 2e-6
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
    for kind in 'column', 'observed':
        assert off(p(f'mirror.{i}.{kind}'), p(f'plain.{i}.{kind}')) < 1e-6, kind
PYTHON
}

@test "a galaxy that runs backwards mirrors the velocities" {
    change back.hdf5 'v = -v'
    points back simple back.hdf5
    points line synthetic snap_001.hdf5 -s 'suite_hyper.profile="cell_average"'
    points back synthetic back.hdf5 -s 'suite_hyper.profile="cell_average"'
    mv back.0.observed.npy back.line.npy
    points back simple back.hdf5
    python <<'PYTHON'
a, b = p('plain.0.observed'), p('back.0.observed')
assert off(b, a[..., ::-1]) < 1e-6 and off(b, a) > .1
a, b = p('line.0.observed'), p('back.line')
assert off(b, a[..., ::-1]) < 2e-5 and off(b, a) > .1
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
assert off(b[:, 3:], a[:, :-3]) < 2e-5 and off(b, a) > .1
PYTHON
    for profile in '' -s 'suite_hyper.profile="cell_average"' ; do :; done
    for transfer in thick "selectively thin" "optically thin"; do
        words=("${one[@]}" -s 'suite_hyper.profile="cell_average"')
        [ "$transfer" = thick ] || words+=(-s "suite_hyper.transfer=\"$transfer\"")
        points a synthetic snap_001.hdf5 "${words[@]}"
        points b synthetic faster.hdf5 "${words[@]}"
        python "$transfer" <<'PYTHON'
a, b = p('a.0.observed')[0], p('b.0.observed')[0]
# frequencies and the background are other ones in other channels, by v / c
assert off(b[:, 3:], a[:, :-3]) < 5e-4, (sys.argv, off(b[:, 3:], a[:, :-3]))
assert off(b, a) > .1
PYTHON
    done
}
