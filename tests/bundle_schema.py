# SPDX-License-Identifier: BSD-2-Clause
"""A schema with the ones it refers to inside: jsonschema 4.10 cannot follow relative references in a "urn:"."""
import json
import pathlib


def rebased(value, prefix):
    """The schema with every "#/..." reference below `prefix`."""
    if isinstance(value, list):
        return [rebased(each, prefix) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: prefix + each[1:] if key == "$ref" and each.startswith("#/") else rebased(each, prefix)
        for key, each in value.items()
    }


def redirected(value, identity, prefix):
    """The schema with every reference into the one called `identity` below `prefix`."""
    if isinstance(value, list):
        return [redirected(each, identity, prefix) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: prefix + each[len(identity) :].removeprefix("#")
        if key == "$ref" and each.startswith(identity)
        else redirected(each, identity, prefix)
        for key, each in value.items()
    }


def load_schema(names):
    """The schema in the first of the comma-separated files, with those in the others inside."""
    schema, *others = [json.loads(pathlib.Path(name).read_text(encoding="utf-8")) for name in names.split(",")]
    for number, other in enumerate(others):
        prefix = f"#/$defs/bundled{number}"
        inside = rebased(other, prefix)
        identity = inside.pop("$id")
        schema = redirected(schema, identity, prefix)
        schema["$defs"][f"bundled{number}"] = inside
    return schema
