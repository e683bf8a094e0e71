"""Judges the metrics of a running service with the parser of Prometheus' own Python client.

Usage: metrics_check.py ADDRESS. Needs prometheus-client. Prints one line per check and exits with 1
at the first that fails.
"""

import sys
import time
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def check(name, ok):
    print(("ok    " if ok else "FAIL  ") + name)
    if not ok:
        sys.exit(1)


def scrape(address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        kind = answer.headers["Content-Type"]
        return kind, list(text_string_to_metric_families(answer.read().decode()))


def value(families, name, **labels):
    for family in families:
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def main(address):
    success = "twinset_backup_last_success_timestamp_seconds"
    until = time.monotonic() + 60
    while True:
        kind, families = scrape(address)
        if (value(families, success, database="Payroll", kind="full") or 0) > 0:
            break
        if time.monotonic() > until:
            check("prometheus: a backup shows within a minute", False)
        time.sleep(0.2)
    check("prometheus: content type", kind.startswith("text/plain; version=0.0.4"))
    check("prometheus: every family is a gauge", all(f.type == "gauge" for f in families))
    check("prometheus: every family has its help", all(f.documentation for f in families))
    names = [family.name for family in families]
    check("prometheus: no family twice", len(names) == len(set(names)))
    check("prometheus: up", value(families, "twinset_up") == 1)
    state = [
        sample
        for family in families
        if family.name == "twinset_database_state"
        for sample in family.samples
        if sample.value == 1
    ]
    check("prometheus: one state at a time", len(state) == 1)
    mirrors = value(families, "twinset_media_set_mirrors", media_set="payroll")
    held = value(families, "twinset_media_set_mirrors_in_step", media_set="payroll")
    check("prometheus: both mirrors in step", mirrors == held == 2)
    age = time.time() - value(families, success, database="Payroll", kind="full")
    check("prometheus: the backup is as young as it is", -5 < age < 120)
    size = value(families, "twinset_backup_last_size_bytes", database="Payroll", kind="full")
    check("prometheus: its size", size > 0)


main(sys.argv[1])
