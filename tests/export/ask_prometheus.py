#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ask_prometheus.py URL: exit code 0 once Prometheus knows what the exporter told and every rule has
been evaluated without an error; 1 while it does not."""
import json
import sys
import urllib.error
import urllib.parse
import urllib.request


def ask(url, path):
    with urllib.request.urlopen(url + path, timeout=5) as answer:
        return json.load(answer)["data"]


def value(url, expression):
    result = ask(url, "/api/v1/query?query=" + urllib.parse.quote(expression))["result"]
    return float(result[0]["value"][1]) if len(result) == 1 else None


def main():
    url = sys.argv[1]
    wanted = {
        'up{job="oomwitness"}': 1,
        "count(oomwitness_build_info)": 1,
        "oomwitness_undescribed_oom_kills": 2,
        'sum(oomwitness_oom_kills_total{constraint="none"})': 2,
        'sum(oomwitness_workload_victims_total{namespace="ml",container="trainer"})': 1,
        # The recording rule sees the counter's first appearance.
        'sum(instance_constraint:oomwitness_oom_kills:increase10m{constraint="none"})': 2,
    }
    try:
        for expression, expected in wanted.items():
            if value(url, expression) != expected:
                return 1
        rules = [rule for group in ask(url, "/api/v1/rules")["groups"] for rule in group["rules"]]
        if len(rules) < 10 or any(rule["health"] != "ok" for rule in rules):
            return 1
        firing = {alert["labels"]["alertname"] for alert in ask(url, "/api/v1/alerts")["alerts"]
                  if alert["state"] == "firing"}
        return 0 if "HostOutOfMemory" in firing else 1
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return 1


sys.exit(main())
