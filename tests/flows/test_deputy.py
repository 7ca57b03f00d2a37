"""The two sides of the pipe between the processes that lead a large fleet."""

from __future__ import annotations

import contextlib
import gc
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

import pytest

from restoops.errors import Interrupted, RestoopsError, StepFailed, Unreachable, UsageError
from restoops.flows.background import side_by_side
from restoops.flows.deputing import FirstProcess
from restoops.flows.deputy import Deputy
from restoops.flows.deputy_talk import Beat, Begin, Fault, Reached
from restoops.flows.interrupt import Interrupt
from restoops.flows.rollout import Surroundings
from restoops.flows.session import Request
from restoops.handover import Handed
from restoops.model import Secret, Value
from restoops.plan.fleet import Ending
from restoops.report.events import FleetEnded
from tests.flows.acting import Operator
from tests.flows.apart import hang_up
from tests.flows.breakage import Died
from tests.flows.clock import FakeClock
from tests.flows.crew import SIZE, again, assert_tidy, fleet, serving
from tests.lab.patience import PATIENCE_S, eventually
from tests.plan.states import V1, V2, WISHES

REQUEST = Request("run-1", "deploy", "staging", "olga", "laptop", "restoops deploy", "2026-01-02")
HANDED = Handed({"KEY": Value(Secret("s3cret"), "abc")}, "spec")
FAR = {"web-2", "web-4"}
"""The hosts that the second process leads."""


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Connection]]:
    """Both ends of a pipe, which nobody reads any more afterwards."""
    ours, theirs = Pipe()
    yield ours, theirs
    hang_up(ours)


@pytest.fixture
def _has_deputy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Operator, "has_deputy", True)


def around() -> Surroundings:
    return Surroundings(lambda _: None, Interrupt(), FakeClock())


def send(end: Connection, message: object) -> None:
    end.send([pickle.dumps(message)])


def killed_at(number: int) -> Operator:
    """Kill the second process of a deploy instead of its `number`th change to a host."""
    operator = fleet(V1)
    far = [host for host in operator.hosts if host.name in FAR]
    changes = 0

    def watch() -> None:
        nonlocal changes
        changes += 1
        if changes == number:
            assert operator.pipe
            hang_up(operator.pipe)  # first: nobody hears how it ended
            for host in far:
                host.end(Died())
            raise Died

    for host in far:
        host.watch = watch
    with contextlib.suppress(RestoopsError):
        operator.deploy_all(V2)
    assert changes >= number, "it was over before"
    for host in far:
        host.holder = None  # it goes with the connection
    return operator


@pytest.mark.usefixtures("_has_deputy")
@pytest.mark.parametrize("number", range(1, 17))
def test_hosts_agree_again_after_the_second_process_was_killed_at_any_change(number: int) -> None:
    operator = killed_at(number)

    near = {host.serving for host in operator.hosts if host.name not in FAR}
    assert len(near) == 1
    assert set(serving(operator)) <= {V1, V2}
    told = operator.told[-1]
    assert isinstance(told, FleetEnded)
    for result in told.hosts:  # who is not sure says so
        truth = next(host for host in operator.hosts if host.name == result.host).serving
        assert result.serves == truth or result.ending is Ending.UNCLEAR or result.error
    later = again(operator)
    later.deploy_all(V2)
    assert_tidy(later, V2)


@pytest.mark.usefixtures("_has_deputy")
def test_nothing_is_left_open() -> None:
    def count() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for _ in range(3):
        fleet(V1).deploy_all(V2)

    assert eventually(lambda: count() <= before)
    assert eventually(lambda: all(it.name != "outbox" for it in threading.enumerate()))


@pytest.mark.usefixtures("_has_deputy")
def test_a_fault_of_our_own_there_is_raised_here() -> None:
    operator = fleet(V1)
    operator.hosts[1].failing["start"] = ZeroDivisionError("there")

    with pytest.raises(RuntimeError, match="ZeroDivisionError: there"):
        operator.deploy_all(V2)


@pytest.mark.usefixtures("_has_deputy")
def test_what_cannot_be_told_is_a_fault_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = fleet(V1)
    far = operator.hosts[1]
    untold = replace(far.state(), secrets=(threading.Lock(),))  # type: ignore[arg-type]
    monkeypatch.setattr(far, "observe", lambda **_: untold)

    with pytest.raises(RuntimeError, match="cannot pickle"):
        operator.deploy_all(V2)


@pytest.mark.usefixtures("_has_deputy")
def test_a_signal_says_what_was_changed_on_the_hosts_of_both() -> None:
    operator = fleet(V1)
    operator.listen = lambda _: operator.interrupt.ask()

    with pytest.raises(Interrupted, match="interrupted"):
        operator.deploy_all(V2)

    assert serving(operator) == [V1] * SIZE
    assert all(host.state().open_run is None for host in operator.hosts)


