// SPDX-License-Identifier: BSD-2-Clause
// Names and figures as parts of sentences. Every name of a process, cgroup or unit that gets into a
// Diagnosis passes here and is escaped here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diagnose/facts.h"

namespace oomwitness {

std::string safe_name(std::string_view bytes);

// "java (pid 811)", "a process (pid 7)"
std::string task_text(const Opt<std::string>& comm, const Opt<std::uint32_t>& pid);
std::string task_text(const Victim& victim);
// "java (pid 811)", "the 40 tasks named php-fpm"
std::string holder_text(const Holder& holder);
std::string limit_name(const Facts& facts);  // "/system.slice/db.service", "a cgroup"

std::string percent(double share);  // "19.7%", "0.04%"
// "401 MiB", with ", 78.3% of the limit" where the capacity is known.
std::string held_text(const Facts& facts, const Opt<std::uint64_t>& bytes);
// "12.3 GiB, 41.0% of RAM"
std::string of_ram_text(const Facts& facts, std::uint64_t bytes);
std::string of_limit_text(const Facts& facts, std::uint64_t bytes);

// Sentences every diagnosis may have, empty where the record has nothing to say.
std::string who_died(const Facts& facts);
std::string who_held_most(const Facts& facts);
std::string why_not_the_largest(const Facts& facts);
std::string counterfactual(const Facts& facts);
std::string score_sentence(const Facts& facts);
std::string what_it_freed(const Facts& facts);
std::string swap_sentence(const Facts& facts);
std::string request_sentence(const Facts& facts);

}  // namespace oomwitness
