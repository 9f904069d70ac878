// SPDX-License-Identifier: BSD-2-Clause
// junit_readers.mjs FOLDER: what two readers see in each file, against what the file's name stands for.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as read } from "junit2json";
import { parse as readResults } from "test-results-parser";

const folder = process.argv[2];
// All others are failures.
const good = new Set(["success.xml", "bare.xml", "allowed_oom.xml"]);
const errors = new Set(["not_run.xml"]);

let failed = 0;
function expect(file, what, actual, expected) {
  if (actual === expected) return;
  console.log(`${file}: ${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  failed += 1;
}

const files = readdirSync(folder).filter((name) => name.endsWith(".xml"));
for (const file of files) {
  const path = join(folder, file);
  const bad = !good.has(file);

  const suites = await read(readFileSync(path, "utf8"));
  const suite = suites.testsuite[0];
  const test = suite.testcase[0];
  expect(file, "tests", Number(suite.tests), 1);
  expect(file, "failures", Number(suite.failures), bad && !errors.has(file) ? 1 : 0);
  expect(file, "errors", Number(suite.errors), errors.has(file) ? 1 : 0);
  expect(file, "classname", test.classname, "oomwitness.run");
  const told = test.failure ?? test.error;
  expect(file, "told", told !== undefined, bad);
  if (file === "hidden_oom.xml") {
    expect(file, "type", told[0].type, "oom");
    expect(file, "message", told[0].message.startsWith("OOM kill: cc1plus (pid 811) was killed"), true);
    expect(file, "the incident is there", told[0].inner.includes("Scope: the limit of a memory cgroup"), true);
  }

  const result = readResults({ type: "junit", files: [path] });
  expect(file, "total", result.total, 1);
  expect(file, "status", result.status, bad ? "FAIL" : "PASS");
  expect(file, "passed", result.passed, bad ? 0 : 1);
  expect(file, "the same name", String(result.suites[0].cases[0].name).trim(), test.name.trim());
}
console.log(`${files.length} files, ${failed} differences`);
process.exit(files.length > 0 && failed === 0 ? 0 : 1);
