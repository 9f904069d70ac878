// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/runtime_json.h"

#include <algorithm>
#include <initializer_list>

#include <nlohmann/json.hpp>

namespace oomwitness {
namespace {

using Json = nlohmann::json;
using Keys = std::initializer_list<std::string_view>;

// Keeps the top-level members named and drops the rest while parsing: an OCI config is mostly
// mounts and seccomp rules, and memory is what the host has just run out of.
Result<Json> parse_members(std::string_view text, Keys wanted) {
  const auto keep = [wanted](int depth, Json::parse_event_t event, Json& parsed) {
    if (event != Json::parse_event_t::key || depth != 1) return true;
    const auto* key = parsed.get_ptr<const Json::string_t*>();
    return key != nullptr && std::find(wanted.begin(), wanted.end(), *key) != wanted.end();
  };
  auto json = Json::parse(text, keep, false);
  if (!json.is_object()) return fail("not a JSON object");
  return json;
}

const Json* member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(key));
  return found == object.end() ? nullptr : &*found;
}

// The first of `keys` that is a string and not empty.
std::string text_of(const Json* object, Keys keys) {
  for (const std::string_view key : keys) {
    const Json* value = object != nullptr ? member(*object, key) : nullptr;
    const auto* text = value != nullptr ? value->get_ptr<const Json::string_t*>() : nullptr;
    if (text != nullptr && !text->empty()) return *text;
  }
  return {};
}

}  // namespace

Result<RuntimeRecord> parse_docker_config(std::string_view text) {
  TRY(const auto json, parse_members(text, {"Name", "Config"}));
  const Json* config = member(json, "Config");
  const Json* labels = config != nullptr ? member(*config, "Labels") : nullptr;
  RuntimeRecord record;
  record.runtime = "docker";
  record.name = text_of(&json, {"Name"});
  if (record.name.starts_with('/')) record.name.erase(0, 1);
  record.image = text_of(config, {"Image"});
  record.pod.name = text_of(labels, {"io.kubernetes.pod.name"});
  record.pod.ns = text_of(labels, {"io.kubernetes.pod.namespace"});
  record.pod.uid = text_of(labels, {"io.kubernetes.pod.uid"});
  record.pod.container = text_of(labels, {"io.kubernetes.container.name"});
  return record;
}

Result<RuntimeRecord> parse_oci_config(std::string_view text) {
  TRY(const auto json, parse_members(text, {"annotations"}));
  const Json* notes = member(json, "annotations");
  RuntimeRecord record;
  const std::string manager = text_of(notes, {"io.container.manager"});
  record.runtime = manager == "libpod" ? "podman" : manager;  // CRI-O and podman name themselves
  record.pod.name = text_of(notes, {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"});
  record.pod.ns =
      text_of(notes, {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"});
  // containerd has the uid since 1.6.11 and 1.7.0 (containerd pull requests 7735, 7697).
  record.pod.uid = text_of(notes, {"io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"});
  record.pod.container =
      text_of(notes, {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"});
  record.image = text_of(notes, {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName",
                                 "io.kubernetes.cri-o.Image"});
  record.name =
      !record.pod.container.empty() ? record.pod.container : text_of(notes, {"nerdctl/name"});
  return record;
}

Result<Opt<RuntimeRecord>> parse_storage_index(std::string_view text, std::string_view id) {
  const auto index = Json::parse(text, nullptr, false);
  if (!index.is_array()) return fail("not a JSON array");
  for (const Json& entry : index) {
    if (text_of(&entry, {"id"}) != id) continue;
    RuntimeRecord record;
    const auto about = Json::parse(text_of(&entry, {"metadata"}), nullptr, false);
    record.image = text_of(&about, {"image-name"});
    record.name = text_of(&about, {"name"});
    const Json* names = member(entry, "names");
    if (record.name.empty() && names != nullptr && names->is_array() && !names->empty())
      if (const auto* first = names->front().get_ptr<const Json::string_t*>()) record.name = *first;
    return Opt<RuntimeRecord>(std::move(record));
  }
  return Opt<RuntimeRecord>();
}

}  // namespace oomwitness
