#!/usr/bin/env python3
"""coverage.py BUILD FLOOR: which lines of lib/ have run, of those that gcc compiled with
--coverage into BUILD. Prints a table by file, and writes the lines that have not run and
that tests/uncovered does not explain into BUILD/uncovered. Fails below FLOOR per cent,
and where an explanation is of a line that there is not."""
import collections
import fnmatch
import json
import os
import subprocess
import sys

EXPLAINED = "tests/uncovered"


def counted(build):
    """{file: {line: [how often it ran, function]}}; a header or a kernel is in several objects."""
    notes = [os.path.join(d, f) for d, _, files in os.walk(build) for f in files if f.endswith(".gcno")]
    out = subprocess.run(["gcov", "--json-format", "--stdout", *notes], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True).stdout
    files = collections.defaultdict(dict)
    for report in map(json.loads, out.splitlines()):
        for f in report["files"]:
            name = os.path.relpath(f["file"])
            if name.startswith("lib/"):
                for line in f["lines"]:
                    seen = files[name].setdefault(line["line_number"], [0, line.get("function_name", "")])
                    seen[0] += line["count"]
    return files


def explanations():
    """[file pattern, text of a line or function(), reason, lines that it is about]"""
    rows = [r.rstrip("\n").split("\t") for r in open(EXPLAINED) if r.strip() and not r.startswith("#")]
    for r in rows:
        if len(r) != 3:
            sys.exit(f"{EXPLAINED}: not file, text and reason: {r}")
    return [[*r, 0] for r in rows]


def unexplained(files, why):
    """The lines that have not run, for no reason that is said."""
    for name in sorted(files):
        text = open(name).read().split("\n")
        for number, (count, function) in sorted(files[name].items()):
            line = text[number - 1]
            reasons = [r for r in why if fnmatch.fnmatch(name, r[0]) and (r[1] in line or r[1] == function + "()")]
            for r in reasons:
                r[3] += 1
            if not reasons and not count:
                yield f"{name}:{number}:{line}\n"


def share(name, ran, of):
    return f"{name:40} {ran:6} of {of:6} {100 * ran / of:6.1f} %"


def main(build, floor):
    files = counted(build)
    why = explanations()
    lost = list(unexplained(files, why))
    with open(os.path.join(build, "uncovered"), "w") as out:
        out.writelines(lost)
    groups = collections.defaultdict(lambda: [0, 0])
    for name, lines in sorted(files.items()):
        ran = sum(1 for count, _ in lines.values() if count)
        print(share(name, ran, len(lines)))
        for group in (os.path.dirname(name), "lib"):
            groups[group][0] += ran
            groups[group][1] += len(lines)
    print()
    for group in sorted(groups, key=lambda g: (g == "lib", g)):
        print(share(group, *groups[group]))
    ran, of = groups["lib"]
    print(f"{of - ran} lines have not run; {len(lost)} of them, in {build}/uncovered, are not explained in {EXPLAINED}")
    stale = [r for r in why if not r[3]]
    for r in stale:
        print(f"{EXPLAINED}: there is no such line: {r[0]} {r[1]}")
    too_few = 100 * ran < float(floor) * of
    if too_few:
        print(f"less than {floor} % of the lines of lib/ have run")
    return bool(stale) or too_few


sys.exit(main(*sys.argv[1:]))
