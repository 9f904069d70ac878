// SPDX-License-Identifier: BSD-2-Clause
// The bodies a webhook sends. Pure; ASCII JSON.
#pragma once

#include <chrono>
#include <string>

#include "sink/webhook/storm.h"

namespace oomwitness {

enum class WebhookForm {
  kGeneric,      // oomwitness-agent.toml(5)
  kSlack,        // an incoming webhook's message
  kAlertmanager  // POST /api/v2/alerts
};

// `resolve_after`: when Alertmanager may forget an alert that is not repeated.
std::string webhook_body(const Digest& digest, WebhookForm form,
                         std::chrono::nanoseconds resolve_after);

// One incident as a digest of its own.
Digest digest_of(const ExportItem& item);

}  // namespace oomwitness
