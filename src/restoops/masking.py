"""The secrets that this process knows, and texts without them.

Whoever reads or makes a secret calls `learn`. What is printed passes `masked_output`, what is told
or stored passes `masked`. There is one set of secrets for the process, as there is one output.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from restoops.model import Digest, Secret

if TYPE_CHECKING:
    from restoops.plan.redaction import Redactor

T = TypeVar("T")

_NAMED_AS_SECRET = re.compile(
    r"(?!.*PUBLIC_KEY$).*(TOKEN|SECRET|PASSWORD|PASSWD|_PASS|_PWD|_KEY|WEBHOOK|WEBHOOK_URL|CREDENTIALS?|"
    r"DATABASE_URL|REDIS_URL)",
    re.IGNORECASE,
)
_WITHOUT_TEXT = frozenset((type(None), bool, int, float, Digest, Secret))
_A_PATH = re.compile(r"(~|\.{0,2})/[^\s:@]*")


class Known:
    """Secrets that are taken out of texts; what they are looked for by is made at first use."""

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._told: set[str] = set()
        self._redactor: Redactor | None = None
        self._has_environment = False
        self._one_at_a_time = threading.RLock()

    def learn(self, values: Iterable[Secret]) -> None:
        """Take these values out of all that is printed from now on."""
        with self._one_at_a_time:
            before = len(self._values)
            self._values |= dict.fromkeys(it.reveal() for it in values)
            if len(self._values) > before:
                self._redactor = None
                self._tell_github()

    def redact(self, text: str) -> str:
        """Return `text` without any form of a known secret."""
        redactor = self._redactor or self._ready()
        return redactor.redact(text) if redactor else text

    def open_end(self, text: str, shortest: int) -> int:
        """Return how many characters at the end may be the beginning of a secret.

        Fewer than `shortest` do not count.
        """
        redactor = self._ready()
        return redactor.open_end(text, shortest) if redactor else 0

    def forget(self) -> None:
        """Know nothing any more."""
        with self._one_at_a_time:
            self._values.clear()
            self._redactor, self._has_environment = None, False

    def _ready(self) -> Redactor | None:
        """Return what finds them; None where there is nothing to be found."""
        if not self._has_environment:
            self._has_environment = True
            self.learn(secrets_of(os.environ))
        with self._one_at_a_time:
            if self._redactor is None and self._values:
                from restoops.plan.redaction import Redactor

                self._redactor = Redactor(self._values)
            return self._redactor

    def _tell_github(self) -> None:
        """Have the runner of GitHub Actions mask them in what others print.

        It reads both outputs; the standard one may lead to a file or be JSON.
        """
        if os.environ.get("GITHUB_ACTIONS") != "true":
            return
        from restoops.plan.redaction import strong_parts

        parts = {part for value in self._values for part in strong_parts(value)}
        lines = sorted(it for it in parts - self._told if "\n" not in it and "\r" not in it)
        self._told |= parts
        stream = getattr(sys.stderr, "unmasked", sys.stderr)
        with contextlib.suppress(OSError, ValueError):
            stream.writelines(f"::add-mask::{it.replace('%', '%25')}\n" for it in lines)
            stream.flush()


KNOWN = Known()


def learn(*values: Secret) -> None:
    """Take these values out of all that this process prints and stores from now on."""
    KNOWN.learn(values)


def secrets_of(environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """Return what variables with the name of a secret hold; the path of a file is none."""
    return tuple(
        Secret(value)
        for name, value in environ.items()
        if _NAMED_AS_SECRET.fullmatch(name) and not _A_PATH.fullmatch(value)
    )


def masked(value: T) -> T:
    """Return a value without secrets in any text of it: of events, records, JSON."""
    found: T = _masked(value)
    return found


def _masked(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return KNOWN.redact(value)
    if kind in _WITHOUT_TEXT:
        return value
    if (names := _fields_of(kind)) is not None:
        return _masked_fields(value, names)
    match value:
        case Enum():
            return value
        case str():
            return KNOWN.redact(value)
        case list() | tuple() if not hasattr(value, "_fields"):
            return kind(map(_masked, value))
        case dict() | Mapping():  # dict is told at once, the other takes its time
            return {_masked(key): _masked(item) for key, item in value.items()}
    return value


@functools.cache
def _fields_of(kind: type) -> tuple[str, ...] | None:
    """Return the fields of a dataclass, found once for all events; None for anything else."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(it.name for it in dataclasses.fields(kind) if it.init)


def _masked_fields(value: Any, names: tuple[str, ...]) -> Any:
    changed = {}
    for name in names:
        before = getattr(value, name)
        after = _masked(before)
        if after is not before and after != before:
            changed[name] = after
    return dataclasses.replace(value, **changed) if changed else value


class MaskedStream:
    """A text stream without secrets.

    Lines are written as they are complete. The rest waits for `flush`, and then still what may be
    the beginning of a secret, until the next one or until `finish`.
    """

    def __init__(self, stream: TextIO) -> None:
        self.unmasked = stream
        self._waiting = ""
        # At a terminal what moves is drawn without a line's end: a letter held back would flicker.
        self._shortest = 4 if stream.isatty() else 1
        self._one_at_a_time = threading.RLock()

    def write(self, text: str) -> int:
        """Write `text`, or keep what is no whole line for later."""
        with self._one_at_a_time:
            self._waiting += text
            end = self._waiting.rfind("\n") + 1
            if end:
                self._write(end)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after the other."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Write what waits, but for the beginning of a secret."""
        with self._one_at_a_time:
            if self._waiting:
                self._write(len(self._waiting) - KNOWN.open_end(self._waiting, self._shortest))
            self.unmasked.flush()

    def finish(self) -> None:
        """Write all that waits: nothing comes after it."""
        with self._one_at_a_time:
            self._write(len(self._waiting))
            self.unmasked.flush()

    def _write(self, end: int) -> None:
        text, self._waiting = self._waiting[:end], self._waiting[end:]
        if text:
            self.unmasked.write(KNOWN.redact(text))

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # bytes would pass by
            raise AttributeError(name)
        return getattr(self.unmasked, name)


@contextlib.contextmanager
def masked_output() -> Iterator[None]:
    """Let all that is printed within the block pass without secrets, tracebacks as well."""
    before = sys.stdout, sys.stderr
    ours = MaskedStream(sys.stdout), MaskedStream(sys.stderr)
    KNOWN.forget()
    sys.stdout, sys.stderr = cast("tuple[TextIO, TextIO]", ours)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in ours:
            with contextlib.suppress(OSError, ValueError):  # a reader that has gone
                stream.finish()
