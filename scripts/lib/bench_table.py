#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_table.py OUT RUN...: the Markdown table of the runs in OUT, and OUT/bench.json with all."""
import json
import pathlib
import statistics
import sys

MIB = 1024 * 1024


def ms(value):
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def mib(value):
    return f"{value / MIB:.1f}"


def verdict(held, text):
    """None: the bar does not apply here."""
    return text if held is None else f"{text} · {'held' if held else '**missed**'}"


def startup(m):
    peer = "libbpf-tools_ms"
    if peer not in m:
        return None
    ratio = m["median_ratio"]
    return verdict(ratio <= 1.5, f"{ms(m['oomwitness_ms']['p50'])} : {ms(m[peer]['p50'])} = {ratio:.2f}")


def startup_cpu(m):
    peer = "libbpf-tools_cpu_ms"
    if peer not in m:
        return None
    return f"{ms(m['oomwitness_cpu_ms']['p50'])} : {ms(m[peer]['p50'])}"


def memory(m):
    ours, peer = m["oomwitness"], m.get("libbpf-tools")
    held = (ours["VmRSS_bytes"] <= 6 * MIB and ours["RssAnon_bytes"] <= 1.5 * MIB
            and ours["VmHWM_bytes"] <= 16 * MIB)
    fields = ("VmRSS_bytes", "RssAnon_bytes", "VmHWM_bytes")
    text = " / ".join(mib(ours[f]) for f in fields)
    if peer:
        text += " (" + " / ".join(mib(peer[f]) for f in fields) + ")"
    return verdict(held, text)


def idle(m):
    ours, peer = m["oomwitness"], m.get("libbpf-tools")
    text = f"{ours['voluntary_switches']} / {ours['cpu_ticks']}"
    if peer:
        text += f" ({peer['voluntary_switches']} / {peer['cpu_ticks']})"
    return verdict(ours["voluntary_switches"] == 0 and ours["cpu_ticks"] == 0, text)


def storm(m):
    n = m["kills"]
    held = m["incidents"] == m["serials"] == m["with_cgroup"] == n and m["lost_events"] == 0
    return verdict(held, f"{m['incidents']} incidents, {m['lost_events']} lost, {m['serials']} argv, "
                         f"{m['with_cgroup']} cgroup")


def group(m):
    if "incidents" not in m:
        return None
    held = m["incidents"] == 1 and m["victims"] == m["members"]
    peer = f" ({m['libbpf-tools_lines']} line)" if "libbpf-tools_lines" in m else ""
    return verdict(held, f"{m['incidents']} incident, {m['victims']} victims{peer}")


def overhead(m):
    ratio = m["median_ratio"]
    return verdict(ratio <= 1.05, f"{ms(m['with_ms']['p50'])} : {ms(m['without_ms']['p50'])} = {ratio:.3f}")


def spread(s):
    return f"{s['p50']:.2f} / {s['p99']:.2f} / {s['max']:.2f} ms"


def latency(m):
    return verdict(m["exit_to_line_ms"]["p99"] <= 5, spread(m["exit_to_line_ms"]))


def mark_to_exit(m):
    return spread(m["mark_to_exit_ms"])


def candidates(m):
    d = m["with_dump"]
    return verdict(d["median_ratio"] <= 1.05, f"{ms(d['with_ms']['p50'])} : {ms(d['without_ms']['p50'])} "
                                              f"= {d['median_ratio']:.3f}")


def per_candidate(m):
    d, bare = m["with_dump"], m["without_dump"]
    return (f"{d['added_ns_per_candidate']:.0f} ns; without dump {bare['added_ns_per_candidate']:.0f} ns "
            f"({ms(bare['with_ms']['p50'])} : {ms(bare['without_ms']['p50'])})")


ROWS = [
    ("exec to ready, every hook : libbpf-tools", "≤ 1.5 ×", "startup", startup),
    ("of that, on the CPU in the process itself", "", "startup", startup_cpu),
    ("idle VmRSS / RssAnon / VmHWM, MiB (libbpf-tools)", "≤ 6 / 1.5 / 16", "idle", memory),
    ("60 s idle: voluntary switches / CPU ticks (libbpf-tools)", "0 / 0", "idle", idle),
    ("500 rapid kills", "500, 0 lost, all", "storm", storm),
    ("group kill of 5 (libbpf-tools)", "1 with 5", "group", group),
    ("200 kills with : without the tracer", "≤ 1.05", "overhead", overhead),
    ("last exit to JSON line, p50 / p99 / max", "p99 ≤ 5 ms", "latency", latency),
    ("mark_victim to exit, p50 / p99 / max", "", "latency", mark_to_exit),
    ("kill among 5,000 candidates with : without the tracer", "≤ 1.05", "candidates", candidates),
    ("added for each candidate", "", "candidates", per_candidate),
]


def load_of(folder):
    values = [float(x) for x in (folder / "load").read_text().split()]
    return f"{min(values):.1f} / {statistics.median(values):.1f} / {max(values):.1f}"


def main():
    out = pathlib.Path(sys.argv[1])
    runs = {}
    for name in sys.argv[2:]:
        path = out / name / "bench.json"
        if not path.exists():
            print(f"error: {name} left no results", file=sys.stderr)
            return 1
        runs[name] = json.loads(path.read_text())
        runs[name]["load"] = load_of(out / name)
    (out / "bench.json").write_text(json.dumps(runs, indent=2) + "\n")

    print("| measure | bar | " + " | ".join(runs) + " |")
    print("|---|---|" + "---|" * len(runs))
    for title, bar, name, cell in ROWS:
        cells = []
        for run in runs.values():
            measure = run["measures"].get(name)
            text = cell(measure) if measure is not None and "skipped" not in measure else None
            cells.append(text if text is not None else "-")
        if any(text != "-" for text in cells):
            print(f"| {title} | {bar} | " + " | ".join(cells) + " |")
    for title, value in (("kernel", lambda r: r["host"]["kernel"]),
                         ("CPUs, cgroup", lambda r: f"{r['host']['cpus']}, {r['host']['cgroup']}"),
                         ("load of the machine, min / median / max", lambda r: r["load"])):
        print(f"| {title} | | " + " | ".join(value(run) for run in runs.values()) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
