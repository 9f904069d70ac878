#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `oomwitness run` costs, side by side with the same command alone, and in a cgroup by a shell.

usage: run_overhead.py OOMWITNESS [ROUNDS [BUILD_ROUNDS]]

As root, on a host at rest, or ahead of all other work (chrt --fifo 10). Prints one JSON object: the medians of
`true` each way and what is added to the first; the medians of the ratios, round by round, of compiling a source
three times, some hundred MiB each. docs/benchmarks.md has figures.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = """
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <ranges>
#include <regex>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>
int main() {
  std::map<std::string, std::variant<int, std::string, std::vector<double>>> all;
  std::unordered_map<std::string, std::function<int(int)>> more;
  std::regex expression("a(b|c)*d");
  for (auto& each : all | std::views::keys) std::cout << std::regex_match(each, expression) << more.size();
}
"""


def own_cgroup():
    """The folder of this process's memory cgroup."""
    lines = pathlib.Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    v1 = [line.split(":", 2)[2] for line in lines if "memory" in line.split(":", 2)[1].split(",")]
    if v1:
        return pathlib.Path("/sys/fs/cgroup/memory" + v1[0])
    return pathlib.Path("/sys/fs/cgroup" + next(line[3:] for line in lines if line.startswith("0::")))


def wall_ms(argv):
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def ways(program, command, box):
    """The same command, directly in a cgroup and under `run`."""
    join = ["sh", "-c", f'echo 0 >{box}/cgroup.procs && exec "$@"', "sh"]
    return {
        "plain": command,
        "in_a_cgroup": join + command,
        "without_bpf": [program, "run", "--quiet", "--depth", "cgroup", "--"] + command,
        "with_bpf": [program, "run", "--quiet", "--depth", "bpf", "--"] + command,
    }


def measure(program, command, rounds, box):
    times = {way: [] for way in ways(program, command, box)}
    # The first round warms the page cache and is not counted.
    for number in range(rounds + 1):
        for way, argv in ways(program, command, box).items():
            took = wall_ms(argv)
            if number > 0:
                times[way].append(took)
    return times


def main(program, rounds=50, build_rounds=10):
    box = own_cgroup() / f"oomwitness-bench-{os.getpid()}"
    box.mkdir()
    try:
        times = measure(program, ["true"], int(rounds), box)
        medians = {way: statistics.median(each) for way, each in times.items()}
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "source.cpp"
            source.write_text(SOURCE, encoding="utf-8")
            build = measure(program, ["sh", "-c", f"for n in 1 2 3; do c++ -std=c++20 -O2 -c {source} -o /dev/null; done"], int(build_rounds), box)
    finally:
        box.rmdir()
    ratios = {
        way: statistics.median(a / b for a, b in zip(build[way], build["plain"])) for way in ("without_bpf", "with_bpf")
    }
    print(
        json.dumps(
            {
                "kernel": os.uname().release,
                "rounds": int(rounds),
                "true_ms": {way: round(value, 2) for way, value in medians.items()},
                "added_ms": {way: round(medians[way] - medians["plain"], 2) for way in ("without_bpf", "with_bpf")},
                "build_ms": round(statistics.median(build["plain"]), 1),
                "build_ratio": {way: round(value, 4) for way, value in ratios.items()},
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
