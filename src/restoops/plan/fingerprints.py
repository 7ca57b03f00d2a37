"""What tells two values of a secret apart without showing either.

A hash alone would not do: whoever reads it could try likely values. The key is kept where the
values are, in the source, and never handed to anything that only holds a fingerprint.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping

from restoops.model import Secret, Value

KEY_NAME = "SECRETS_FINGERPRINT_KEY"
"""Name under which a source keeps the key; it is no variable of the application."""
KEY_LENGTH = 32
"""Characters that the key has at least."""
_DIGITS = 32


def fingerprint(key: Secret, name: str, value: Secret) -> str:
    """Return 128 bits, in hexadecimal digits, that are the same only for the same value."""
    text = f"restoops fingerprint 1\0{name}\0{value.reveal()}"
    return hmac.new(key.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def fingerprints(key: Secret, values: Mapping[str, Secret]) -> dict[str, Value]:
    """Return each value with its fingerprint."""
    return {name: Value(it, fingerprint(key, name, it)) for name, it in values.items()}


def fingerprint_of_all(values: Mapping[str, Value], marked: Collection[str] = ()) -> str:
    """Return one short fingerprint of names and values together, and of which are `marked`."""
    lines = "".join(
        f"{name}{'*' if name in marked else ''} {values[name].fingerprint}\n"
        for name in sorted(values)
    )
    return hashlib.sha256(lines.encode()).hexdigest()[:12]
