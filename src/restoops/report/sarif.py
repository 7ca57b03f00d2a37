"""Leaks as SARIF 2.1.0, for GitHub's code scanning and editors."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from restoops.plan.leaks import Leak, Scan

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_of(scan: Scan) -> dict[str, Any]:
    """Return what a scan found as one SARIF log; no value of a secret is in it."""
    rules = {it.rule: it.description for it in scan.leaks}
    driver = {
        "name": scan.scanner,
        "rules": [
            {"id": rule, "shortDescription": {"text": text or rule}} for rule, text in rules.items()
        ],
    }
    run = {"tool": {"driver": driver}, "results": [_result(it) for it in scan.leaks]}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(leak: Leak) -> dict[str, Any]:
    since = f", since commit {leak.commit}" if leak.commit else ""
    location = {
        "artifactLocation": {"uri": quote(leak.file)},
        "region": {"startLine": max(leak.line, 1)},
    }
    return {
        "ruleId": leak.rule,
        "level": "error",
        "message": {"text": f"{leak.rule}: a secret stands in {leak.file}{since}."},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"leak/v1": leak.fingerprint},
    }
