// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernlog/log_reader.h"

namespace oomwitness {

// For logs that this machine, or another in its zone, wrote up to now.
LogReaderOptions log_reader_options();

}  // namespace oomwitness
