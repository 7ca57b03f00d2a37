"""Lengths of time as they are typed."""

from __future__ import annotations

import pytest

from restoops.cli.arguments import wait_argument
from restoops.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("5m", 300), ("5min", 300), ("1h", 3600), ("90", 90), ("0.5s", 0.5),
     ("24h", 86400)],
)  # fmt: skip
def test_a_length_of_time(text: str, seconds: float) -> None:
    assert wait_argument(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-5s", "25h", "1d", "5 s s", "1e9", "٣s", "\x1b"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--wait: ") as caught:
        wait_argument(text)
    assert caught.value.message.isprintable()
