"""Lines of text on streams that nobody reads any more."""

from __future__ import annotations

import io
import sys

import pytest

from restoops.report.lines import print_lines, say


class Gone(io.StringIO):
    """A stream whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


def test_progress_that_nobody_reads_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Gone())

    say("waiting for the registry")


def test_a_result_that_nobody_reads_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Gone())

    with pytest.raises(BrokenPipeError):
        print_lines(["v2 serves"])
