// SPDX-License-Identifier: BSD-2-Clause
// The sections of a report, each written to the page when there is something to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "incident/incident.h"
#include "sink/layout.h"

namespace oomwitness {

void write_headline(Page& page, const Incident& incident);
void write_subject(Page& page, const Incident& incident);
void write_diagnosis(Page& page, const Opt<Diagnosis>& diagnosis);
void write_invoker(Page& page, const Incident& incident);
void write_victims(Page& page, const Incident& incident);
void write_candidates(Page& page, const Incident& incident);
void write_timeline(Page& page, const Incident& incident);
// Everything behind the diagnosis: scope, invoker, victims, candidates, host, timeline, provenance.
void write_body(Page& page, const Incident& incident);

std::string_view confidence_name(Confidence confidence);
// The other causes, as a list.
std::string also_text(const Diagnosis& diagnosis);

// Field by field, why it is missing: "missing", then one reason a line.
void write_missing(Page& page, const Provenance& provenance);

// "java (pid 811)"
std::string process_name(const Page& page, const Opt<std::string>& comm,
                         const Opt<std::uint32_t>& pid, std::string_view more = {});

// Appends ", " between parts; skips empty ones.
void add_part(std::string& list, std::string_view part);

bool is_memcg_kill(const Incident& incident);
bool is_group_kill(const Incident& incident);
// A user-space killer took all of a cgroup and named no process of it.
bool is_whole_cgroup(const Victim& victim);

// What the choice was scaled to (oom_control.totalpages) in bytes, and in words.
std::optional<std::uint64_t> allowance_bytes(const Incident& incident);
std::string_view allowance_name(const Incident& incident);

// "19.7%"; "-" when either is unknown or the whole is 0.
std::string share_of(const std::optional<std::uint64_t>& part,
                     const std::optional<std::uint64_t>& whole);

// anon + file + shmem; absent when none of them is known.
std::optional<std::uint64_t> resident_bytes(const Memory& memory);

}  // namespace oomwitness
