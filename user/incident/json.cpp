// SPDX-License-Identifier: BSD-2-Clause
#include "incident/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "incident/json_reader.h"
#include "incident/json_writer.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using json_codec::Json;

constexpr std::string_view kSchema = "oomwitness/incident/v1";

}  // namespace

std::string to_json(const Incident& incident) {
  constexpr std::size_t kUsual = 16384;
  std::string line;
  line.reserve(kUsual);
  json_codec::Writer writer(line);
  writer("schema", std::string(kSchema));
  fields(writer, incident);
  writer.close();
  return line;
}

Result<Incident> incident_from_json(std::string_view text) {
  const Json in = Json::parse(text, nullptr, false);
  if (in.is_discarded()) return fail("incident: not valid JSON");
  if (!in.is_object())
    return fail(fmt::format("incident: expected an object, found {}", in.type_name()));
  Opt<std::string> error;
  json_codec::Reader reader(in, "", error);
  std::string schema;
  reader("schema", schema);
  if (!error && schema != kSchema)
    return fail(
        fmt::format("incident: schema: expected '{}', found '{}'", kSchema, schema.substr(0, 64)));
  Incident incident;
  fields(reader, incident);
  if (error) return fail("incident: " + escape_for_terminal(*error));
  if (incident.id.empty()) return fail("incident: id: missing");
  return incident;
}

}  // namespace oomwitness
