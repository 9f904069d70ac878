#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_log.py OOMWITNESS FIXTURES OUT [--bytes N] [--rounds N] [--folder DIR]

Times `oomwitness analyze` on large logs in the page cache, in turn with grep where that can be compared.
The logs are made in DIR, the same every time: ordinary lines of a syslog with the reports of FIXTURES
(raw /dev/kmsg records) between them. Prints a Markdown table; the numbers go to OUT/bench.json.
"""
import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
RECORD = re.compile(r"(\d+),(\d+),(\d+),[^;]*;(.*)")
ORDINARY = [
    "sshd[%d]: Accepted publickey for deploy from 10.0.3.%d port 5%d ssh2: ED25519 SHA256:Zx9",
    "systemd[1]: Started Session %d of user root %d.%d.",
    "CRON[%d]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 %d %d)",
    "postfix/smtpd[%d]: connect from unknown[192.168.%d.%d]",
    "nginx[%d]: GET /api/v1/items/%d?limit=%d HTTP/1.1 200",
    "dhclient[%d]: DHCPREQUEST for 10.1.%d.%d on eth0 to 10.1.0.1 port 67",
    'containerd[%d]: level=info msg="shim disconnected" id=%d%d namespace=k8s.io',
    "kernel: [%d.%06d] device veth%d entered promiscuous mode",
]
BLOCK_LINES = 200_000


def stamp(second):
    return time.strftime("%b %d %H:%M:%S web1 ", time.gmtime(1_764_000_000 + second))


def block(rng):
    """Ordinary lines, and where each begins."""
    lines = []
    for i in range(BLOCK_LINES):
        text = ORDINARY[rng.randrange(len(ORDINARY))]
        lines.append(stamp(i // 7) + text % tuple(rng.randrange(1, 255) for _ in range(3)) + "\n")
    return lines


def reports(folder):
    """The messages of each fixture."""
    found = []
    for path in sorted(folder.glob("*.kmsg")):
        records = (RECORD.match(line) for line in path.read_text(errors="replace").splitlines())
        found.append([(int(r[3]), r[4]) for r in records if r])
    return found


def as_syslog(report, second):
    """Stamps go on from report to report, or a reader would see one kill many times."""
    first = report[0][0]
    out = []
    for us, text in report:
        at = second * 1_000_000 + us - first
        out.append(f"{stamp(second)}kernel: [{at // 1_000_000:5d}.{at % 1_000_000:06d}] {text}\n")
    return out


def mixed(path, size, rng, kills):
    """`size` bytes of which one line in a thousand is of a report. How many lines, reports."""
    lines = block(rng)
    written = count = oom = told = 0
    with path.open("w", encoding="utf-8", errors="replace") as out:
        while written < size:
            begin = 0
            while begin < len(lines) and written < size:
                report = as_syslog(kills[told % len(kills)], told)
                told += 1
                room = 999 * len(report)
                text = "".join(lines[begin:begin + room]) + "".join(report)
                begin += room
                out.write(text)
                written += len(text)
                count += min(room, len(lines)) + len(report)
                oom += len(report)
    return {"bytes": path.stat().st_size, "reports": told, "oom_lines": oom}


def kill_lines(path, size, rng, kills):
    """The hardest mix: each report is one line, so that a line in a thousand begins one."""
    lines = block(rng)
    kill = [text for _, text in kills[0] if "Killed process" in text][0]
    written = told = 0
    with path.open("w", encoding="utf-8") as out:
        while written < size:
            for begin in range(0, len(lines), 999):
                text = "".join(lines[begin:begin + 999])
                text += f"{stamp(told * 3)}kernel: [{told * 3:5d}.000001] " + kill + "\n"
                told += 1
                out.write(text)
                written += len(text)
    return {"bytes": path.stat().st_size, "reports": told, "oom_lines": told}


def nothing_else(path, size, _rng, kills):
    written = told = 0
    with path.open("w", encoding="utf-8", errors="replace") as out:
        while written < size:
            text = "".join(as_syslog(kills[told % len(kills)], told * 2))
            told += 1
            out.write(text)
            written += len(text)
    return {"bytes": path.stat().st_size, "reports": told}


def run(command, stdout):
    """Wall and CPU seconds, peak memory, lines of output."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=stdout, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    peak = 0
    while True:
        pid, _, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        try:
            status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
            peak = max([peak] + [int(kb) * 1024 for kb in re.findall(r"VmHWM:\s+(\d+)", status)])
        except OSError:
            pass
        time.sleep(0.002)
    wall = time.monotonic() - began
    return {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime, "VmHWM_bytes": peak}


