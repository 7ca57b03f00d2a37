"""A rotation on hosts in memory: killed anywhere, the next run brings it to the same end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from restoops.config.schema import Secrets
from restoops.errors import CheckRefused, Refused, RestoopsError, StepFailed
from restoops.flows.interrupt import Interrupt
from restoops.flows.secrets_current import Kept
from restoops.flows.secrets_roll import hand_to
from restoops.flows.secrets_rotate import Places, Rotator, Talk
from restoops.flows.secrets_sources import Keeping
from restoops.model import HostState, Placed, Secret, Value
from restoops.plan.env_template import Template, Variable
from restoops.plan.fingerprints import KEY_NAME, fingerprint, fingerprint_of_all
from restoops.plan.secret_rotation import Asked, Begin, Rotation, SecretRotated, Step
from tests.flows.acting import SECRETS, Operator
from tests.flows.breakage import Died
from tests.flows.fake import FakeHost
from tests.plan.states import SPEC, V1, V2

KEY = Secret("k" * 40)
OLD, NEW, OTHER = (f"{word}-value-of-the-key" for word in ("old", "new", "other"))
TEMPLATE = Template((Variable("KEY"), Variable("URL", is_optional=True)), ())


def print_of(value: str) -> str:
    return fingerprint(KEY, "KEY", Secret(value))


@dataclass
class Memory:
    """A source, a GitHub and two hosts; all that changes any of them is counted."""

    value: str = OLD
    github: str = ""
    hosts: tuple[FakeHost, ...] = ()
    changes: int = 0
    dies_at: int = 0
    told: list[str] = field(default_factory=list)
    shown: str = "a source"
    is_exclusive: bool = True
    name: str = "github"
    takes_new: bool = True
    note: str = ""

    def change(self) -> None:
        self.changes += 1
        if self.changes == self.dies_at:
            for host in self.hosts:
                host.end(Died())
            raise Died

    # The source

    def read(self) -> Mapping[str, Secret]:
        return {KEY_NAME: KEY, "KEY": Secret(self.value)}

    def write(self, values: Mapping[str, Secret]) -> None:
        self.change()
        self.value = values["KEY"].reveal()

    # GitHub

    def placed(self) -> Mapping[str, Placed]:
        return {"KEY": Placed(self.github)}

    def put(self, values: Mapping[str, Value]) -> None:
        self.change()
        self.github = values["KEY"].fingerprint

    # The hosts

    def states(self) -> Mapping[str, HostState]:
        return {host.name: host.observe() for host in self.hosts}

    def roll(self) -> None:
        self.operator().renew()

    def hand(self, values: Mapping[str, Value]) -> None:
        hand_to(self.hosts, values)

    def operator(self) -> Operator:
        """Somebody who deploys with the secrets that the source has."""
        value = Value(Secret(self.value), print_of(self.value))
        spec = fingerprint_of_all({"KEY": value})
        for host in self.hosts:
            host.secrets, host.values = spec, {"KEY": value.fingerprint}
        wishes = replace(SECRETS, spec=f"{SPEC}+{spec}", keep=3)
        return Operator(self.hosts[0], wishes, others=self.hosts[1:])

    def again(self) -> None:
        """The command is gone; another one is typed."""
        self.dies_at = 0
        for host in self.hosts:
            host.reconnect()
            host.holder = None

    def has(self) -> list[str]:
        """The fingerprint of each place: the source, GitHub, what serves, and what is kept."""
        sets = [one.placed["KEY"].fingerprint for host in self.hosts for one in host.sets.values()]
        return [print_of(self.value), self.github, *map(self.serves, self.hosts), *sets]

    def serves(self, host: FakeHost) -> str:
        serving = host.state().serving
        assert serving
        assert host.serving == V2
        return host.sets[serving.secrets].placed["KEY"].fingerprint


@pytest.fixture
def memory() -> Memory:
    found = Memory(github=print_of(OLD), hosts=(FakeHost(name="web-1"), FakeHost(name="web-2")))
    for release in (V1, V2):
        found.operator().deploy_all(release)
    for host in found.hosts:
        host.watch = found.change
    return found


def rotate(
    memory: Memory,
    value: str = "",
    *,
    source: Any = None,
    piped: str = "",
    dry_run: bool = False,
    confirm: Callable[[Rotation], None] = lambda _: None,
    **asked: bool,
) -> tuple[SecretRotated, RestoopsError | None]:
    keeping = Keeping("staging", "app", Path("/"), Secrets(), Path("/"), {})
    source = source or memory
    kept = Kept(keeping, TEMPLATE, source, source.read())
    talk = Talk(
        memory.told.append, confirm, lambda _: Secret(value) if value else None,
        lambda: Secret(piped) if piped else None,
    )  # fmt: skip
    places = Places(memory, memory)
    return Rotator("KEY", Asked(**asked), places, talk, dry_run).run(kept)


def test_a_new_value_is_everywhere_in_the_end(memory: Memory) -> None:
    rotated, error = rotate(memory, NEW)

    assert error is None
    assert (rotated.begin, rotated.steps, rotated.behind) == (Begin.NEW, tuple(Step), ())
    assert set(memory.has()) == {print_of(NEW)}
    assert NEW not in " ".join(memory.told)


def test_who_interrupts_is_told_all_that_was_done(memory: Memory) -> None:
    interrupt = Interrupt()

    def tell(line: str) -> None:
        if Step.KEPT.value in line:
            interrupt.ask()

    keeping = Keeping("staging", "app", Path("/"), Secrets(), Path("/"), {})
    kept = Kept(keeping, TEMPLATE, memory, memory.read())
    talk = Talk(tell, lambda _: None, lambda _: Secret(NEW), lambda: None, interrupt)

    _, error = Rotator("KEY", Asked(), Places(memory, memory), talk).run(kept)

    assert error is not None
    assert all(it.value in error.message for it in Step if it is not Step.VERIFY)


def test_one_that_is_generated_is_another_each_time(memory: Memory) -> None:
    rotate(memory)
    first = memory.value
    rotate(memory)

    assert len({OLD, first, memory.value}) == 3


CHANGES = 34
"""In a whole rotation; a test counts them."""


def test_the_changes_are_counted_right(memory: Memory) -> None:
    rotate(memory, NEW)

    assert memory.changes == CHANGES


@pytest.mark.parametrize("number", range(1, CHANGES + 1))
def test_killed_at_any_change_the_next_run_finishes(memory: Memory, number: int) -> None:
    memory.dies_at = number
    with pytest.raises(Died):
        rotate(memory, NEW)
    memory.again()
    is_stored = memory.value == NEW

    rotated, error = rotate(memory, NEW if not is_stored else OTHER)

    assert error is None
    assert rotated.begin is (Begin.FINISH if is_stored else Begin.NEW)
    assert set(memory.has()) == {print_of(NEW)}
    assert rotate(memory, resume=True)[0].begin is Begin.NOTHING


def test_a_release_that_is_sick_with_it_leaves_hosts_as_they_were(memory: Memory) -> None:
    memory.hosts[1].failing["ask"] = StepFailed("not healthy")

    rotated, error = rotate(memory, NEW)

    assert isinstance(error, StepFailed)
    assert "--resume" in error.hint
    assert "--instead" in error.hint
    assert (rotated.steps, rotated.behind) == ((Step.SOURCE, Step.GITHUB), ("web-1", "web-2"))
    source, github, *hosts = memory.has()
    assert (source, github, set(hosts)) == (print_of(NEW), print_of(NEW), {print_of(OLD)})


@pytest.mark.parametrize("value", [OLD, OTHER])
def test_then_the_old_one_or_another_one_can_be_taken(memory: Memory, value: str) -> None:
    memory.hosts[1].failing["ask"] = StepFailed("not healthy")
    rotate(memory, NEW)

    rotated, error = rotate(memory, value, instead=True)

    assert (error, rotated.behind) == (None, ())
    assert set(memory.has()) == {print_of(value)}


def test_a_value_that_is_piped_in_while_another_is_not_everywhere_is_refused(
    memory: Memory,
) -> None:
    memory.value = NEW

    with pytest.raises(Refused, match="is another"):
        rotate(memory, piped=OTHER)
    rotated, error = rotate(memory, piped=NEW)

    assert (rotated.begin, error, set(memory.has())) == (Begin.FINISH, None, {print_of(NEW)})


class ReadOnly:
    """A source that restoops cannot write to."""

    shown = "the environment"
    is_exclusive = False

    def __init__(self, value: str) -> None:
        self._value = value

    def read(self) -> Mapping[str, Secret]:
        return {KEY_NAME: KEY, "KEY": Secret(self._value)}


def test_a_source_that_can_only_be_read_has_to_have_it_already(memory: Memory) -> None:
    with pytest.raises(Refused, match="can only be read"):
        rotate(memory, source=ReadOnly(OLD))
    assert memory.changes == 0

    memory.value = NEW  # for what is deployed
    rotated, error = rotate(memory, source=ReadOnly(NEW))

    assert (rotated.begin, error, set(memory.has())) == (Begin.FINISH, None, {print_of(NEW)})


@pytest.mark.parametrize("value", [OLD, NEW])
def test_a_dry_run_changes_nothing(memory: Memory, value: str) -> None:
    memory.value = value

    rotated, error = rotate(memory, NEW, dry_run=True)

    assert (error, memory.changes, memory.told) == (None, 0, [])
    assert rotated.steps == (tuple(Step) if value == OLD else tuple(Step)[1:])


def test_one_that_does_not_fit_or_is_not_confirmed_changes_nothing(memory: Memory) -> None:
    def refuse(_: Rotation) -> None:
        raise Refused("not confirmed")

    for value in (OLD, "short", "<password>"):
        with pytest.raises(Refused):
            rotate(memory, value)
    with pytest.raises(Refused, match="not confirmed"):
        rotate(memory, NEW, confirm=refuse)
    assert (memory.changes, memory.value) == (0, OLD)


def test_another_secret_that_is_wrong_is_found_before_anything_is_written(memory: Memory) -> None:
    class Unfit(Memory):
        def read(self) -> Mapping[str, Secret]:
            return {**super().read(), "SURPLUS": Secret("x")}

    with pytest.raises(CheckRefused):
        rotate(memory, NEW, source=Unfit())
    assert memory.changes == 0
