"""What a benchmark found: single measurements as plain data, with where and when they were made."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from pydantic import TypeAdapter

Unit = Literal["s", "MiB", "count"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What is asked of samples."""

    at_most: float
    of: Literal["median", "largest", "sum"] = "median"
    than: str = ""
    """Name of other samples of the benchmark: `at_most` is so many times their median."""


@dataclass(frozen=True, slots=True)
class Samples:
    """One measurement made again and again."""

    name: str
    """Of its own in its benchmark; documents refer to it as `benchmark.name`."""
    title: str
    unit: Unit
    values: tuple[float, ...]
    limits: tuple[Limit, ...] = ()
    out_of: tuple[int, ...] = ()
    """What each value is a part of: the requests of a run, of which so many failed."""

    def __post_init__(self) -> None:
        """Refuse samples without any, of which no figure could be told.

        Raises:
            ValueError: there are none.
        """
        if not self.values:
            raise ValueError(f"{self.name}: nothing was measured")


@dataclass(frozen=True, slots=True)
class Place:
    """The machine of a measurement and what was installed there; nothing that names it."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    kernel: str
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """Samples, with what they are of."""

    at: str
    """Date and time in UTC, when it had begun."""
    commit: str
    took_s: float
    place: Place
    samples: tuple[Samples, ...]
    others: tuple[float, ...] = ()
    """Share of the processors that something else took just before and just after, 0 to 1."""


@dataclass(frozen=True, slots=True)
class NotRun:
    """The last attempt failed."""

    at: str
    commit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known of one benchmark: a file of raw data."""

    benchmark: str
    title: str
    about: str
    """What was done, and what stood in for what."""
    measured: Measured | None = None
    not_run: NotRun | None = None
    """Set when the last attempt failed: what was measured is older."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a file of raw data.

        Raises:
            pydantic.ValidationError: it is none.
        """
        return TypeAdapter(cls).validate_json(text)

    def to_json(self) -> str:
        """Return the file of raw data: the same text for the same report."""
        text = TypeAdapter(Report).dump_json(self, indent=2, exclude_defaults=True).decode()
        return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"

    def failed(self, attempt: NotRun) -> Self:
        """Return the report after another attempt, which failed: what was measured stays."""
        return replace(self, not_run=attempt)

    def find(self, name: str) -> Samples | None:
        """Return samples by name, or `None` when there are none."""
        all_of = self.measured.samples if self.measured else ()
        return next((it for it in all_of if it.name == name), None)


_NUMBERS = re.compile(r"\[([\s\d.,e+-]*)\]")
"""Lists of numbers, which are shown on one line."""
