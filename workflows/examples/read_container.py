#!/usr/bin/env python3
"""read_container.py OUT.h5 -- a container, as iris-pack makes it, by h5py."""
import sys

import h5py

with h5py.File(sys.argv[1]) as f:
    assert f.attrs["format"] == b"iris-container" and f.attrs["complete"] == 1
    print(f"{f.attrs['cardinality']} entries of type {f.attrs['type'].decode()}")
    for name in ("columnized", "observed", "tensor"):
        if name in f:
            axes = [d.keys()[0] for d in f[name].dims]
            print(name, f[name].shape, "by", ", ".join(axes))
    for i in range(min(3, len(f["entry_id"]))):
        print(i, f["entry_id"][i].decode(), f"theta {f['theta'][i]:.1f} deg")
    if "columnized" in f:
        column = f["columnized"]
        values = column[0] * column.attrs["cgs_factor"]
        unit = column.attrs["cgs_units"].decode()
        print(f"column map 0: mean {values.mean():.3g}, at most {values.max():.3g} {unit}")
    for name in ("entry", "snapshot"):
        part = f["split"][name][:]
        print(f"split by {name}: {(part == 0).sum()} train, {(part == 1).sum()} validate")
