"""A probe that asks every host as a client would, from before its switch until the run is over.

It is a witness and nothing else: whatever becomes of it, the run goes on as if it were not there.
It does not wait for it either, not even at its end.
"""

from __future__ import annotations

import contextlib
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from restoops.adapters.clock import Clock
from restoops.errors import RestoopsError
from restoops.flows.background import in_background
from restoops.flows.host import Host, Sampler
from restoops.plan.probe import MOST_SAMPLES, Sample, pace, percentile, thinned
from restoops.report.events import Probed, Tell


@dataclass
class Probing:
    """The probe of one run."""

    hosts: Sequence[Host]
    path: str
    rate: float
    """Requests a second that a host may get; 0 asks none."""
    clock: Clock
    probed: Probed | None = None
    """What came of it, once it is over; None when nothing was asked."""
    _begun: dict[str, Sampler | None] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _samples: list[Sample] = field(default_factory=list)
    _ms: array[float] = field(default_factory=lambda: array("f"))
    _requests: int = 0
    _failed: int = 0
    _began: tuple[str, float] = ("", 0.0)
    _unserved: set[str] = field(default_factory=set)
    """Hosts where nothing has served yet."""
    _is_on: bool = False
    _is_over: bool = False

    def __post_init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        count, self._every_s = pace(self.rate, len(self.hosts))
        step = len(self.hosts) / count if count else 0
        self._chosen = {self.hosts[int(number * step)].name for number in range(count)}

    def begin(self, host: Host) -> None:
        """Begin to ask a host, in the background; once, and only if it is one of those asked.

        Outside of `telling` it is left alone: what was cut off before is put right first.
        """
        with self._one_at_a_time:
            is_asked = host.name in self._chosen and host.name not in self._begun
            if not self._is_on or self._is_over or not is_asked:
                return
            self._begun[host.name] = None
            if not self._began[0]:
                self._began = self.clock.now(), self.clock.monotonic()
        in_background(lambda: self._ask(host))

    @contextlib.contextmanager
    def telling(self, tell: Tell, unserved: Iterable[str] = ()) -> Iterator[None]:
        """End the probe with the block, however that ends, and tell what came of it.

        What fails on a host that is `unserved` does not count, until it has answered well once:
        before the first release there are no clients that could lose a request.
        """
        self._unserved.update(unserved)
        self._is_on = True
        try:
            yield
        finally:
            self.end()
            if self.probed:
                tell(self.probed)

    def end(self) -> None:
        """Ask no more; what is still on its way is not waited for."""
        with self._one_at_a_time:
            if self._is_over:
                return
            self._is_over = True
            self.probed = self._summary() if self._requests else None
        for sampler in self._begun.values():
            if sampler:
                in_background(sampler.close)

    def _ask(self, host: Host) -> None:
        # Also a fault of our own in here is no reason to fail: the thread ends, and nothing else.
        with contextlib.suppress(RestoopsError, OSError):
            sampler = host.sample(self.path, self._every_s)
            with self._one_at_a_time:
                self._begun[host.name] = sampler
                is_late = self._is_over
            if is_late:
                sampler.close()
                return
            offset_s = 0.0
            for seen in sampler:
                if seen is None:
                    offset_s = self.clock.monotonic() - self._began[1]
                elif not self._take(
                    Sample(
                        host.name, round(offset_s + seen.after_s, 3), round(seen.ms, 2), seen.status
                    )
                ):
                    return

    def _take(self, sample: Sample) -> bool:
        """Take in a sample; return whether more are wanted."""
        with self._one_at_a_time:
            if self._is_over:
                return False
            if not sample.failed:
                self._unserved.discard(sample.host)
            if sample.host in self._unserved:
                return True
            self._asked.add(sample.host)
            self._requests += 1
            self._failed += sample.failed
            self._samples.append(sample)
            if sample.status:
                self._ms.append(sample.ms)
            if len(self._samples) >= 2 * MOST_SAMPLES:
                self._samples = list(thinned(self._samples))
        return True

    def _summary(self) -> Probed:
        ms = sorted(round(it, 2) for it in self._ms)
        return Probed(
            started_at=self._began[0],
            path=self.path,
            hosts=tuple(host.name for host in self.hosts if host.name in self._asked),
            requests=self._requests,
            failed=self._failed,
            p50_ms=percentile(ms, 0.5),
            p99_ms=percentile(ms, 0.99),
            slowest_ms=ms[-1] if ms else None,
            samples=thinned(sorted(self._samples, key=lambda it: it.at_s)),
        )
