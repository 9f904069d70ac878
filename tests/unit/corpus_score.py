#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Scores `oomwitness analyze` on real logs whose values were read by hand, kept outside the repository.

usage: corpus_score.py BINARY PROVOKED
PROVOKED (or OOMWITNESS_CORPUS) is the folder of provoked logs; the labelled ones and score.py lie beside it.
Exit status: 77 when they are not there; 1 when a value is wrong, when one of a log as a machine wrote it is
missing, or when less than 90 % of what people mangled is recovered.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

binary, provoked = sys.argv[1], pathlib.Path(os.environ.get("OOMWITNESS_CORPUS", sys.argv[2]))
root = provoked.parent
if not (root / "score.py").exists():
    print(f"no {root}/score.py (set OOMWITNESS_CORPUS)")
    sys.exit(77)
failed = False
for folder in ("posted", "rewrapped"):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        run = subprocess.run([sys.executable, root / "score.py", binary, root / folder, "--verbose", "--json", out.name])
        mangled = json.loads(pathlib.Path(out.name).read_text()).get("mangled", {})
    seen = sum(mangled.get(k, 0) for k in ("right", "wrong", "missing"))
    failed |= run.returncode != 0 or mangled.get("right", 0) < 0.9 * seen
sys.exit(1 if failed else 0)
