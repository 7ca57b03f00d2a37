"""What people read of `restoops images`."""

from __future__ import annotations

import pytest

from restoops.model import Disk
from restoops.plan.fate import Fate
from restoops.report.image_events import (
    HostPruned,
    ImageEvent,
    Note,
    Planned,
    PruneEnded,
    Survived,
    Verified,
)
from restoops.report.images import age, question, teller
from restoops.report.wording import size
from tests.plan.registries import NOW
from tests.plan.states import digest

OLD = "2026-02-01T00:00:00.000000+00:00"
KEPT = Fate("menu", digest("a"), ("main",), "keep", "tag main names no single build", OLD, 10**7)
GOES = Fate("menu", digest("b"), ("sha-1111111",), "delete", "older than what is kept", OLD, 10**9)


@pytest.mark.parametrize(
    ("size_bytes", "told"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes(size_bytes: int, told: str) -> None:
    assert size(size_bytes) == told


def test_ages() -> None:
    assert age(OLD, NOW) == "28 days"
    assert age("", NOW) == "?"
    assert age("2027-01-01T00:00:00+00:00", NOW) == "0 s", "a clock that is ahead"


def test_the_question_names_what_goes_where() -> None:
    both = (("from ghcr.io/menu", 2, 10**9), ("from 3 hosts", 1, 500))

    assert question(both) == (
        "Delete 2 images (1.0 GB) from ghcr.io/menu and 1 image (500 B) from 3 hosts?"
    )
    assert question((both[0], ("from 0 hosts", 0, 0))).endswith("from ghcr.io/menu?")


@pytest.mark.parametrize(
    ("event", "out", "err"),
    [
        (Planned("menu", (KEPT, GOES), 10**9, 3),
         "menu: 1 kept, 1 to delete and 3 parts of them, 1.0 GB", ""),
        (Planned("staging/a", (), 0), "staging/a: no images", ""),
        (HostPruned("staging/a", 1, Disk(9, 10**9), Disk(9, 2 * 10**9)),
         "staging/a: 1 image removed; free on its disk: 1.0 GB before, 2.0 GB after", ""),
        (HostPruned("local/local", 2, None, None), "local/local: 2 images removed\n", ""),
        (Verified("menu", 3, {}), "menu: 3 of 3 tags are complete\n", ""),
        (Verified("menu", 3, {"main": "blob"}), "2 of 3 tags are complete, 1 are NOT", ""),
        (Survived("menu", digest("b"), ("main",), "it runs"), "", "kept after all"),
        (Note("reading"), "", "reading\n"),
        (PruneEnded(0, 0, 0, True, ""), "dry run: nothing was deleted", ""),
        (PruneEnded(0, 0, 0, False, "log"), "nothing was deleted", ""),
        (PruneEnded(5, 10**6, 1, False, "/log"),
         "5 deleted, 1.0 MB; 1 kept after all; log: /log", ""),
    ],
    ids=lambda it: type(it).__name__,
)  # fmt: skip
def test_results_go_to_stdout_and_progress_to_stderr(
    event: ImageEvent, out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    teller(as_json=False, now=NOW)(event)

    told = capsys.readouterr()
    assert out in told.out
    assert err in told.err
    assert (told.out == "", told.err == "") == (not out, not err)


def test_a_plan_is_a_row_for_each_image(capsys: pytest.CaptureFixture[str]) -> None:
    teller(as_json=False, now=NOW)(Planned("menu", (KEPT, GOES), 10**9))

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["PLAN", "TAGS", "DIGEST", "AGE", "SIZE", "WHY"]
    assert "main names no single build" in lines[2]
    assert lines[3].startswith("delete  sha-1111111")
