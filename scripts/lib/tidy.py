#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run clang-tidy over a build's sources, those that changed since they were last found clean.

usage: tidy.py BUILD CACHE

What a source depends on is ninja's own record; its contents, the command and .clang-tidy make the
key under which a clean result is kept in CACHE.
"""
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The build is gcc's: clang does not know all of its warnings.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Qunused-arguments"]


def output_of(command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def dependencies(build):
    """Object file -> what it was compiled from, of this repository or its build."""
    deps, current = collections.defaultdict(list), ""
    for line in output_of(["ninja", "-C", str(build), "-t", "deps"]).splitlines():
        if line.startswith(" "):
            path = (build / line.strip()).resolve()
            if ROOT in path.parents or build in path.parents:
                deps[current].append(path)
        else:
            current = line.split(":")[0]
    return deps


class Keys:
    """One hash per source; each file is read once."""

    def __init__(self, build):
        self.deps = dependencies(build)
        self.hashes = {}
        self.base = output_of(["clang-tidy", "--version"]) + (ROOT / ".clang-tidy").read_text()

    def hash_file(self, path):
        if path not in self.hashes:
            content = path.read_bytes() if path.exists() else b""
            self.hashes[path] = hashlib.sha256(content).hexdigest()
        return self.hashes[path]

    def of(self, entry):
        made = re.search(r" -o (\S+)", entry["command"])
        paths = {pathlib.Path(entry["file"]), *self.deps.get(made[1] if made else "", [])}
        parts = [self.base, entry["command"], *(self.hash_file(p) for p in sorted(paths))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def tidy(build, entry):
    """What clang-tidy has against a file; empty when nothing."""
    run = subprocess.run(
        ["clang-tidy", "-p", str(build), "--quiet", *EXTRA, entry["file"]],
        capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def main(build, cache):
    entries = json.loads((build / "compile_commands.json").read_text())
    keys = Keys(build)
    cache.mkdir(parents=True, exist_ok=True)
    own = [e for e in entries if pathlib.Path(e["file"]).is_relative_to(ROOT)
           and build not in pathlib.Path(e["file"]).parents]
    todo = [(e, cache / keys.of(e)) for e in own]
    todo = [(e, stamp) for e, stamp in todo if not stamp.exists()]
    print(f"    clang-tidy: {len(todo)} of {len(own)} files have changed", flush=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (_, stamp), complaint in zip(todo, pool.map(lambda t: tidy(build, t[0]), todo)):
            if complaint:
                bad += 1
                print(complaint, flush=True)
            else:
                stamp.touch()
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])))
