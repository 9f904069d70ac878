#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""metric_names.py PAGE RULES DASHBOARD: whatever rules and dashboard name is exported.

PAGE is the page that the exporter is tested to write; RULES may also name what RULES records. The
dashboard's structure is looked at too: panels inside the grid, none over another, every target with
an expression."""
import json
import re
import sys

METRIC = re.compile(r"(?<![:\w])oomwitness_[a-z0-9_]+(?![:\w])")  # records have a colon


def check_grid(panels):
    taken = {}
    for panel in panels:
        grid = panel["gridPos"]
        assert grid["x"] >= 0 and grid["x"] + grid["w"] <= 24, panel["title"]
        for x in range(grid["x"], grid["x"] + grid["w"]):
            for y in range(grid["y"], grid["y"] + grid["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies over {taken[(x, y)]}"
                taken[(x, y)] = panel["title"]
    assert len({panel["id"] for panel in panels}) == len(panels)


def main():
    page, rules, dashboard = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
    exported = set(re.findall(r"^# TYPE (\S+)", page, re.M))
    labels = {}
    for name, inside in re.findall(r"^(\w+)\{(.*)\}", page, re.M):
        labels.setdefault(name, set()).update(re.findall(r'(\w+)="', inside))
    board = json.loads(dashboard)
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(exported) > 20 and len(expressions) > 10, "the inputs are not what they should be"
    text = re.sub(r"#.*", "", rules)
    text = re.sub(r"^\s*(summary|description|- name):.*", "", text, flags=re.M)
    text = re.sub(r'job="oomwitness"', "", text)
    wanted = set(METRIC.findall(text)) | set(METRIC.findall("\n".join(expressions)))
    unknown = sorted(wanted - exported)
    assert not unknown, f"not exported: {', '.join(unknown)}"
    added = {"instance", "job"}
    known = added.union(*labels.values())
    for group in re.findall(r"by \(([^)]*)\)", text + "\n".join(expressions)):
        for label in group.split(","):
            assert label.strip() in known, f"no metric has a label '{label.strip()}'"
    check_grid(board["panels"])
    print(f"{len(wanted)} metrics named, all of them among the {len(exported)} exported")


main()
