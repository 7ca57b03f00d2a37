"""Hosts that a second process leads: Python computes on one processor only.

What is decided stays with the first process. What it does with one of these hosts is a call, which
the second makes on the host's `Session`; what happens there meanwhile is told back. The other side
is `deputing`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

from restoops.adapters.connection import LEASE_S
from restoops.adapters.history import shared
from restoops.errors import DeputyGone, Interrupted, RestoopsError, Unreachable
from restoops.flows.background import in_background
from restoops.flows.deputy_talk import (
    THE_RUN,
    Beat,
    Begin,
    Call,
    End,
    Fault,
    Leave,
    Noted,
    Outbox,
    Reached,
    Reply,
    Secrets,
    SecretsWanted,
    Told,
    opened,
)
from restoops.flows.interrupt import Interrupt
from restoops.flows.part import Part, Standing
from restoops.flows.rollout import Surroundings
from restoops.flows.session import Request, not_settled, not_undone
from restoops.handover import Handed
from restoops.model import HostState
from restoops.plan.bake import Figures
from restoops.plan.bluegreen import SwapPlan, Wishes
from restoops.plan.fleet import Ending, HostResult

_LOOK_S = 0.05
"""How often it is looked whether somebody asks for an end."""
_BEAT_S = 1.0


@dataclass(slots=True)
class _Waiting:
    """A call that has not been answered."""

    interrupt: Interrupt | None
    reply: Reply | None = None
    is_told: bool = False
    """Whether the second process knows that somebody asks for its end."""
    done: threading.Event = field(default_factory=threading.Event)


class Deputy:
    """The second process, as the first one sees it."""

    def __init__(
        self, pipe: Connection, hosts: Sequence[str], *, silence_s: float = LEASE_S
    ) -> None:
        """Know it by its `pipe`; it connects to `hosts` meanwhile."""
        self.hosts = tuple(hosts)
        self._pipe = pipe
        self._silence_s = silence_s
        self._waiting: dict[int, _Waiting] = {}
        self._numbers = itertools.count(THE_RUN + 1)
        self._outbox = Outbox(pipe)
        self._is_over = threading.Event()
        self._interrupt = Interrupt()
        self._reached: tuple[str, ...] = ()
        self._begun: tuple[Surroundings, Callable[[], Handed] | None] | None = None
        threading.Thread(target=self._beat, name="deputy", daemon=True).start()

    def reached(self, interrupt: Interrupt) -> Reached:
        """Wait until it has connected; `interrupt` ends what it does from now on.

        Raises:
            Interrupted: somebody asked for it.
            Unreachable: the process has ended.
        """
        self._interrupt = interrupt
        told: object = Beat()
        while isinstance(told, Beat):
            while not self._pipe.poll(_LOOK_S):
                interrupt.check()
            parcel = self._heard() or [None]
            told = next((it for it in parcel if not isinstance(it, Beat)), told)
        if isinstance(told, Reached):
            self._reached = told.hosts
            return told
        interrupt.check()
        raise _raised(told) if isinstance(told, Fault | RestoopsError) else _no_deputy()

    def begin(
        self,
        request: Request,
        wishes: Wishes,
        around: Surroundings,
        secrets: Callable[[], Handed] | None,
    ) -> tuple[Distant, ...]:
        """Begin the run on the hosts that were reached; return it, host by host.

        `secrets` reads what releases are given, if that is asked for there.
        """
        self._begun = around, secrets
        self._outbox.put(Begin(request, wishes))
        threading.Thread(target=self._listen, name="deputy", daemon=True).start()
        return tuple(Distant(self, host) for host in self._reached)

    def call(
        self, host: str, method: str, arguments: Mapping[str, Any], interrupt: Interrupt | None
    ) -> Reply:
        """Do something with a host there, and return what came of it.

        Raises:
            DeputyGone: the process has ended.
        """
        number, waiting = next(self._numbers), _Waiting(interrupt)
        self._waiting[number] = waiting
        try:
            self._outbox.put(Call(number, host, method, arguments, interrupt is not None))
            while not self._is_over.is_set() and not waiting.done.wait(_BEAT_S):
                pass  # never without end, see `background`
        finally:
            del self._waiting[number]
        if waiting.reply is None:
            raise DeputyGone(
                f"{host}: the process of restoops that led this host has ended",
                hint="Was it killed, or was memory short? What had begun there is put right by the "
                "next deploy or rollback.",
            )
        return waiting.reply

    def leave(self) -> None:
        """Let it close its connections and end."""
        self._outbox.put(Leave())
        self._outbox.end()
        self._is_over.set()

    def _heard(self) -> list[Any]:
        """Return what it said next; nothing once it has ended."""
        try:
            return list(opened(self._pipe.recv()))
        except (EOFError, OSError):
            return []

    def _beat(self) -> None:
        """Give signs of life, and tell what somebody asks to end."""
        is_told, ticks = False, itertools.count()
        while not self._is_over.wait(_LOOK_S):
            if next(ticks) % (_BEAT_S // _LOOK_S) == 0:
                self._outbox.put(Beat())
            if self._interrupt.is_asked and not is_told:
                is_told = True
                self._outbox.put(End(THE_RUN))
            for number, waiting in tuple(self._waiting.items()):
                if waiting.interrupt and waiting.interrupt.is_asked and not waiting.is_told:
                    waiting.is_told = True
                    self._outbox.put(End(number))

    def _listen(self) -> None:
        """Take in what it tells, until it has ended or is frozen: then no answer is waited for."""
        assert self._begun  # noqa: S101  begin() has set it
        around, read = self._begun
        try:
            while self._pipe.poll(self._silence_s) and (parcel := self._heard()):
                for told in parcel:
                    self._take_in(told, around, read)
        finally:
            self._is_over.set()
            for waiting in tuple(self._waiting.values()):
                waiting.done.set()

    def _take_in(
        self, told: object, around: Surroundings, read: Callable[[], Handed] | None
    ) -> None:
        match told:
            case Reply(call=number):
                if waiting := self._waiting.get(number):
                    waiting.reply = told
                    waiting.done.set()
            case Told(event):
                around.tell(event)
            case Noted(so_far):
                around.interrupt.note(so_far)
            case SecretsWanted() if read:
                in_background(lambda: self._outbox.put(_secrets(read)))


class Distant(Part):
    """A host that the second process leads."""

    def __init__(self, deputy: Deputy, name: str) -> None:
        self._deputy = deputy
        self._name = name
        self._standing = Standing(HostResult(name, Ending.UNCHANGED, None))
        self._may_have_switched = False

    @property
    def name(self) -> str:
        """The host."""
        return self._name

    @property
    def standing(self) -> Standing:
        """How far the run had come after the last call."""
        return self._standing

    def take_lock(self, *, wait_s: int) -> None:
        """Take the lock of the host."""
        self._call("take_lock", wait_s=wait_s)

    def give_lock_back(self) -> None:
        """Let others have the host."""
        self._call("give_lock_back")

    def observe(self) -> HostState:
        """Return what is there."""
        found: HostState = self._call("observe")
        return replace(found, history=shared(found.history))

    def recover(self, state: HostState, *, may_finish: bool) -> HostState:
        """Put right a run that was cut off."""
        found: HostState = self._call("recover", state=state, may_finish=may_finish)
        return found

    def prepare(self, plan: SwapPlan, state: HostState, interrupt: Interrupt) -> None:
        """Do all that clients do not notice."""
        self.plan = plan
        self._call("prepare", interrupt, plan=plan, state=state)

    def run_command(self, command: tuple[str, ...], timeout_s: float, interrupt: Interrupt) -> None:
        """Run the release command."""
        self._call("run_command", interrupt, command=command, timeout_s=timeout_s)

    def make_sure(self) -> None:
        """Ask for a sign of life."""
        self._call("make_sure")

    def switch(self, interrupt: Interrupt) -> None:
        """Send traffic to the new release."""
        self._may_have_switched = True
        self._call("switch", interrupt)

    def bake(self, interrupt: Interrupt, for_s: float | None = None) -> Figures | None:
        """Watch the new release."""
        found: Figures | None = self._call("bake", interrupt, for_s=for_s)
        return found

    def settle(self, interrupt: Interrupt) -> None:
        """Retire the release before."""
        try:
            self._call("settle", interrupt)
        except DeputyGone as gone:
            assert self.plan  # noqa: S101  prepare() has set it
            self._end(self.result.ending, gone)
            raise not_settled(self.plan.release, gone, gone.hint) from gone

    def serves_new(self) -> bool:
        """Return whether traffic goes to the new release."""
        found: bool = self._call("serves_new")
        return found

    def leave_interrupted(self, *, finish: bool) -> None:
        """Undo or finish the run."""
        self._call("leave_interrupted", finish=finish)

    def undo(self, error: RestoopsError) -> RestoopsError:
        """Leave the release before serving."""
        try:
            shown: RestoopsError = self._call("undo", error=error)
        except DeputyGone as gone:
            switched = self._may_have_switched
            self._end(Ending.UNCLEAR if switched else Ending.UNDONE, error)
            return not_undone(error, gone, self.previous, switched=switched)
        return shown

    def _end(self, ending: Ending, error: RestoopsError) -> None:
        result = replace(self.result, ending=ending, error=error.message)
        self._standing = replace(self._standing, result=result)

    def _call(self, method: str, interrupt: Interrupt | None = None, **arguments: Any) -> Any:
        reply = self._deputy.call(self.name, method, arguments, interrupt)
        self._standing = reply.standing
        if isinstance(reply.error, Interrupted) and interrupt:
            interrupt.check()  # what was changed on all hosts is known here only
        if reply.error:
            raise _raised(reply.error)
        return reply.value


def _no_deputy() -> Unreachable:
    return Unreachable(
        "the second process of restoops, which leads half of the hosts, has ended",
        hint="Was memory short? Nothing was changed. `fleet.second_process_from: 1000` in "
        "restoops.yaml does without it.",
    )


def _raised(error: RestoopsError | Fault) -> Exception:
    return RuntimeError(error.text) if isinstance(error, Fault) else error


def _secrets(read: Callable[[], Handed]) -> Secrets:
    try:
        return Secrets(read())
    except RestoopsError as error:
        return Secrets(error)
