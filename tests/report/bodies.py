"""The example of a message that the documentation shows."""

from __future__ import annotations

import json

from restoops.report.notices import Commit, Notice, as_object
from tests.report import pages


def body_shown() -> str:
    """Return what a webhook is sent of a deploy that went well."""
    address = "https://github.com/restomarket/restomarket"
    sha = "4d5e6f7" + "0" * 33
    commit = Commit(sha, "Peter", "Show the menu", f"{address}/commit/{sha}")
    page = pages.went_well(1)
    report = f"https://reports.example.com/{page.run}.html"
    told = as_object(Notice(page, commit, f"{address}/actions/runs/4711", report))
    return json.dumps(told, indent=2, ensure_ascii=False)
