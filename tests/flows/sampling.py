"""What a fake host does when it is to ask its proxy again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from restoops.adapters.sampler import Seen


@dataclass
class FakeSampler:
    """Answers with what it is given to see, then waits until it is closed."""

    sees: list[Seen | BaseException] = field(default_factory=list)
    every_s: float = 0
    all_seen: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def __iter__(self) -> Iterator[Seen | None]:
        yield None
        for seen in self.sees:
            if isinstance(seen, BaseException):
                self.all_seen.set()
                raise seen
            yield seen
        self.all_seen.set()
        self.closed.wait()

    def close(self) -> None:
        self.closed.set()


@dataclass
class Sampled:
    """A host that can be asked to ask itself."""

    sampler: FakeSampler = field(default_factory=FakeSampler, kw_only=True)

    def sample(self, path: str, every_s: float) -> FakeSampler:
        assert path == "/health"
        self.sampler.every_s = every_s
        return self.sampler