def take(binary, log, rounds, with_grep):
    ours, grep, ratios, cpu_ratios = [], [], [], []
    # A file: grep that writes to /dev/null stops at the first match.
    with tempfile.TemporaryFile(dir=log.parent) as sink:
        run(["/bin/cat", str(log)], subprocess.DEVNULL)  # into the page cache
        for _ in range(rounds):
            ours.append(run([binary, "analyze", "--json", str(log)], sink))
            if with_grep:
                grep.append(run(["/bin/grep", "-c", "-F", "oom", str(log)], sink))
                ratios.append(grep[-1]["wall_s"] / ours[-1]["wall_s"])
                cpu_ratios.append(grep[-1]["cpu_s"] / ours[-1]["cpu_s"])
    size = log.stat().st_size
    result = {"oomwitness": ours, "median_MiB_per_s": size / MIB / statistics.median(r["cpu_s"] for r in ours),
              "VmHWM_bytes": max(r["VmHWM_bytes"] for r in ours)}
    if with_grep:
        result |= {"grep": grep, "median_ratio": statistics.median(ratios),
                   "median_cpu_ratio": statistics.median(cpu_ratios),
                   "grep_MiB_per_s": size / MIB / statistics.median(r["cpu_s"] for r in grep)}
    return result


def verdict(held):
    return "held" if held else "**missed**"


def row(title, bar, m):
    if "median_ratio" in m:
        what = (f"{m['median_MiB_per_s']:,.0f} : {m['grep_MiB_per_s']:,.0f} MiB/s of CPU time = "
                f"{m['median_cpu_ratio']:.2f}; by the clock {m['median_ratio']:.2f}")
        held = min(m["median_ratio"], m["median_cpu_ratio"]) >= 3
    else:
        what = f"{m['median_MiB_per_s']:,.0f} MiB/s"
        held = m["median_MiB_per_s"] >= 200
    return f"| {title} | {bar} | {what} · {verdict(held)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("fixtures", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--bytes", type=int, default=2048 * MIB)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    args = parser.parse_args()
    kills = reports(args.fixtures)
    if not kills:
        print(f"error: {args.fixtures} has no *.kmsg", file=sys.stderr)
        return 1
    logs = {"mixed": (mixed, args.bytes), "quarter": (mixed, args.bytes // 4),
            "kill_lines": (kill_lines, args.bytes), "nothing_else": (nothing_else, args.bytes // 8)}
    measures = {}
    for name, (make, size) in logs.items():
        path = args.folder / f"{name}.log"
        facts = make(path, size, random.Random(1), kills)
        measures[name] = facts | take(args.binary, path, args.rounds, name in ("mixed", "kill_lines"))
        path.unlink()
    args.out.mkdir(parents=True, exist_ok=True)
    measures["load"] = os.getloadavg()[0]
    (args.out / "bench.json").write_text(json.dumps(measures, indent=2) + "\n")
    gib = args.bytes / (1 << 30)
    print("| measure | bar | result |\n|---|---|---|")
    print(row(f"{gib:g} GiB, 0.1 % of the lines of reports, page cache, one thread : "
              "`LC_ALL=C grep -c -F oom`", "≥ 3 ×", measures["mixed"]))
    print(row("the same with every report cut down to its kill line", "≥ 3 ×", measures["kill_lines"]))
    print(row("nothing but reports", "≥ 200 MiB/s", measures["nothing_else"]))
    peaks = [measures[name]["VmHWM_bytes"] / MIB for name in ("mixed", "quarter", "nothing_else")]
    print(f"| VmHWM on {gib:g} GiB / a quarter of it / nothing but reports, MiB | ≤ 32 | "
          f"{' / '.join(f'{p:.1f}' for p in peaks)} · {verdict(max(peaks) <= 32)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
