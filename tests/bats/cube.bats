#!/usr/bin/env bats
# Cubes that the library writes, opened by others.
bats_require_minimum_version 1.5.0
load common

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# read_with_astropy: run the lines of standard input, every warning an error. It
# is Debian's package, so Debian's interpreter.
read_with_astropy() {
    {
        cat <<'HEAD'
import warnings
warnings.simplefilter('error')
import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
HEAD
        cat
    } >script.py
    /usr/bin/python3 script.py
}

@test "astropy finds pixels where they are and what they are" {
    mkcube cube.fits
    read_with_astropy <<'PYTHON'
value = np.arange(2 * 7 * 5 * 11, dtype='f4').reshape(2, 7, 5, 11)
value[0, 1, 0, 0] = np.nan
with fits.open('cube.fits') as f:
    f.verify('exception')
    assert len(f) == 2 and [h.header['EXTNAME'] for h in f] == ['13CO 2-1', 'C18O 2-1']
    assert f['C18O 2-1'] is f[1]
    for line, hdu in enumerate(f):
        w = WCS(hdu.header)
        assert list(w.wcs.ctype) == ['GLON-CAR', 'GLAT-CAR', 'VRAD']
        assert [str(x) for x in w.wcs.cunit] == ['deg', 'deg', 'm / s']
        assert w.wcs.restfrq == [220398684200.0, 219560354100.0][line]
        assert u.Unit(hdu.header['BUNIT']) == u.K and hdu.header['BTYPE'] == 'Trj'
        assert hdu.header['BMAJ'] == hdu.header['BMIN'] == 0.01 and hdu.header['BPA'] == 0
        assert 'DATE' not in hdu.header and 'SPECSYS' not in hdu.header
        assert hdu.data.shape == w.array_shape == (11, 5, 7)
        assert np.array_equal(hdu.data, value[line].T, equal_nan=True)
        # the labels of every pixel, and the pixel of a label
        i, j, k = np.meshgrid(np.arange(7), np.arange(5), np.arange(11), indexing='ij')
        lon, lat, v = w.pixel_to_world_values(i, j, k)
        lon = (lon + 180) % 360 - 180
        assert np.allclose(lon, -1.5 + i * 2.7 / 6, rtol=0, atol=1e-10)
        assert np.allclose(lat, -0.25 + j * 0.75 / 4, rtol=0, atol=1e-10)
        assert np.allclose(v, 1000 * (-30 + k * 10.0), rtol=0, atol=1e-6)
        i, j, k = np.rint(w.world_to_pixel_values(0.75, 0.3125, 40e3)).astype(int)
        assert hdu.data[k, j, i] == value[line, 5, 3, 7]
    p = WCS(f[0].header).celestial.pixel_to_world(0, 4)
    assert p.frame.name == 'galactic' and abs(p.l.deg - 358.5) < 1e-10 and abs(p.b.deg - 0.5) < 1e-10
PYTHON
}

@test "numpy reads the same values from .npy" {
    mkcube cube.npy
    mkcube cube.fits
    read_with_astropy <<'PYTHON'
a = np.load('cube.npy')
assert a.dtype == np.dtype('<f4') and a.shape == (2, 7, 5, 11)
with fits.open('cube.fits') as f:
    assert np.array_equal(a, np.array([h.data.T for h in f]), equal_nan=True)
PYTHON
    no_leftovers
}

@test "the same cube is the same bytes, on any day" {
    mkcube a.fits
    sleep 1.1
    mkcube b.fits
    cmp a.fits b.fits
}

@test "only programs that write FITS load it" {
    run -0 ldd "$(command -v iris-list)"
    [[ $output != *libcfitsio* ]]
    run -0 ldd "$(command -v mkcube)"
    [[ $output == *libcfitsio* ]]
}
