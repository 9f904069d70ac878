#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the agent costs while nothing happens: wake-ups, CPU time and memory, beside many cgroups.

usage: agent_idle.py OOMWITNESS-AGENT [--cgroups N] [--seconds S] [--config TEXT]

Needs root and a memory cgroup hierarchy, of either version, in which cgroups can be made; each gets a
process that sleeps. Prints one JSON object; exit code 1 when a bar of docs/benchmarks.md is missed.
"""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

BARS = {"cpu_percent": 0.1, "wakeups_per_s": 1.0, "rss_anon_mib": 6.0}


def memory_hierarchy():
    """(mount point, version) of the memory controller, from /proc/self/mountinfo."""
    unified = None
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup" and "memory" in options.split(","):
            return left.split()[4], 1
        if kind == "cgroup2":
            unified = left.split()[4]
    if unified is None:
        sys.exit("no memory cgroup hierarchy is mounted")
    return unified, 2


class Cgroups:
    """Cgroups with a sleeping process each, gone at the end."""

    def __init__(self, count):
        mount, version = memory_hierarchy()
        self.top = pathlib.Path(mount) / f"oomwitness-bench-{os.getpid()}"
        self.top.mkdir()
        self.sleepers = []
        if version == 2:
            (self.top / "cgroup.subtree_control").write_text("+memory")
        for n in range(count):
            folder = self.top / f"service-{n}"
            folder.mkdir()
            sleeper = subprocess.Popen(["sleep", "infinity"])
            (folder / "cgroup.procs").write_text(str(sleeper.pid))
            self.sleepers.append(sleeper)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sleeper in self.sleepers:
            sleeper.kill()
        for sleeper in self.sleepers:
            sleeper.wait()
        for folder in sorted(self.top.rglob("*/"), reverse=True):
            folder.rmdir()
        self.top.rmdir()


def activity(pid):
    """(switches, CPU ns) summed over the threads."""
    switches = cpu = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith(("voluntary_ctxt", "nonvoluntary_ctxt")):
                switches += int(line.split()[1])
        cpu += int((task / "schedstat").read_text().split()[0])
    return switches, cpu


def kills():
    for line in pathlib.Path("/proc/vmstat").read_text().splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return 0


def rss_anon(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def start(agent, config):
    """The agent, when it has said that it watches."""
    child = subprocess.Popen([agent, "--config", config], stderr=subprocess.PIPE, text=True)
    for line in child.stderr:
        print(line, end="", file=sys.stderr)
        if "watching" in line:
            return child
    sys.exit("the agent ended before it watched")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("agent")
    parser.add_argument("--cgroups", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--config", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Cgroups(options.cgroups):
        config = pathlib.Path(folder) / "config.toml"
        config.write_text(f'[store]\npath = "{folder}/incidents.db"\n{options.config}\n')
        child = start(options.agent, str(config))
        try:
            time.sleep(5)  # what the start left to do
            before, began, killed = activity(child.pid), time.monotonic(), kills()
            time.sleep(options.seconds)
            after, passed = activity(child.pid), time.monotonic() - began
            if kills() != killed:
                sys.exit("processes were killed meanwhile: this host was not idle")
            result = {
                "cgroups": options.cgroups,
                "seconds": round(passed, 1),
                "wakeups_per_s": round((after[0] - before[0]) / passed, 3),
                "cpu_percent": round((after[1] - before[1]) / passed / 1e7, 4),
                "rss_anon_mib": round(rss_anon(child.pid), 2),
            }
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait()
    missed = [name for name, bar in BARS.items() if result[name] > bar]
    print(json.dumps({**result, "missed": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
