// SPDX-License-Identifier: BSD-2-Clause
// kubernetes.mjs FILE: each document by the schema of its kind. The schema lets unknown fields pass,
// as the API server of old did: a field that the validator never looks at is one that is not there.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { DaemonSet } from "kubernetes-models/apps/v1";
import { ConfigMap, Namespace } from "kubernetes-models/v1";

const kinds = { DaemonSet, ConfigMap, Namespace };

function watched(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const copy = Array.isArray(value) ? [] : {};
  for (const [key, inner] of Object.entries(value)) {
    const at = `${path}/${key}`;
    unread.add(at);
    const child = watched(inner, at, unread);
    Object.defineProperty(copy, key, {
      enumerable: true,
      configurable: true,
      get: () => {
        unread.delete(at);
        return child;
      },
    });
  }
  return copy;
}

let failed = false;
for (const document of parseAllDocuments(readFileSync(process.argv[2], "utf8"))) {
  const manifest = document.toJS();
  const name = `${manifest.kind}/${manifest.metadata?.name}`;
  const complaints = document.errors.map(String);
  const Kind = kinds[manifest.kind];
  if (Kind === undefined) {
    complaints.push("no schema for this kind");
  } else {
    const unread = new Set();
    const model = Object.create(Kind.prototype, Object.getOwnPropertyDescriptors(watched(manifest, "", unread)));
    try {
      model.validate();
    } catch (error) {
      complaints.push(error.message);
    }
    for (const at of unread) complaints.push(`${at}: no such field`);
  }
  console.log(complaints.length === 0 ? `ok ${name}` : `${name}:\n  ${complaints.join("\n  ")}`);
  failed ||= complaints.length > 0;
}
process.exit(failed ? 1 : 0);
