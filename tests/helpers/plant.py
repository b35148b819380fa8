#!/usr/bin/env python3
"""plant.py OUT.hdf5 X Y Z VX VY VZ

A snapshot with one thing in it: thin gas at rest on a lattice of 20 pc about the
centre, thinner gas far out, and in place of one cell of the lattice, at X, Y, Z pc from
the centre (multiples of 20), a dense one that moves with that velocity in km/s. It is a
cube of 20 pc of 1e4 solar masses, and has the largest value of every field.
"""
import sys

import h5py
import numpy as np

BOX, PC, KM, SUN = 24000.0, 3.085677581e18, 1e5, 1.98841e33


def main():
    out, *numbers = sys.argv[1:]
    place, velocity = np.reshape([float(v) for v in numbers], (2, 3))
    near = np.stack(np.meshgrid(*[np.arange(-n, n + 1) * 20.0 for n in (15, 15, 5)]), -1).reshape(-1, 3)
    far = np.stack(np.meshgrid(*[np.arange(-11, 12, 2) * 1000.0] * 3), -1).reshape(-1, 3)
    dense = np.flatnonzero((near == place).all(1))
    assert len(dense) == 1, "not on the lattice"
    n, k = len(near) + len(far), dense[0]
    one = np.ones(n)
    mass = np.concatenate([np.full(len(near), 10.0), np.full(len(far), 0.1)])
    size = np.concatenate([np.full(len(near), 20.0), np.full(len(far), 2000.0)])
    mass[k] = 1e4
    velocities = np.zeros((n, 3))
    velocities[k] = velocity
    chemistry = np.stack([0.01 * one, 1e-4 * one, 1e-7 * one], 1)  # H2, H+, CO
    chemistry[k] = 0.4, 1e-4, 1e-4
    energy, dust = 1.0 * one, 10 * one
    energy[k], dust[k] = 5.0, 60
    with h5py.File(out, "w") as f:
        header = f.create_group("Header").attrs
        header["BoxSize"], header["Time"], header["NumFilesPerSnapshot"] = BOX, 0.0, 1
        header["NumPart_ThisFile"] = header["NumPart_Total"] = np.array([n, 0, 0, 0, 0, 0], "u4")
        header["UnitLength_in_cm"], header["UnitMass_in_g"] = PC, SUN
        header["UnitVelocity_in_cm_per_s"] = KM
        gas = f.create_group("PartType0")
        gas["Coordinates"] = np.concatenate([near, far]) + BOX / 2
        gas["Velocities"], gas["Masses"], gas["Density"] = velocities, mass, mass / size**3
        gas["InternalEnergy"], gas["ChemicalAbundances"] = energy, chemistry
        gas["DustTemperature"], gas["ParticleIDs"] = dust, np.arange(n, dtype="u4")


main()
