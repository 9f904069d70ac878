#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run clang-tidy over a build's sources, those that changed since they were last found clean.

usage: tidy.py BUILD CACHE

What a source depends on is ninja's own record; its contents, the command and the .clang-tidy files
above it make the key under which a clean result is kept in CACHE. No key knows where the checkout
or the build is, so that one checkout's results serve another. A source that is compiled into
several targets is looked at as the first of them compiles it.
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
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The build is gcc's: clang does not know all of its warnings. Those it gives are not to end the run
# early (clang-tidy makes them errors of its own).
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Qunused-arguments",
         "--extra-arg=-Wno-error"]
START = re.compile(r"(\S+:\d+:\d+: )?(warning|error|note): ")
# A note that only retraces a macro; a count.
CHATTER = re.compile(r".* note: expanded from (macro|here)")
COUNT = re.compile(r"(Suppressed )?\d+ (warnings?|errors?)\b.*|Use -(header-filter|system-headers)")
PROGRESS = 20


def output_of(command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


class Sources:
    """The sources of a build that are this repository's own, and what each depends on."""

    def __init__(self, build):
        self.build = build
        self.entries = {}
        for entry in json.loads((build / "compile_commands.json").read_text()):
            if self.name(pathlib.Path(entry["file"])).startswith("ROOT/"):
                self.entries.setdefault(entry["file"], entry)
        self.deps = self.dependencies()
        self.hashes = {}
        self.version = output_of(["clang-tidy", "--version"])

    def name(self, path):
        """A path as every checkout would write it; empty for what is neither's."""
        for folder, name in ((self.build, "BUILD/"), (ROOT, "ROOT/")):
            if folder in path.parents:
                return name + str(path.relative_to(folder))
        return ""

    def dependencies(self):
        """Object file -> what it was compiled from, of this repository or its build."""
        deps, current = collections.defaultdict(set), ""
        for line in output_of(["ninja", "-C", str(self.build), "-t", "deps"]).splitlines():
            if not line.startswith(" "):
                current = line.split(":")[0]
            elif self.name(path := pathlib.Path(os.path.normpath(self.build / line.strip()))):
                deps[current].add(path)
        return deps

    def hash_of(self, path):
        if path not in self.hashes:
            content = path.read_bytes() if path.exists() else b""
            self.hashes[path] = f"{self.name(path)} {hashlib.sha256(content).hexdigest()}"
        return self.hashes[path]

    def key(self, entry):
        """None when ninja has no record of the source: it was not built yet."""
        made = re.search(r" -o (\S+)", entry["command"])
        deps = self.deps.get(made[1] if made else "")
        if not deps:
            return None
        command = entry["command"].replace(f" -o {made[1]}", "").replace(" -Werror", "")
        command = command.replace(str(self.build), "BUILD").replace(str(ROOT), "ROOT")
        source = pathlib.Path(entry["file"])
        configs = {p / ".clang-tidy" for p in source.parents if p == ROOT or ROOT in p.parents}
        files = {source, *deps, *(c for c in configs if c.exists())}
        parts = [self.version, *EXTRA, command, *sorted(self.hash_of(p) for p in files)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def diagnostics(output):
    """clang-tidy's output, diagnostic by diagnostic: its lines and those of its notes."""
    found, skipping = [], False
    for line in output.replace(f"{ROOT}/", "").splitlines():
        if COUNT.match(line):
            continue
        start = START.match(line)
        if start:
            skipping = bool(CHATTER.match(line))
        if skipping:
            continue
        if found and not (start and start[2] != "note"):
            found[-1].append(line)
        else:
            found.append([line])
    return ["\n".join(lines) for lines in found]


def tidy(commands, source):
    """What clang-tidy has against a source; empty when nothing."""
    run = subprocess.run(["clang-tidy", "-p", commands, "--quiet", *EXTRA, source],
                         capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return []
    return diagnostics(run.stdout + run.stderr) or [f"{source}: clang-tidy: {run.returncode}"]


def run_all(todo):
    """Yields the name of each source as it is done, with what clang-tidy has against it."""
    with (tempfile.TemporaryDirectory() as commands,
          concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool):
        listed = pathlib.Path(commands) / "compile_commands.json"
        listed.write_text(json.dumps(todo))
        jobs = {pool.submit(tidy, commands, e["file"]): e["file"] for e in todo}
        try:
            for job in concurrent.futures.as_completed(jobs):
                yield jobs[job], job.result()
        finally:
            pool.shutdown(cancel_futures=True)


def main(build, cache):
    sources = Sources(build)
    cache.mkdir(parents=True, exist_ok=True)
    stamps = {}
    for source, entry in sources.entries.items():
        key = sources.key(entry)
        stamps[source] = cache / key if key else None
    todo = [e for f, e in sources.entries.items() if not (stamps[f] and stamps[f].exists())]
    print(f"    clang-tidy: {len(todo)} of {len(stamps)} files have changed", flush=True)
    unclean, told = 0, set()
    for done, (source, complaints) in enumerate(run_all(todo), 1):
        unclean += bool(complaints)
        for complaint in complaints:
            # A header's are found again by each source that includes it.
            what = complaint.partition("\n")[0]
            if what not in told:
                print(complaint, flush=True)
            told.add(what)
        if not complaints and stamps[source]:
            stamps[source].touch()
        if done % PROGRESS == 0:
            print(f"    clang-tidy: {done} of {len(todo)}, {unclean} not clean", flush=True)
    return 1 if unclean else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])))
