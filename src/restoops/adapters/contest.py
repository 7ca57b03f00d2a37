"""Whether a bucket can hold a lock: two writers compete for what only one may have."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from restoops.adapters.spaces import Bucket
from restoops.errors import Refused, RestoopsError


@dataclass(frozen=True, slots=True)
class Contest:
    """What came of writers that competed for the same objects.

    Attributes:
        rounds: how many objects were competed for.
        winners: how many writers each was given to; 1 everywhere where locks can be trusted.
        overwrites: how often an object that was there was given away again.
        after_removal: whether an object that was removed could be taken again.
        refusal: why the service takes no such request at all; empty when it does.
    """

    rounds: int
    winners: tuple[int, ...]
    overwrites: int
    after_removal: bool
    refusal: str = ""

    @property
    def is_fair(self) -> bool:
        """Whether a lock can be trusted there."""
        only_one = all(count == 1 for count in self.winners)
        return not self.refusal and only_one and not self.overwrites and self.after_removal


def compete(make: Callable[[], Bucket], rounds: int) -> Contest:
    """Let two writers compete `rounds` times for an object that neither may overwrite.

    Each writer has a client of its own, as two machines would.
    """
    key = f"restoops-probe/{uuid.uuid4()}"
    writers = (make(), make())
    winners, overwrites, again = [], 0, True
    try:
        for number in range(rounds):
            name = f"{key}/{number}"
            winners.append(sum(_at_once(writers, name)))
            overwrites += writers[0].put_if_absent(name, b"late")
            writers[0].remove(name)
            again &= writers[1].put_if_absent(name, b"next")
    except Refused as error:
        return Contest(len(winners), tuple(winners), overwrites, again, error.message)
    finally:
        writers[0].remove_for_good(key)
    return Contest(rounds, tuple(winners), overwrites, again)


def _at_once(writers: tuple[Bucket, Bucket], key: str) -> list[bool]:
    ready, won, faults = threading.Barrier(len(writers)), list[bool](), list[RestoopsError]()

    def write(bucket: Bucket, text: bytes) -> None:
        ready.wait()
        try:
            won.append(bucket.put_if_absent(key, text))
        except RestoopsError as error:
            faults.append(error)

    threads = [
        threading.Thread(target=write, args=(bucket, str(number).encode()))
        for number, bucket in enumerate(writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return won
