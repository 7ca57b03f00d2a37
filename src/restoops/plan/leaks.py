"""What a scanner found, and what of it is known and accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """A place where a secret stands; its value is nowhere in here."""

    file: str
    line: int
    rule: str
    commit: str
    description: str

    @property
    def fingerprint(self) -> str:
        """What tells this place from others, in the form of gitleaks."""
        place = f"{self.file}:{self.rule}:{self.line}"
        return f"{self.commit}:{place}" if self.commit else place


@dataclass(frozen=True, slots=True)
class Scan:
    """The secrets that a scan found, how many known ones it passed over, what it did not see."""

    scanner: str
    scanned: str
    leaks: tuple[Leak, ...]
    known: int = 0
    missed: tuple[str, ...] = ()


def leaks_of(findings: Iterable[Mapping[str, Any]]) -> tuple[Leak, ...]:
    """Return the places that a scanner found, sorted, each once."""
    return tuple(
        sorted(
            {
                Leak(
                    file=str(it["File"]).removeprefix("./"),
                    line=int(it["StartLine"]),
                    rule=str(it["RuleID"]),
                    commit=str(it.get("Commit") or ""),
                    description=str(it.get("Description") or ""),
                )
                for it in findings
            }
        )
    )


def without_known(leaks: Sequence[Leak], known: Iterable[str]) -> tuple[Leak, ...]:
    """Return the leaks whose fingerprints are not among `known`."""
    passed = set(known)
    return tuple(it for it in leaks if it.fingerprint not in passed)


def baseline_of(leaks: Iterable[Leak]) -> list[dict[str, Any]]:
    """Return the content of a baseline that knows all of `leaks`."""
    return [
        {
            "RuleID": it.rule,
            "File": it.file,
            "StartLine": it.line,
            "Commit": it.commit,
            "Fingerprint": it.fingerprint,
        }
        for it in leaks
    ]


def fingerprints_of(baseline: Any) -> tuple[str, ...]:
    """Return the fingerprints of a baseline, ours or a report of gitleaks in JSON.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(baseline, list):
        raise ValueError("no list of findings")  # noqa: TRY004  what was read is not as it should be
    found = [it.get("Fingerprint") for it in baseline if isinstance(it, dict)]
    known = tuple(it for it in found if isinstance(it, str))
    if len(known) != len(baseline):
        raise ValueError("a finding without a fingerprint")
    return known
