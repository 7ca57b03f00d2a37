"""Who runs a command, as others are told of it."""

from __future__ import annotations

import sys

import pytest

from restoops.cli.caller import holder
from restoops.masking import KNOWN, learn
from restoops.model import Secret


def test_what_others_read_of_the_holder_of_a_lock_has_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["restoops", "images", "prune", "--log", "k3tchup-tomato"])
    learn(Secret("k3tchup-tomato"))
    try:
        purpose = holder().purpose
    finally:
        KNOWN.forget()

    assert purpose == "restoops images prune --log ***"
