#!/usr/bin/env python3
"""picture.py FILE.png size | image N | spot N R,G,B | count N R,G,B

Decode a PNG that iris-show made and say what is in it; only the standard
library is needed. N is a panel, from 0 in reading order; its image is inside of
a black frame, which is found by its long black lines. spot prints the middle of
the pixels of a colour as fractions of the image, from the left and from below.
"""
import itertools
import struct
import sys
import zlib


def decode(path):
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, idat, palette, names = 8, b"", None, []
    while at < len(data):
        n, name = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + n]
        assert struct.unpack(">I", data[at + 8 + n:at + 12 + n])[0] == zlib.crc32(name + body)
        at += 12 + n
        names.append(name.decode())
        if name == b"IHDR":
            width, height, depth, kind = struct.unpack(">IIBB", body[:10])
        elif name == b"PLTE":
            palette = [tuple(body[3 * i:3 * i + 3]) for i in range(n // 3)]
        elif name == b"IDAT":
            idat += body
    assert set(names) <= {"IHDR", "PLTE", "IDAT", "IEND"}, names
    # few colours, or three bytes each
    assert depth == 8 and kind in (2, 3), (depth, kind)
    size = 3 if kind == 2 else 1
    raw = zlib.decompress(idat)
    rows, above = [], bytes(width * size)
    for y in range(height):
        start = y * (width * size + 1)
        row = raw[start + 1:start + 1 + width * size]
        if raw[start] == 1:  # differences to the left
            left = [[v & 255 for v in itertools.accumulate(row[c::size])] for c in range(size)]
            row = [v for pixel in zip(*left) for v in pixel]
        elif raw[start] == 2:  # differences to the row above
            row = [(v + w) & 255 for v, w in zip(row, above)]
        else:
            assert raw[start] == 0, "unknown filter %d" % raw[start]
        if size == 1:
            rows.append([palette[v] for v in row])
        else:
            rows.append([tuple(row[i:i + 3]) for i in range(0, len(row), 3)])
        above = row
    return width, height, rows


def lines(row, least):
    """Black runs of at least so many pixels: (first, last)."""
    found, start = [], None
    for x, v in enumerate(row + [(255, 255, 255)]):
        if v == (0, 0, 0):
            start = x if start is None else start
        elif start is not None:
            if x - start >= least:
                found.append((start, x - 1))
            start = None
    return found


def images(rows):
    """The inside of every frame that is higher than a bar of colours."""
    found, top = [], {}
    for y, row in enumerate(rows):
        for line in lines(row, 90):
            if line in top and y - top[line] >= 90:
                found.append((line[0] + 1, top[line] + 1, line[1] - 1, y - 1))
                del top[line]
            else:
                top[line] = y
    return sorted(found, key=lambda i: (i[1] // 50, i[0]))


def main():
    path, what = sys.argv[1:3]
    width, height, rows = decode(path)
    if what == "size":
        print(width, height, len(images(rows)))
        return
    x0, y0, x1, y1 = images(rows)[int(sys.argv[3])]
    if what == "image":
        print(x1 - x0 + 1, y1 - y0 + 1)
        return
    colour = tuple(int(v) for v in sys.argv[4].split(","))
    spots = [(x, y) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1) if rows[y][x] == colour]
    if what == "count":
        print("%.4f" % (len(spots) / ((x1 - x0 + 1) * (y1 - y0 + 1))))
    elif spots:
        x = sum(x + 0.5 for x, y in spots) / len(spots)
        y = sum(y + 0.5 for x, y in spots) / len(spots)
        print("%.4f %.4f" % ((x - x0) / (x1 - x0 + 1), (y1 + 1 - y) / (y1 - y0 + 1)))


main()
