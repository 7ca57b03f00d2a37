"""Rotations on a real host: under traffic, killed, and with a value that no release starts with."""

from __future__ import annotations

import re
import signal
from contextlib import ExitStack

import pytest

from tests.docs_text import PAGES, shown_commands
from tests.e2e.canaries import is_step_of
from tests.e2e.conditions import done_and_undone
from tests.e2e.inside import DIRECTORY, assert_at_rest
from tests.e2e.running import Event, Running
from tests.e2e.test_secrets import Keeper, given
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator, Outcome
from tests.lab.patience import PATIENCE_S
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

SHOWN = [
    it for page in PAGES for it in shown_commands(page) if it.words[:2] == ["secrets", "rotate"]
]
TEMPLATE = "SESSION_KEY=<key>\n\nMODE=<mode>\n"
SOUND, SICK = "healthy-as-ever", "never-healthy"


@pytest.fixture(scope="module")
def keeper(operator: Operator, releases: Releases) -> Keeper:
    """One whose release does as its secret MODE says."""
    made = Keeper(operator, releases)
    operator.settings["secrets"] |= {"as_environment": ["MODE"]}
    (operator.folder / "template.env").write_text(TEMPLATE)
    made.keep(SESSION_KEY="the-first-session-key", MODE=SOUND)
    operator.deploy(made.release("rot1").tag)
    operator.deploy(made.release("rot2").tag)
    return made


def stored(keeper: Keeper, name: str) -> str:
    """The value that the source has."""
    text = (keeper.operator.folder / "staging.env").read_text()
    found = re.search(rf"^{name}='?([^'\n]*)", text, re.MULTILINE)
    assert found
    return found[1]


def rotate(keeper: Keeper, *words: str, piped: str | None = None) -> Outcome:
    """Rotate; with `piped` on standard input."""
    return keeper.operator.run("secrets", "rotate", *words, "staging", "--yes", piped=piped)


def everywhere(keeper: Keeper) -> str:
    """The value that the source, what serves and what is kept have."""
    inside = assert_at_rest(keeper.droplet)
    value = stored(keeper, "SESSION_KEY")
    running = [slot for slot, it in inside.slots.items() if it.state == "running"]
    assert inside.live in running
    for slot in running:
        assert keeper.inside(slot, "cat SESSION_KEY") == value, slot
        assert not keeper.shows(slot, value)
    status = keeper.operator.must("secrets", "status", "staging", "--json").events[0]
    assert status["behind"] == []
    return value


def test_a_rotation_under_traffic_fails_no_request_and_is_everywhere(keeper: Keeper) -> None:
    before = given(keeper, assert_at_rest(keeper.droplet).live)
    with LoadRun(keeper.operator.url, 50, ("--seconds", "900")) as load:
        load.wait_for_traffic()
        done = rotate(keeper, "SESSION_KEY", "--generate", "--json")
        outcome = load.stop()

    assert done.status == 0, done
    assert (outcome.failed, outcome.requests > 0) == (0, True)
    value = everywhere(keeper)
    assert (len(value), done.events[-1]["behind"]) == (43, [])
    assert given(keeper, assert_at_rest(keeper.droplet).live) != before
    assert value not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "step", ["start", *(pytest.param(it, marks=pytest.mark.full) for it in ("switch", "drain"))]
)
def test_one_that_is_killed_in_the_roll_is_finished_by_the_next(keeper: Keeper, step: str) -> None:
    def kill(running: Running, event: Event) -> None:
        if "step" in event and is_step_of(event, step):
            running.signal(signal.SIGKILL)

    words = ("secrets", "rotate", "SESSION_KEY", "staging", "--generate", "--yes", "--json")
    with Running(keeper.operator.start(*words), kill) as running:
        assert running.finish().status == -signal.SIGKILL
    value = stored(keeper, "SESSION_KEY")
    told = keeper.operator.must("secrets", "status", "staging")

    done = keeper.operator.run(*words)

    assert "not everywhere yet: SESSION_KEY" in told.stdout
    assert (done.status, done.events[-1]["begin"]) == (0, "finishing"), done
    assert everywhere(keeper) == value
    resumed = rotate(keeper, "SESSION_KEY", "--resume", "--json")
    assert (resumed.status, resumed.events[-1]["begin"]) == (0, "nothing to finish")


@pytest.mark.full
def test_one_that_is_killed_as_it_stores_the_value_leaves_the_old_or_the_new(
    keeper: Keeper,
) -> None:
    old = stored(keeper, "SESSION_KEY")
    words = ("secrets", "rotate", "SESSION_KEY", "staging", "--generate", "--yes")
    process = keeper.operator.start(*words)
    assert process.stderr
    for line in process.stderr:
        if "store the new value" in line:
            process.kill()
            break
    process.communicate(timeout=60)
    new = stored(keeper, "SESSION_KEY")
    assert len(new) in (len(old), 43)

    done = keeper.operator.must(*words, "--json")

    assert done.events[-1]["begin"] == ("new value" if new == old else "finishing")
    assert everywhere(keeper) == (stored(keeper, "SESSION_KEY") if new == old else new)


@pytest.mark.full
@pytest.mark.parametrize("part", ["the deploy", "what is kept"])
def test_a_signal_ends_the_wait_for_a_lock_and_the_next_run_finishes(
    keeper: Keeper, part: str
) -> None:
    begin = f"systemd-run --quiet --unit=holder flock {DIRECTORY}/lock sleep 600"
    words = ("secrets", "rotate", "SESSION_KEY", "staging", "--generate", "--yes", "--wait", "600")
    with ExitStack() as held:
        holding = done_and_undone(keeper.droplet, begin, "systemctl stop holder")
        if part == "the deploy":
            held.enter_context(holding)
        process = keeper.operator.start(*words)
        held.callback(process.kill)
        assert process.stderr
        for line in process.stderr:
            if part == "what is kept" and line.startswith("deploy "):
                held.enter_context(holding)  # it gets the lock when the deploy gives it back
            if "waiting for" in line:
                break
        process.send_signal(signal.SIGINT)
        shown, told = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, "interrupted" in told) == (130, True), told
    assert "done: store the new value in the source" in shown
    assert "nothing was changed" not in told
    assert "--resume" in told
    done = rotate(keeper, "SESSION_KEY", "--resume", "--json")
    assert (done.status, done.events[-1]["begin"]) == (0, "finishing"), done
    everywhere(keeper)


def test_a_value_that_no_release_is_healthy_with_leaves_what_serves_as_it_was(
    keeper: Keeper,
) -> None:
    before = assert_at_rest(keeper.droplet).live

    done = rotate(keeper, "MODE", piped=f"{SICK}\n")

    assert done.status == 1, done
    live = assert_at_rest(keeper.droplet).live
    assert (live, keeper.environment(live)["MODE"], stored(keeper, "MODE")) == (before, SOUND, SICK)
    assert "--resume" in done.stderr
    assert "behind" in done.stdout
    assert "done: store the new value in the source" in done.stdout

    back = rotate(keeper, "MODE", "--instead", piped=SOUND)

    assert back.status == 0, back
    assert stored(keeper, "MODE") == SOUND
    everywhere(keeper)


def test_what_the_documentation_shows_works(keeper: Keeper) -> None:
    for shown in SHOWN:
        assert keeper.operator.run(*shown.words).status == 0, shown.line