def test_secrets_are_read_once_for_all_hosts_and_on_this_side(
    ends: tuple[Connection, Connection],
) -> None:
    reads: list[str] = []

    def read() -> Handed:
        reads.append(threading.current_thread().name)
        return HANDED

    ours, theirs = ends
    first, deputy = FirstProcess(theirs, end=lambda: None), Deputy(ours, ["web-2"])
    first.say(Reached(("web-2",), {}))
    deputy.reached(Interrupt())
    deputy.begin(REQUEST, WISHES, around(), read)

    done, failed = side_by_side(lambda _: first.secrets(), range(5), at_once=5)

    assert (list(done.values()), failed, len(reads)) == ([HANDED] * 5, {}, 1)
    deputy.leave()


def test_secrets_that_cannot_be_read_are_an_error_where_they_are_wanted(
    ends: tuple[Connection, Connection],
) -> None:
    def read() -> Handed:
        raise UsageError("the file is gone", hint="Look for it.")

    ours, theirs = ends
    first, deputy = FirstProcess(theirs, end=lambda: None), Deputy(ours, ["web-2"])
    first.say(Reached(("web-2",), {}))
    deputy.reached(Interrupt())
    deputy.begin(REQUEST, WISHES, around(), read)

    for _ in range(2):
        with pytest.raises(UsageError, match="the file is gone") as caught:
            first.secrets()
        assert caught.value.hint == "Look for it."
    deputy.leave()


def test_hosts_that_it_cannot_reach_are_told_with_the_reason(
    ends: tuple[Connection, Connection],
) -> None:
    ours, theirs = ends
    first, deputy = FirstProcess(theirs, end=lambda: None), Deputy(ours, ["web-2", "web-4"])
    first.say(Reached(("web-2",), {"web-4": Unreachable("web-4: no", hint="Is it on?")}))

    reached = deputy.reached(Interrupt())

    assert (reached.hosts, reached.absent["web-4"].hint) == (("web-2",), "Is it on?")
    assert [part.name for part in deputy.begin(REQUEST, WISHES, around(), None)] == ["web-2"]
    deputy.leave()


@pytest.mark.parametrize(
    ("told", "kind", "says"),
    [
        (StepFailed("known_hosts is broken"), StepFailed, "known_hosts is broken"),
        (Fault("ZeroDivisionError"), RuntimeError, "ZeroDivisionError"),
        (None, Unreachable, "the second process of restoops"),
    ],
)
def test_why_it_could_not_begin_is_raised(
    ends: tuple[Connection, Connection], told: object, kind: type[Exception], says: str
) -> None:
    ours, theirs = ends
    deputy = Deputy(ours, ["web-2"])
    if told:
        send(theirs, told)
    else:
        hang_up(theirs)

    with pytest.raises(kind, match=says):
        deputy.reached(Interrupt())
    deputy.leave()


def test_a_signal_ends_the_wait_for_its_connections(ends: tuple[Connection, Connection]) -> None:
    ours, theirs = ends
    first, deputy, interrupt = FirstProcess(theirs, end=lambda: None), Deputy(ours, []), Interrupt()
    interrupt.ask()

    with pytest.raises(Interrupted):
        deputy.reached(interrupt)

    assert eventually(lambda: first.interrupt.is_asked), "the second process goes on connecting"
    deputy.leave()


@pytest.mark.parametrize("how", ["silent", "killed"])
def test_it_ends_when_the_first_process_is_silent_or_gone(
    ends: tuple[Connection, Connection], how: str
) -> None:
    ours, theirs = ends
    ended = threading.Event()
    first = FirstProcess(theirs, silence_s=0.5 if how == "silent" else 1000, end=ended.set)
    send(ours, Beat())
    send(ours, Begin(REQUEST, WISHES))
    assert isinstance(first.begin(), Begin)
    assert not ended.is_set()

    if how == "killed":
        hang_up(ours)

    assert ended.wait(PATIENCE_S)


def test_signs_of_life_keep_it_going(ends: tuple[Connection, Connection]) -> None:
    ours, theirs = ends
    ended = threading.Event()
    deputy = Deputy(ours, [])
    FirstProcess(theirs, silence_s=3, end=ended.set)

    assert not ended.wait(4)

    deputy.leave()


def test_one_that_is_frozen_counts_as_gone(ends: tuple[Connection, Connection]) -> None:
    ours, theirs = ends
    send(theirs, Reached(("web-2",), {}))
    deputy = Deputy(ours, ["web-2"], silence_s=0.5)
    deputy.reached(Interrupt())
    (part,) = deputy.begin(REQUEST, WISHES, around(), None)

    with pytest.raises(Unreachable, match="web-2: the process of restoops that led this host"):
        part.observe()


def test_a_call_after_its_end_says_which_host_it_led(ends: tuple[Connection, Connection]) -> None:
    ours, theirs = ends
    send(theirs, Reached(("web-2",), {}))
    deputy = Deputy(ours, ["web-2"])
    deputy.reached(Interrupt())
    (part,) = deputy.begin(REQUEST, WISHES, around(), None)
    hang_up(theirs)

    with pytest.raises(Unreachable, match="web-2: the process of restoops that led this host"):
        part.observe()
    shown = part.undo(StepFailed("web-1: disk full"))

    assert shown.message.startswith("web-1: disk full; no release is live, as before")
    assert part.result == replace(part.result, ending=Ending.UNDONE, error="web-1: disk full")
