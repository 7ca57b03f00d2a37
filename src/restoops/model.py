"""The values that everything else talks about. Nothing here can do anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from restoops.handover import SecretSet

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
# Seven digits or forty, as Git and CI cut it; in between not what could be a date: `20250131`.
GIT_SHA = r"(?:[0-9a-f]{7}|[0-9a-f]{40}|(?=[0-9]*[a-f])[0-9a-f]{8,39})"
_PART_OF_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})")


class Color(StrEnum):
    """One of the two slots that a release can run in."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Color:
        """The slot that is not this one."""
        return Color.GREEN if self is Color.BLUE else Color.BLUE


@dataclass(frozen=True, slots=True)
class Digest:
    """The content address of an image manifest, `sha256:` and 64 hexadecimal digits.

    Raises:
        ValueError: the text is no such digest.
    """

    value: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.value):
            raise ValueError(f"not a digest: {self.value!r}")

    def __str__(self) -> str:
        return self.value

    def __hash__(self) -> int:
        return hash(self.value)  # a text remembers its own, and registries have many of these

    @property
    def short(self) -> str:
        """The first twelve digits, as Docker prints them."""
        return self.value[7:19]

    def begins_with(self, text: str) -> bool:
        """Return whether `text` is its first twelve digits or more, with `sha256:` or without."""
        part = _PART_OF_DIGEST.fullmatch(text)
        return part is not None and self.value[7:].startswith(part[1])


@dataclass(frozen=True, slots=True)
class ImageName:
    """Where an image lives, without saying which version: `registry/repository`."""

    registry: str
    repository: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}"

    def at(self, digest: Digest) -> str:
        """Return the reference that can only ever mean one image."""
        return f"{self}@{digest}"


def registry_of(reference: str) -> str:
    """Return the registry that an image reference names, as Docker reads it."""
    first, slash, _ = reference.partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost")
    return first if is_host else "docker.io"


@dataclass(frozen=True, slots=True)
class Secret:
    """A string that never shows itself; only `reveal` gives it."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the secret; call it only where the value is handed over."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Value:
    """A secret with what tells it apart from another value, see `plan.fingerprints`."""

    secret: Secret
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What a place knows of a secret that it has, beside the value."""

    fingerprint: str
    """Empty when nobody knows it, as after somebody put a value there by hand."""
    since: str = ""
    """When this value was put there, in UTC as ISO 8601; empty when nobody knows."""


@dataclass(frozen=True, slots=True)
class EnvEntry:
    """A variable in the text of a `.env` file, with the comments right above it."""

    name: str
    value: Secret
    comments: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials of a registry; they travel with a request and are stored nowhere."""

    username: str
    password: Secret


Logins = Callable[[str], Login | None]
"""Looks up the credentials of a registry, when something is to be pulled from there."""


@dataclass(frozen=True, slots=True)
class Release:
    """A version of the application: the tag it was asked for by, and the digest it is."""

    tag: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Container:
    """A container in one of the two slots, as the engine describes it."""

    id: str
    color: Color
    release: Release
    spec: str
    """Fingerprint of the settings that it was made with."""
    status: str
    """As in `docker ps`: created, running, restarting, exited, paused, dead."""
    restarts: int = 0
    exit_code: int = 0
    started_at: str = ""
    secrets: str = ""
    """Id of the secrets that it was given; empty when it was given none."""

    @property
    def is_running(self) -> bool:
        """Whether its process runs, without having been restarted for a crash."""
        return self.status == "running"


@dataclass(frozen=True, slots=True)
class Proxy:
    """HAProxy on a host: what it does now, and what it would do after a restart."""

    running: bool
    current: bool
    """Whether it runs with the image and the configuration that the settings ask for."""
    live: Color | None
    """Where new requests go: what the running process says, or the file when none runs."""
    on_file: Color | None
    """Where new requests would go after a restart."""
    up: frozenset[Color] = frozenset()
    """Slots whose health check passes."""
    covering: bool = False
    """Whether the other slot stands in for the live one if that dies."""
    alone: bool = True
    """Whether no other proxy takes requests, such as one whose replacement was cut off."""
    leftovers: bool = False
    """Whether containers of proxies that have ended are still there."""


RunKind = Literal["deploy", "rollback"]


@dataclass(frozen=True, slots=True)
class OpenRun:
    """The intent of a run, written on the host before anything changes there."""

    id: str
    kind: RunKind
    release: Release
    who: str
    origin: str
    """The machine that the run was started on."""
    started_at: str
    old: Color | None
    new: Color
    started_new: bool = True
    """Whether the run starts the new container itself; a warm one is not its to remove."""
    going_back: bool = False
    """Set when the new release failed after the switch: the run now restores the old one."""
    previous: Release | None = None
    was_covered: bool = False
    """Whether what was in `new` before stood in for the live release."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a step of a run began and how long it took."""

    step: str
    at: str
    seconds: float
    broken: bool = False
    """Whether it did not succeed; the steps after it put the host right."""


