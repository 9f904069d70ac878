// SPDX-License-Identifier: BSD-2-Clause
// Raw records inside a page: as a data: URL of a gzip file. Pure.
#pragma once

#include <string>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// "data:application/gzip;base64,...": one line of JSON for each incident.
std::string packed_records(const std::vector<Incident>& incidents);

// RFC 4648, with padding.
std::string base64(std::string_view bytes);

}  // namespace oomwitness
