#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hold docs/incident.schema.json against samples, whole and spoilt.

usage: schema_test.py SCHEMA[,REFERENCED...] FOLDER...

Every JSON line below the folders must be valid; with a key too many in any object that is not a map, or
with any value of another type, it must not be. Every key of the schema must have a description.
"""
import copy
import json
import pathlib
import sys

from jsonschema import Draft202012Validator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from bundle_schema import load_schema  # noqa: E402

MAPS = {"stat", "hooks", "missing", "late", "meminfo"}


def places(value, key=None, path=()):
    """(path, key, value) of every value, the outermost included."""
    yield path, key, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from places(child, name if isinstance(name, str) else key, path + (name,))


def at(document, path):
    for step in path:
        document = document[step]
    return document


def spoilt(document):
    """(what was done, the document with it) for every place."""
    for path, key, value in places(document):
        if isinstance(value, dict) and key not in MAPS and "samples" not in path:
            extra = copy.deepcopy(document)
            at(extra, path)["surprise"] = 1
            yield f"a key too many in {path}", extra
        if path and value is not None:
            other = copy.deepcopy(document)
            at(other, path[:-1])[path[-1]] = None
            yield f"null at {path}", other


def undescribed(schema, definitions):
    """Names of properties without a description of their own or of what they refer to."""
    for path, _, value in places(schema):
        if len(path) < 2 or path[-2] != "properties":
            continue
        target = value
        while "description" not in target and "$ref" in target:
            target = at(definitions, target["$ref"].removeprefix("#/").split("/"))
        if "description" not in target:
            yield "/".join(map(str, path))


def main(schema_files, folders):
    schema = load_schema(schema_files)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    wrong = [f"no description: {name}" for name in undescribed(schema, schema)]
    samples = checks = 0
    for path in sorted(p for folder in folders for p in pathlib.Path(folder).rglob("*.json")):
        for line in path.read_text(encoding="ascii").splitlines():
            document = json.loads(line)
            samples += 1
            wrong += [f"{path}: {e.json_path}: {e.message[:200]}" for e in validator.iter_errors(document)]
            for what, bad in spoilt(document):
                checks += 1
                if validator.is_valid(bad):
                    wrong.append(f"{path}: accepted {what}")
    print(f"{samples} samples, {checks} spoilt ones, {len(wrong)} problems")
    print("\n".join(wrong[:40]))
    return 1 if wrong or not samples else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]) if len(sys.argv) > 2 else __doc__)
