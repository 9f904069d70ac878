#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""journal_entries.py FILE: what `journalctl -o json` gives of the sample incidents."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as lines:
    entries = [json.loads(line) for line in lines]
assert len(entries) == 10, f"{len(entries)} entries"
for entry in entries:
    # journalctl gives bytes that are no text as a list of numbers.
    assert all(isinstance(value, str) for name, value in entry.items() if name.startswith("OOMW")), entry
    assert entry["SYSLOG_IDENTIFIER"] == "oomwitness"
    assert entry["PRIORITY"] in "2346"
    assert entry["MESSAGE"].startswith("OOM kill")
    incident = json.loads(entry["OOMWITNESS_JSON"])
    assert incident["id"] == entry["OOMWITNESS_ID"]
    assert incident["diagnosis"]["cause"] == entry["OOMWITNESS_CAUSE"]
    assert "CODE_FILE" not in entry
first = entries[0]
assert first["OOMWITNESS_VICTIM_COMM"] == "mongod" and first["OOMWITNESS_VICTIM_PID"] == "19716"
assert first["OOMWITNESS_MEMCG_LIMIT_BYTES"] == str(512 << 20)
print(f"{len(entries)} entries, {len(first)} fields in the first")
