#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hold every incident in FOLDERs against docs/incident.schema.json.

usage: validate_incidents.py SCHEMA[,REFERENCED...] FOLDER...

Reads every file below the folders, one JSON object a line. Says how many files and incidents there
were, and fails when one is not valid, or when there was none at all.
"""
import json
import pathlib
import sys

from jsonschema import Draft202012Validator, FormatChecker

from bundle_schema import load_schema

SHOWN_PER_FILE = 3


def problems(validator, line):
    """What is wrong with one line; empty when it is an incident."""
    try:
        incident = json.loads(line)
    except ValueError as error:
        return [f"not JSON: {error}"]
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(incident)]


def validate_file(validator, path):
    """Prints a file's problems; how many incidents it had and how many were wrong."""
    count = wrong = 0
    # Bytes: an incident must be UTF-8, and a NEL or U+2028 inside a string does not end a line.
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        count += 1
        found = problems(validator, line)
        if not found:
            continue
        wrong += 1
        if wrong <= SHOWN_PER_FILE:
            for problem in found:
                print(f"{path}:{number}: {problem}", file=sys.stderr)
    return count, wrong


def main(schema_file, folders):
    schema = load_schema(schema_file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    files = sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*") if path.is_file())
    results = [validate_file(validator, path) for path in files]
    count, wrong = (sum(column) for column in zip(*results)) if results else (0, 0)
    print(f"{count} incidents in {len(files)} files, {wrong} not valid by {schema_file}")
    if count == 0:
        print("error: there is no incident to validate: did any test write one?", file=sys.stderr)
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
