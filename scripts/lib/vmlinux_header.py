#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write the vmlinux.h that a BPF program needs, and no more.

usage: vmlinux_header.py HEADER SOURCE KERNEL=BTF... -- CLANG-OPTION...

Compiles SOURCE against an almost empty header, lets the compiler say which type, member or constant
it misses, takes that from the first BTF that has it, and starts again until nothing is missing.
"""
import collections
import pathlib
import re
import subprocess
import sys

from btf import ENUMS, RECORDS, Btf

# What libbpf's own headers take for granted.
SEED = ["__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32", "__s64",
        "__be16", "__be32", "__wsum", "bool"]

MISSING = [  # what clang says -> what is wanted
    (r"no member named '(?P<member>\w+)' in '(?:[\w ]*aka ')?(?:const |volatile )*"
     r"(?P<kind>struct|union) (?P<name>\w+)'", "member"),
    (r"no member named '(?P<member>\w+)' in '.*\(aka '(?:const |volatile )*"
     r"(?P<kind>struct|union) (?P<name>\w+)'\)", "member"),
    (r"incomplete.*type '(?:const |volatile )*(?P<kind>struct|union|enum) (?P<name>\w+)'", "record"),
    (r"incomplete.*aka '(?:const |volatile )*(?P<kind>struct|union|enum) (?P<name>\w+)'", "record"),
    (r"declaration of '(?P<kind>struct|union) (?P<name>\w+)' will not be visible", "forward"),
    (r"unknown type name '(?P<name>\w+)'", "name"),
    (r"use of undeclared identifier '(?P<name>\w+)'", "name"),
]


class Header:
    """The declarations asked for so far, and their text."""

    def __init__(self, btfs):
        self.btfs = btfs
        self.records = collections.defaultdict(dict)  # (kind, name) -> member -> (btf, rank, type)
        self.enums = collections.defaultdict(dict)    # enum's name or first value -> name -> value
        self.forwards, self.typedefs, self.used = set(), set(), set()
        for name in SEED:
            self.want_name(name)

    # ---- what is wanted; each says whether that was news

    def want_name(self, name):
        for kernel, btf in self.btfs:
            if btf.named.get(("TYPEDEF", name)) and name not in self.typedefs:
                self.typedefs.add(name)
                self.used.add(kernel)
                return True
            if name in btf.enumerators:
                enum, value = btf.enumerators[name]
                key = (enum["name"], "" if enum["name"] != "(anon)" else enum["values"][0]["name"])
                self.used.add(kernel)
                return self.enums[key].setdefault(name, value) is value
        return False

    def want_record(self, kind, name):
        if kind == "enum":
            return self.want_enum(name)
        if (kind, name) in self.records:
            return False
        return self.records[kind, name] == {}

    def want_enum(self, name):
        for kernel, btf in self.btfs:
            for enum in btf.named.get(("enum", name), []):
                first = enum["values"][0]
                self.used.add(kernel)
                return not self.enums[name, ""] and self.enums[name, ""].update(
                    {first["name"]: first["val"]}) is None
        return False

    def want_member(self, kind, name, member):
        for rank, (kernel, btf) in enumerate(self.btfs):
            found = btf.record_with(kind, name, member)
            if found and member not in self.records[kind, name]:
                self.records[kind, name][member] = (btf, (rank, found[0]), found[1])
                self.used.add(kernel)
                return True
        return False

    def want(self, message):
        for pattern, what in MISSING:
            match = re.search(pattern, message)
            if not match:
                continue
            asked = match.groupdict()
            if what == "member":
                return self.want_member(asked["kind"], asked["name"], asked["member"])
            if what == "name":
                return self.want_name(asked["name"])
            if what == "forward" and (asked["kind"], asked["name"]) not in self.forwards:
                self.forwards.add((asked["kind"], asked["name"]))
                return True
            return what == "record" and self.want_record(asked["kind"], asked["name"])
        return False

    # ---- text

    def text(self):
        return Writer(self).text()


class Writer:
    """Declarations in an order that C accepts."""

    def __init__(self, header):
        self.header = header
        self.done, self.out, self.forwards = set(), [], set(header.forwards)

    def text(self):
        for name in sorted(self.header.typedefs):
            self.typedef(name)
        for key in sorted(self.header.enums):
            self.enum(key)
        for key in sorted(self.header.records):
            self.record(key)
        forwards = [f"{kind} {name};" for kind, name in sorted(self.forwards)]
        return "\n".join(forwards + [""] + self.out)

    def first(self, key):
        """True once per declaration: it is about to be written."""
        fresh = key not in self.done
        self.done.add(key)
        return fresh

    def enum(self, key):
        if not self.first(("enum", *key)):
            return
        values = sorted(self.header.enums[key].items(), key=lambda item: (item[1], item[0]))
        name = "" if key[0] == "(anon)" else f" {key[0]}"
        self.out.append(f"\nenum{name} {{")
        self.out += [f"\t{name} = {value}{'ULL' if value > 0x7fffffff else ''}," for name, value in values]
        self.out.append("};")

    def typedef(self, name):
        if not self.first(("typedef", name)):
            return
        for _, btf in self.header.btfs:
            if btf.named.get(("TYPEDEF", name)):
                target = btf.named["TYPEDEF", name][0]["type_id"]
                self.out.append(f"typedef {self.declare(btf, target, name)};")
                return

    def record(self, key):
        if not self.first(key):
            return
        members = sorted(self.header.records[key].values(), key=lambda found: found[1])
        lines = [self.member(btf, member) for btf, _, member in members]
        self.out.append("\n".join([f"\n{key[0]} {key[1]} {{", *(f"\t{line};" for line in lines), "};"]))

    def member(self, btf, member):
        bits = f" : {member['bitfield_size']}" if member.get("bitfield_size") else ""
        return self.declare(btf, member["type_id"], member["name"]) + bits

    def declare(self, btf, type_id, name):
        """`name` declared with a type; what it needs by value is written first."""
        t = btf.resolved(type_id)
        if t is None:
            return f"void {name}"
        kind = t["kind"]
        if kind == "PTR":
            return self.pointer(btf, t, name)
        if kind == "ARRAY":
            return self.declare(btf, t["type_id"], f"{name}[{t['nr_elems']}]")
        if kind in RECORDS or kind == "FWD":
            return f"{self.by_value(btf, t)} {name}"
        if kind in ENUMS:
            return f"{self.enum_type(t)} {name}"
        if kind == "TYPEDEF":
            self.typedef(t["name"])
        return f"{t['name']} {name}"

    def pointer(self, btf, pointer, name):
        target = btf.resolved(pointer.get("type_id", 0))
        if target is None or target["kind"] == "FUNC_PROTO":
            return f"void *{name}"
        if target["kind"] in RECORDS or target["kind"] == "FWD":
            if target["name"] == "(anon)":
                return f"void *{name}"
            kind = RECORDS.get(target["kind"], target.get("fwd_kind", "struct"))
            self.forwards.add((kind, target["name"]))
            return f"{kind} {target['name']} *{name}"
        wrapped = f"(*{name})" if target["kind"] == "ARRAY" else f"*{name}"
        return self.declare(btf, pointer["type_id"], wrapped)

    def by_value(self, btf, t):
        kind = RECORDS[t["kind"]]
        if t["name"] != "(anon)":
            self.record((kind, t["name"]))
            return f"{kind} {t['name']}"
        body = "; ".join(self.member(btf, member) for member in btf.members(t))
        return f"{kind} {{ {body}; }}"

    def enum_type(self, t):
        if t["name"] == "(anon)":
            return "unsigned int"
        self.header.want_enum(t["name"])
        self.enum((t["name"], ""))
        return f"enum {t['name']}"


def write(path, header):
    body = header.text()
    path.write_text(f"""/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 * Made by scripts/vmlinux.sh: do not edit. The kernel's types as far as bpf/ uses them, from the
 * BTF of {', '.join(kernel for kernel, _ in header.btfs if kernel in header.used)}.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)

