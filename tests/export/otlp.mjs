// SPDX-License-Identifier: BSD-2-Clause
// otlp.mjs EXPORT_TOOL: a collector that decodes what the exporter sends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";
import root from "@opentelemetry/otlp-proto-exporter-base/build/src/generated/root.js";

const service = root.opentelemetry.proto.collector.logs.v1;

function received(tool) {
  return new Promise((resolve, reject) => {
    const requests = [];
    const server = createServer((request, response) => {
      const pieces = [];
      request.on("data", (piece) => pieces.push(piece));
      request.on("end", () => {
        requests.push({ url: request.url, headers: request.headers, body: Buffer.concat(pieces) });
        response.writeHead(200, { "Content-Type": "application/x-protobuf" });
        response.end(service.ExportLogsServiceResponse.encode({}).finish());
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${server.address().port}`;
      const sender = spawn(tool, ["otlp", url], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      sender.stdout.on("data", (piece) => (said += piece));
      sender.on("error", reject);
      sender.on("close", (code) => {
        server.close();
        assert.equal(code, 0, said);
        resolve({ requests, said });
      });
    });
  });
}

// AnyValue to what it holds.
function plain(value) {
  if (value.arrayValue) return value.arrayValue.values.map(plain);
  if (value.intValue !== null && value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue;
}

function attributes(list) {
  const out = {};
  for (const { key, value } of list) {
    assert(!(key in out), `${key} twice`);
    out[key] = plain(value);
  }
  return out;
}

const { requests, said } = await received(process.argv[2]);
assert.equal(requests.length, 1);
const [{ url, headers, body }] = requests;
assert.equal(url, "/v1/logs");
assert.equal(headers["content-type"], "application/x-protobuf");
assert.equal(headers["content-encoding"], "gzip");
const bytes = gunzipSync(body);
const request = service.ExportLogsServiceRequest.decode(bytes);
assert.equal(service.ExportLogsServiceRequest.verify(request), null);
// An unknown field would be lost on the way back.
assert.deepEqual(Buffer.from(service.ExportLogsServiceRequest.encode(request).finish()), bytes);

const records = request.resourceLogs.map((of) => {
  assert.equal(of.scopeLogs.length, 1);
  assert.equal(of.scopeLogs[0].scope.name, "oomwitness");
  assert.equal(of.scopeLogs[0].logRecords.length, 1);
  const [record] = of.scopeLogs[0].logRecords;
  return {
    resource: attributes(of.resource.attributes),
    record,
    attributes: attributes(record.attributes),
  };
});
assert.match(said, new RegExp(`^sent ${records.length} rejected 0`));

for (const { resource, record, attributes: own } of records) {
  assert.equal(resource["os.type"], "linux");
  const now = Date.now() * 1e6;
  assert(Math.abs(Number(record.timeUnixNano) - now) < 60e9, "the time is nanoseconds since 1970");
  assert(Number(record.observedTimeUnixNano) >= Number(record.timeUnixNano));
  assert([9, 13, 17, 21].includes(record.severityNumber));
  assert.match(record.body.stringValue, /^OOM kill[^\x00-\x1f\x7f-\uffff]*$/);
  const incident = JSON.parse(own["oomwitness.incident"]);
  assert.equal(incident.schema, "oomwitness/incident/v1");
  assert.equal(incident.id, own["oomwitness.id"]);
  assert.equal(resource["host.name"], incident.host?.name, "absent when it is not known");
  assert.equal(resource["host.arch"], incident.host?.arch && "amd64");
  assert.equal(own["oomwitness.cause"], incident.diagnosis.cause);
  for (const value of [...Object.values(resource), ...Object.values(own)].flat())
    assert.doesNotMatch(String(value), /[\x00-\x1f\x7f]/, "control bytes are escaped");
}

const [memcg, global] = records;
assert.equal(memcg.resource["process.pid"], 19716);
assert.equal(memcg.resource["process.parent_pid"], 1);
assert.equal(memcg.resource["process.executable.name"], "mongod");
assert.equal(memcg.resource["process.executable.path"], "/usr/bin/mongod");
assert.deepEqual(memcg.resource["process.command_args"].slice(0, 2), ["/usr/bin/mongod", "--config"]);
assert.equal(memcg.resource["process.owner"], "mongodb");
assert.equal(memcg.resource["process.linux.cgroup"], "/system.slice/stack.slice/mongod.service");
assert.equal(memcg.record.severityNumber, 13);
assert.equal(memcg.attributes["oomwitness.memcg"], "/system.slice/stack.slice");
assert.equal(global.record.severityNumber, 17);
assert.equal(global.resource["container.runtime"], "containerd");
assert.match(global.resource["container.id"], /^[0-9a-f]{64}$/);
assert.equal(global.resource["container.name"], "trainer");
assert.equal(global.resource["container.image.name"], "registry.example.org/ml/train:2.1");
assert.equal(global.resource["k8s.pod.name"], "train-7d9f");
assert.equal(global.resource["k8s.namespace.name"], "ml");
assert.equal(global.resource["k8s.container.name"], "trainer");
assert.match(global.resource["k8s.pod.uid"], /^[0-9a-f-]{36}$/);
console.log(`${records.length} records decoded, ${bytes.length} bytes (${body.length} gzipped)`);
