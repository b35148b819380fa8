#!/usr/bin/env python3
"""container.py equal DATASET OUT.h5     the container has what the files have
   container.py change OUT.h5 CODE       run python CODE on the file f
   container.py print OUT.h5 EXPRESSION  print it, of the file f"""
import json
import os
import sys

import h5py
import numpy as np


def manifest(path):
    names, rows = None, []
    for line in open(path):
        line = line.rstrip("\n")
        if line.startswith("##"):
            continue
        if names is None:
            names = line[1:].split("\t")
        else:
            rows.append(dict(zip(names, line.split("\t"))))
    return rows


def same(value, field):
    if isinstance(value, bytes):
        return value.decode() == ("" if field == "." else field)
    return np.isnan(value) if field == "." else float(field) == value


def equal(data, f):
    attributes = json.load(open(os.path.join(data, "attributes.json")))
    rows = manifest(os.path.join(data, "iris-manifest.tsv"))
    n = attributes["cardinality"]
    assert f.attrs["complete"] == 1 and f.attrs["cardinality"] == n == len(rows)
    assert f.attrs["type"].decode() == attributes["type"]
    assert f.attrs["hyper_json"] == open(os.path.join(data, "hyper.json"), "rb").read()
    assert f.attrs["hyper_json_xxh128"].decode() == attributes["xxh128"]["hyper.json"]
    assert f["manifest"][()] == open(os.path.join(data, "iris-manifest.tsv"), "rb").read()
    for i, entry in enumerate(attributes["index"]):
        paths = [entry] if isinstance(entry, str) else entry
        for path in paths:
            kind = path.split(".")[-2]
            a = np.load(os.path.join(data, path))
            assert f[kind].dtype == np.float32 and f[kind].shape == (n,) + a.shape
            assert f[kind].chunks == (1,) + a.shape and f[kind].compression is None
            assert f[kind][i].tobytes() == a.tobytes(), path
    columns = {"id": "entry_id", "snapshot": "snapshot_id", "column_xxh128": "columnized_xxh128"}
    left_out = ("type", "state", "units", "message", "column", "observed", "tensor")
    for name in rows[0]:
        if name in left_out:
            continue
        name_there = columns.get(name, name)
        values = f[name_there if name_there in f else "columns/" + name][:]
        assert all(same(v, r[name]) for v, r in zip(values, rows)), name
    for digest in {r["digest"] for r in rows}:
        path = os.path.join(data, "entries", digest, "settings.json")
        assert f["settings"][digest][()] == open(path, "rb").read()


if sys.argv[1] == "equal":
    equal(sys.argv[2], h5py.File(sys.argv[3]))
elif sys.argv[1] == "change":
    with h5py.File(sys.argv[2], "r+") as f:
        exec(sys.argv[3])
else:
    with h5py.File(sys.argv[2]) as f:
        print(eval(sys.argv[3]))