@dataclass(frozen=True, slots=True)
class Record:
    """One finished run in the history of a host."""

    run: OpenRun
    outcome: Literal["done", "failed", "interrupted", "finished", "undone"]
    """`finished` and `undone`: a later run put right what this one left behind."""
    ended_at: str
    error: str = ""
    cut: int = 0
    """Requests that were still running when the drain came to its deadline."""
    log: tuple[Timing, ...] = ()
    output: tuple[str, ...] = ()
    """Last lines of the release command, on the host that ran it."""

    @property
    def made_live(self) -> bool:
        """Whether the run's release served at its end."""
        return self.outcome in ("done", "finished")


@dataclass(frozen=True, slots=True)
class HostState:
    """All that a decision about one host may depend on."""

    host: str
    ready: bool = False
    """Whether directories and network are there."""
    proxy: Proxy | None = None
    containers: Mapping[Color, Container] = field(default_factory=dict)
    images: frozenset[Digest] = frozenset()
    open_run: OpenRun | None = None
    history: tuple[Record, ...] = ()
    """Oldest first."""
    history_altered: str = ""
    """Which entries of the history are not as they were written; empty when all are."""
    secrets: tuple[SecretSet, ...] = ()
    """Oldest first."""

    @property
    def live(self) -> Color | None:
        """The slot that HAProxy sends new requests to."""
        return self.proxy.live if self.proxy else None

    @property
    def answering(self) -> Color | None:
        """The slot that answers: the live one, or the one that stands in while that is down."""
        if not self.live or not self.proxy or self.live in self.proxy.up:
            return self.live
        stands_in = self.proxy.covering and self.live.other in self.proxy.up
        return self.live.other if stands_in else self.live

    @property
    def serving(self) -> Container | None:
        """The container in the slot that answers."""
        return self.containers.get(self.answering) if self.answering else None

    def running(self, digest: Digest) -> Container | None:
        """Return the container that runs `digest` in either slot."""
        found = (c for c in self.containers.values() if c.release.digest == digest)
        return next((c for c in found if c.is_running), None)


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of clients that HAProxy sent to a slot, and how many of them failed.

    Failed are answers of 5xx, connections refused, and connections that broke before the answer.
    """

    requests: int = 0
    failed: int = 0

    @property
    def rate(self) -> float:
        """The share of requests that failed, 0 to 1."""
        return self.failed / self.requests if self.requests else 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.requests + other.requests, self.failed + other.failed)

    def since(self, earlier: Counts) -> Counts:
        """Return what came after `earlier`; all of it when HAProxy began anew in between."""
        if self.requests < earlier.requests or self.failed < earlier.failed:
            return self
        return Counts(self.requests - earlier.requests, self.failed - earlier.failed)

    def __str__(self) -> str:
        return f"{self.failed:,} of {self.requests:,} requests failed ({self.rate:.1%})"


@dataclass(frozen=True, slots=True)
class Question:
    """A request to the application."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    timeout_s: float = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question was answered with; `status` 0 when there was no answer, and why is `text`."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Their names are in lower case."""
    seconds: float = field(default=0.0, compare=False)
    """From the first byte of the question to the last of the answer."""

    @property
    def is_good(self) -> bool:
        """Whether the application answered, and with 2xx."""
        return 200 <= self.status < 300

    def __str__(self) -> str:
        body = " ".join(self.text.split())[:200]
        return f"{self.status or 'no answer'}{': ' if body else ''}{body}"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a public address was answered with, as a client meets it."""

    answer: Answer
    valid_until: str = ""
    """End of its certificate, ISO 8601 in UTC; empty when there was none to be trusted."""
    tls_fault: str = ""
    """Why its certificate is not trusted; there is no answer then."""


def is_git_sha(text: str) -> bool:
    """Return whether `text` can be a Git SHA, whole or cut short."""
    return re.fullmatch(GIT_SHA, text) is not None


def is_digest(text: str) -> bool:
    """Return whether `text` can only mean a digest, whole or in part."""
    return text.startswith("sha256:") and _PART_OF_DIGEST.fullmatch(text) is not None


def tag_of(text: str) -> str:
    """Return the tag that an operator means: `abc1234` is short for `sha-abc1234`.

    Raises:
        ValueError: the text cannot be an image tag.
    """
    if is_git_sha(text):
        return f"sha-{text[:7]}"
    if not _TAG.fullmatch(text):
        raise ValueError(f"{text!r} is neither an image tag nor a Git SHA")
    return text


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds the images of a host."""

    size_bytes: int
    free_bytes: int
