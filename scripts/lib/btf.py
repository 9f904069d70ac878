# SPDX-License-Identifier: BSD-2-Clause
"""A kernel's type information (BTF), as bpftool prints it."""
import collections
import json
import subprocess

RECORDS = {"STRUCT": "struct", "UNION": "union"}
ENUMS = ("ENUM", "ENUM64")
TRANSPARENT = ("CONST", "VOLATILE", "RESTRICT", "TYPE_TAG")


class Btf:
    """Types by id and by name, and enumerators by name."""

    def __init__(self, path):
        dump = subprocess.run(["bpftool", "btf", "dump", "-j", "file", str(path)], check=True,
                              capture_output=True).stdout
        self.types = {t["id"]: t for t in json.loads(dump)["types"]}
        self.named = collections.defaultdict(list)
        self.enumerators = {}
        for t in self.types.values():
            kind = RECORDS.get(t["kind"], "enum" if t["kind"] in ENUMS else t["kind"])
            if t["name"] != "(anon)":
                self.named[kind, t["name"]].append(t)
            if kind == "enum":
                for value in t.get("values", []):
                    self.enumerators.setdefault(value["name"], (t, value["val"]))

    def resolved(self, type_id):
        """The type behind const, volatile and the like; None for void."""
        t = self.types.get(type_id)
        while t and t["kind"] in TRANSPARENT:
            t = self.types.get(t["type_id"])
        return t

    def members(self, record):
        """A record's members; those of unnamed inner records as if they were its own."""
        for member in record.get("members", []):
            inner = self.resolved(member["type_id"])
            if member["name"] == "(anon)" and inner and inner["kind"] in RECORDS:
                yield from self.members(inner)
            else:
                yield member

    def record_with(self, kind, name, wanted):
        """(record, member) of the first record of that name that has it; None when none has."""
        for record in self.named.get((kind, name), []):
            for position, member in enumerate(self.members(record)):
                if member["name"] == wanted:
                    return position, member
        return None
