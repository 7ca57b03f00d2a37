"""What is asked without a proxy, and without TLS."""

from __future__ import annotations

import pytest

from restoops.adapters.nearby import is_near, is_this_machine


@pytest.mark.parametrize(
    ("host", "is_ours", "is_private"),
    [
        ("localhost", True, True),
        ("127.0.0.1", True, True),
        ("127.0.0.9", True, True),
        ("::1", True, True),
        ("[::1]", True, True),
        ("10.10.0.5", False, True),
        ("fd00::5", False, True),
        ("203.0.114.5", False, False),
        ("127.example.com", False, False),
        ("localhost.example.com", False, False),
        ("", False, False),
    ],
)
def test_only_what_is_near_goes_without_a_proxy(host: str, is_ours: bool, is_private: bool) -> None:
    assert (is_this_machine(host), is_near(host)) == (is_ours, is_private)
