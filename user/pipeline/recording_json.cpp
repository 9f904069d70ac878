// SPDX-License-Identifier: BSD-2-Clause
// The JSON payloads of a recording.
#include <nlohmann/json.hpp>

#include "pipeline/recording.h"

namespace oomwitness {
namespace {

using nlohmann::ordered_json;

constexpr const char* kVersion = "oomwitness/recording/v1";

ordered_json parse(std::string_view text) {
  return ordered_json::parse(text, nullptr, false);
}

// Keeps `out` where the key is missing or of another type.
template <typename T>
void read(const ordered_json& from, const char* key, T& out) {
  const auto it = from.find(key);
  if (it == from.end()) return;
  if constexpr (std::is_same_v<T, bool>) {
    if (it->is_boolean()) out = it->template get<bool>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (it->is_string()) out = it->template get<std::string>();
  } else {
    if (it->is_number_integer()) out = it->template get<T>();
  }
}

void read(const ordered_json& from, const char* key, std::map<std::string, std::string>& out) {
  const auto it = from.find(key);
  if (it == from.end() || !it->is_object()) return;
  for (const auto& [name, value] : it->items()) {
    if (value.is_string()) out[name] = value.get<std::string>();
  }
}

void read(const ordered_json& from, const char* key, std::vector<std::string>& out) {
  const auto it = from.find(key);
  if (it == from.end() || !it->is_array()) return;
  for (const auto& value : *it) {
    if (value.is_string()) out.push_back(value.get<std::string>());
  }
}

}  // namespace

std::string facts_to_json(const SessionFacts& facts) {
  const AssemblerConfig& config = facts.assembler;
  ordered_json out{{"recording", kVersion},
                   {"settle_ns", config.settle_ns},
                   {"expect_proc_facts", config.expect_proc_facts},
                   {"expect_memcg_stat", config.expect_memcg_stat},
                   {"expect_system", config.expect_system},
                   {"expect_log", config.expect_log},
                   {"unix_minus_monotonic_ns", config.unix_minus_monotonic_ns},
                   {"unix_minus_boottime_ns", config.unix_minus_boottime_ns},
                   {"name", config.host.name},
                   {"boot_id", config.host.boot_id},
                   {"kernel", config.host.kernel},
                   {"arch", config.host.arch},
                   {"page_size", config.host.page_size_bytes},
                   {"hooks", config.hooks},
                   {"sources", config.sources},
                   {"missing", config.missing}};
  out["gfp"] = ordered_json::array();
  for (const GfpName& flag : facts.gfp) {
    out["gfp"].push_back({{"mask", flag.mask}, {"name", flag.name}});
  }
  return out.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

Result<SessionFacts> facts_from_json(std::string_view text) {
  const auto in = parse(text);
  std::string version;
  if (in.is_object()) read(in, "recording", version);
  if (version != kVersion) {
    return fail("recording of version '" + version + "', this program reads " + kVersion);
  }
  SessionFacts facts;
  AssemblerConfig& config = facts.assembler;
  read(in, "settle_ns", config.settle_ns);
  read(in, "expect_proc_facts", config.expect_proc_facts);
  read(in, "expect_memcg_stat", config.expect_memcg_stat);
  read(in, "expect_system", config.expect_system);
  read(in, "expect_log", config.expect_log);
  read(in, "unix_minus_monotonic_ns", config.unix_minus_monotonic_ns);
  read(in, "unix_minus_boottime_ns", config.unix_minus_boottime_ns);
  read(in, "name", config.host.name);
  read(in, "boot_id", config.host.boot_id);
  read(in, "kernel", config.host.kernel);
  read(in, "arch", config.host.arch);
  read(in, "page_size", config.host.page_size_bytes);
  read(in, "hooks", config.hooks);
  read(in, "sources", config.sources);
  read(in, "missing", config.missing);
  if (config.host.page_size_bytes == 0) return fail("recording without a page size");
  config.page_size = config.host.page_size_bytes;
  for (const auto& flag : in.value("gfp", ordered_json::array())) {
    GfpName name;
    if (!flag.is_object()) continue;
    read(flag, "mask", name.mask);
    read(flag, "name", name.name);
    facts.gfp.push_back(std::move(name));
  }
  return facts;
}

Status RecordingWriter::symbols(std::uint64_t now_ns, const SymbolNames& names) {
  ordered_json out = ordered_json::object();
  for (const auto& [address, name] : names) out[std::to_string(address)] = name;
  const std::string text = out.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  return write(FrameType::kSymbols, now_ns, std::as_bytes(std::span(text)));
}

Result<SymbolNames> symbols_from_json(std::string_view text) {
  const auto in = parse(text);
  if (!in.is_object()) return fail("recorded symbols: not a JSON object");
  SymbolNames names;
  for (const auto& [address, name] : in.items()) {
    if (!name.is_string()) continue;
    names[std::strtoull(address.c_str(), nullptr, 10)] = name.get<std::string>();
  }
  return names;
}

}  // namespace oomwitness
