"""Signs of life go to all hosts, whatever becomes of one of them."""

import os
import threading
import time
from collections import Counter

from restoops.adapters.connection import Lock
from restoops.adapters.heartbeat import EVERY_S, Heart
from tests.lab.patience import PATIENCE_S, eventually

QUICK_S = 0.01


def test_each_host_gets_them_until_it_is_to_get_no_more() -> None:
    heart, given = Heart(QUICK_S), Counter[str]()
    one = heart.begin(lambda: given.update("1"))
    other = heart.begin(lambda: given.update("2"))
    assert eventually(lambda: min(given["1"], given["2"]) > 2)

    one.stop()
    before = given.copy()

    assert eventually(lambda: given["2"] > before["2"] + 2)
    assert given["1"] == before["1"]
    other.stop()


def test_one_that_hangs_keeps_no_other_waiting() -> None:
    heart, given, go_on = Heart(QUICK_S), Counter[str](), threading.Event()

    def hang() -> None:
        given.update(["hanging"])
        go_on.wait(PATIENCE_S)

    hanging = heart.begin(hang)
    others = [heart.begin(lambda: given.update(["other"])) for _ in range(3)]

    assert eventually(lambda: given["other"] > 10)

    assert hanging.hangs
    assert given["hanging"] == 1
    go_on.set()
    assert eventually(lambda: given["hanging"] > 1), "it gets no more, though it goes on"
    for pulse in (hanging, *others):
        pulse.stop()


def test_one_that_is_lost_gets_no_more() -> None:
    heart, tries = Heart(QUICK_S), []

    def beat() -> None:
        tries.append(1)
        raise BrokenPipeError

    lost, other = heart.begin(beat), heart.begin(lambda: None)

    assert eventually(lambda: lost.is_over)
    assert tries == [1]
    other.stop()


def test_stop_waits_for_a_sign_that_is_on_its_way() -> None:
    heart, begun, go_on, done = Heart(QUICK_S), *(threading.Event() for _ in range(3))

    def beat() -> None:
        begun.set()
        go_on.wait(PATIENCE_S)
        done.set()

    pulse = heart.begin(beat)
    assert begun.wait(PATIENCE_S)

    stopping = threading.Thread(target=pulse.stop)
    stopping.start()

    assert not done.is_set()
    go_on.set()
    stopping.join(PATIENCE_S)
    assert done.is_set()


def test_it_has_no_thread_when_nobody_needs_it() -> None:
    heart = Heart(QUICK_S)
    for _ in range(2):
        heart.begin(lambda: None).stop()
        assert eventually(
            lambda: not any(it.name.startswith("heart") for it in threading.enumerate())
        )


class Heard:
    """A conversation of which the signs of life are written down."""

    def __init__(self, sign: bytes, pipe: int) -> None:
        self._sign = sign
        self._pipe = pipe

    def read_line(self) -> str | None:
        return None

    def write_line(self, text: str = "") -> None:
        os.write(self._pipe, self._sign)

    def close(self) -> None:
        pass


def test_a_copy_of_the_process_gives_signs_of_life_for_its_own_locks_and_no_other() -> None:
    """Else the second process of a fleet could lose its locks, or write to the other's hosts."""
    (_, nobody), (heard, told) = os.pipe(), os.pipe()
    first = Lock(Heard(b"1", nobody))
    child = os.fork()
    if child == 0:
        try:
            first._talk._pipe = told  # type: ignore[attr-defined]
            Lock(Heard(b"2", told))
            time.sleep(1.2 * EVERY_S)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    first.release()
    os.close(told)

    assert set(os.read(heard, 100)) == set(b"2")
