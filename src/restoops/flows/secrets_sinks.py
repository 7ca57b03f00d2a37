"""Places that secrets are handed to, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from restoops.model import Placed, Value


class Sink(Protocol):
    """One place that has secrets of an environment: a host, or GitHub's environment.

    It keeps beside each value its fingerprint and when it was put there, and never the key that
    fingerprints are made with.
    """

    @property
    def name(self) -> str:
        """How to name it, such as `web-1` or `github`."""

    @property
    def takes_new(self) -> bool:
        """Whether a name can be put there that it does not have yet."""

    @property
    def note(self) -> str:
        """What to know of a value that was put there, such as when it is seen; may be empty."""

    def placed(self) -> Mapping[str, Placed]:
        """Return what it has, by name; a fingerprint is empty where nobody knows it.

        Raises:
            Unreachable: it cannot be asked.
        """

    def put(self, values: Mapping[str, Value]) -> None:
        """Replace these values there, and note their fingerprints; others stay as they are.

        Done twice it comes to the same. What is cut off leaves each value old or new, and never a
        fingerprint of a value that is not there.

        Raises:
            StepFailed: it refused a value.
            Unreachable: it cannot be reached.
        """
