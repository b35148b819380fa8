#!/usr/bin/env python3
"""read_directory.py DATASET -- a published data set by json and numpy alone.

Prints of each array the shape, and mean and largest value in units of cgs.
"""
import json
import os
import sys

import numpy as np


class DataSet:
    """Entries in the published order; each is a tuple of arrays in IRIS units."""

    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "attributes.json")) as f:
            self.attributes = json.load(f)
        with open(os.path.join(path, "hyper.json")) as f:
            self.hyper = json.load(f)

    def __len__(self):
        return self.attributes["cardinality"]

    def __getitem__(self, i):
        files = self.attributes["index"][i]
        files = [files] if isinstance(files, str) else files
        return tuple(np.load(os.path.join(self.path, f)) for f in files)

    def density_to_cgs(self):
        """What a density in IRIS units is multiplied by to be in g cm-3."""
        unit = self.hyper["dataset_hyper"]
        kg_per_m3 = unit["_length_iris_per_SI"] ** 3 / unit["_mass_iris_per_SI"]
        return 1e-3 * kg_per_m3


if __name__ == "__main__":
    data = DataSet(sys.argv[1])
    print(f"{len(data)} entries of type {data.attributes['type']}")
    for i in range(min(3, len(data))):
        for array in data[i]:
            print(i, array.shape, array.dtype, f"mean {array.mean():.3g}")
    if data.attributes["type"] != "standard":
        column = data[0][0] * data.density_to_cgs()
        print(f"column map 0: mean {column.mean():.3g}, at most {column.max():.3g} g cm-3")