{body}
#pragma clang attribute pop

#endif /* __VMLINUX_H__ */
""", encoding="utf-8")


def clang(mode, source, include, options):
    return subprocess.run(
        ["clang", "-target", "bpf", mode, "-ferror-limit=0", "-fno-color-diagnostics",
         f"-I{include}", *options, str(source)], capture_output=True, text=True, check=False)


def asked_whole(source, include, options):
    """Records in bpf_core_type_size and the like: clang takes a bare forward declaration there, and
    libbpf then refuses the object."""
    text = clang("-E", source, include, options).stdout
    return re.findall(r"__builtin_preserve_type_info\(\*\(typeof\((struct|union) (\w+)\)", text)


def complaints(source, include, options):
    run = clang("-fsyntax-only", source, include, options)
    found = [line for line in run.stderr.splitlines() if re.search(r": (error|fatal error|warning):", line)]
    return run.returncode, found


def main(target, source, kernels, options):
    header = Header([(kernel, Btf(path)) for kernel, path in kernels])
    target.parent.mkdir(parents=True, exist_ok=True)
    while True:
        write(target, header)
        code, found = complaints(source, target.parent, options)
        news = [header.want(line) for line in found]
        news += [header.want_record(*key) for key in asked_whole(source, target.parent, options)
                 if "___" not in key[1]]  # flavours are the source's own
        if not any(news):
            break
    if code:
        print("\n".join(found), file=sys.stderr)
        print(f"error: no BTF given has what {source} still misses", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if "--" not in sys.argv or sys.argv.index("--") < 4:
        sys.exit(__doc__)
    split = sys.argv.index("--")
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]),
                  [arg.split("=", 1) for arg in sys.argv[3:split]], sys.argv[split + 1:]))
