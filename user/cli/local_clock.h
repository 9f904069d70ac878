// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "support/when.h"

namespace oomwitness {

// The time of this machine, in the zone of this user (TZ, /etc/localtime).
Clock local_clock();

}  // namespace oomwitness
