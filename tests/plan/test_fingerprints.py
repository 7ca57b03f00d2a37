"""Fingerprints tell values apart, and only those who have the key can make them."""

import hashlib

from restoops.model import Secret, Value
from restoops.plan.fingerprints import fingerprint, fingerprint_of_all, fingerprints

KEY = Secret("k" * 32)


def test_the_same_value_of_the_same_name_has_the_same_fingerprint() -> None:
    one = fingerprint(KEY, "A", Secret("x"))

    assert one == fingerprint(KEY, "A", Secret("x"))
    assert len(one) == 32


def test_another_key_name_or_value_has_another() -> None:
    found = {
        fingerprint(KEY, "A", Secret("x")),
        fingerprint(KEY, "B", Secret("x")),
        fingerprint(KEY, "A", Secret("y")),
        fingerprint(Secret("l" * 32), "A", Secret("x")),
    }

    assert len(found) == 4
    assert not any(hashlib.sha256(b"x").hexdigest().startswith(it) for it in found)


def test_a_name_cannot_be_taken_for_a_part_of_a_value() -> None:
    assert fingerprint(KEY, "A", Secret("1")) != fingerprint(KEY, "A1", Secret(""))


def test_all_together_change_with_each_value_and_each_name() -> None:
    base = fingerprints(KEY, {"A": Secret("x"), "B": Secret("y")})
    found = {
        fingerprint_of_all(it)
        for it in (
            base,
            fingerprints(KEY, {"A": Secret("x")}),
            fingerprints(KEY, {"A": Secret("x"), "B": Secret("z")}),
            fingerprints(KEY, {"A": Secret("y"), "B": Secret("x")}),
        )
    }

    assert len(found) == 4
    assert fingerprint_of_all(dict(reversed(base.items()))) in found
    assert fingerprint_of_all(base, ["A"]) not in found


def test_nothing_of_it_shows_a_value() -> None:
    assert "x-secret" not in repr(Value(Secret("x-secret"), "f"))
