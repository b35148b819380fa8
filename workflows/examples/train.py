#!/usr/bin/env python3
"""train.py [--epochs=N] [--workers=N] [--batch=N] [--read-only] OUT.h5

Train a small network to tell from an observation how dense the gas is at each
longitude: a start for networks of your own. Needs h5py and torch. With
--read-only entries are only read, and how fast is printed.
"""
import argparse
import time

import h5py
import torch


class Pairs(torch.utils.data.Dataset):
    """Pairs (observed, columnized) of a container; validation: the other part."""

    def __init__(self, path, validation=False, split="snapshot"):
        self.path, self.file = path, None
        with h5py.File(path) as f:
            assert f.attrs["complete"] == 1, "iris-pack has not finished this file"
            self.entries = (f["split"][split][:] == int(validation)).nonzero()[0]
            self.shapes = f["observed"].shape[1:], f["columnized"].shape[1:]

    def __len__(self):
        return len(self.entries)

    def __getitem__(self, i):
        if self.file is None:  # each worker opens it for itself
            self.file = h5py.File(self.path)
        n = self.entries[i]
        return tuple(torch.from_numpy(self.file[k][n]) for k in ("observed", "columnized"))


class Network(torch.nn.Module):
    """Spectra of all lines at one longitude, and of its neighbours -> log density."""

    def __init__(self, lines, channels):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv1d(lines * channels, 64, 5, padding=2), torch.nn.ReLU(),
            torch.nn.Conv1d(64, 64, 5, padding=2), torch.nn.ReLU(),
            torch.nn.Conv1d(64, 1, 5, padding=2))

    def forward(self, observed):
        spectra = torch.asinh(observed).transpose(2, 3).flatten(1, 2)
        return self.layers(spectra)[:, 0]


def target(columnized):
    return torch.log(columnized.mean(dim=(1, 2)) + 1e-6)


def loss_of(network, loader, optimizer=None):
    total, n = 0.0, 0
    for observed, columnized in loader:
        loss = torch.nn.functional.mse_loss(network(observed), target(columnized))
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total, n = total + loss.item() * len(observed), n + len(observed)
    return total / max(n, 1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("container")
    p.add_argument("--epochs", type=int, default=5)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--read-only", action="store_true")
    a = p.parse_args()
    torch.manual_seed(0)
    train, check = Pairs(a.container), Pairs(a.container, validation=True)
    load = torch.utils.data.DataLoader
    loader = load(train, a.batch, shuffle=True, num_workers=a.workers)
    checks = load(check, a.batch, num_workers=a.workers)
    if a.read_only:
        start = time.perf_counter()
        size = sum(4 * x.numel() for pair in loader for x in pair)
        seconds = time.perf_counter() - start
        print(f"{len(train)} entries, {len(train) / seconds:.0f}/s, {size / seconds / 2**20:.0f} MiB/s")
        return
    network = Network(train.shapes[0][0], train.shapes[0][2])
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    print(f"{len(train)} entries to train, {len(check) or 'none'} to validate")
    for epoch in range(1, a.epochs + 1):
        network.train()
        loss = loss_of(network, loader, optimizer)
        network.eval()
        with torch.no_grad():
            validation = f", validation {loss_of(network, checks):.4f}" if len(check) else ""
        print(f"epoch {epoch}: loss {loss:.4f}{validation}")


if __name__ == "__main__":
    main()
