"""Swaps under load: deploys and rollbacks in a row, and not one request fails."""

from collections.abc import Callable

import pytest

from tests.e2e.inside import assert_at_rest
from tests.e2e.running import result
from tests.lab.images import App
from tests.lab.loadrun import LoadResult, LoadRun
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RATE = 500
ENDLESS = ("--seconds", "900")
SLOW = ("--slow-every", str(RATE))  # one request of 10 s begins each second
TERMS = ("graceful", "rude")


class Journey:
    """Swaps one after another, with a note of what served in which order."""

    def __init__(self, operator: Operator, releases: Releases, prefix: str) -> None:
        self._operator = operator
        self._releases = releases
        self._prefix = prefix
        self._number = 0
        self.served: list[str] = []

    def deploy(self) -> None:
        """Deploy a release that was never here, every other one rude on SIGTERM."""
        self._number += 1
        app = App(f"{self._prefix}{self._number}", term=TERMS[self._number % 2])
        tag = self._releases.push(app).tag
        self._note(result(self._operator.deploy(tag, "--json")))

    def roll_back(self, load: LoadRun) -> None:
        """Go back to the release before, by a switch alone if that is warm."""
        load.expect_change()
        self._note(result(self._operator.rollback("--json")))

    def roll_back_to(self, release: str, load: LoadRun) -> None:
        """Go back to a release that ran earlier and has to be started again."""
        load.expect_change()
        self._note(result(self._operator.rollback(f"sha-{release}", "--json")))

    def _note(self, ended: dict[str, object]) -> None:
        release = ended["release"]
        assert isinstance(release, dict)
        assert ended["changed"]
        assert ended["cut"] == 0
        self.served.append(str(release["tag"]).removeprefix("sha-"))


def swap_under_load(
    operator: Operator, journey: Journey, moves: int, options: tuple[str, ...] = ()
) -> LoadResult:
    """Make `moves` swaps, of each four two deploys, a rollback to the last and one further."""
    journey.deploy()
    with LoadRun(operator.url, RATE, (*ENDLESS, *options)) as load:
        load.wait_for_traffic()
        turns: tuple[Callable[[], None], ...] = (
            journey.deploy,
            journey.deploy,
            lambda: journey.roll_back(load),
            lambda: journey.roll_back_to(journey.served[-4], load),
        )
        for move in range(moves):
            turns[move % len(turns)]()
            load.wait_for_release(journey.served[-1])
        return load.stop()


def check(outcome: LoadResult, journey: Journey, moves: int) -> None:
    """Not one request failed, and clients saw the releases in the order of the swaps."""
    print(outcome)
    assert (outcome.failed, outcome.mixed) == (0, 0), str(outcome)
    assert outcome.requests >= RATE * (len(outcome.per_second) - 1)
    assert outcome.sequence == journey.served
    assert len(journey.served) == moves + 1


@pytest.mark.parametrize(
    ("name", "warm_s", "moves"),
    [
        pytest.param("a", 600, 6, id="six, the one before is kept warm"),
        pytest.param("b", 0, 3, id="three, the one before is stopped"),
        pytest.param("c", 600, 20, id="twenty, warm", marks=pytest.mark.full),
        pytest.param("d", 0, 20, id="twenty, stopped", marks=pytest.mark.full),
    ],
)
def test_no_request_fails_in_swaps_in_a_row(
    operator: Operator, releases: Releases, name: str, warm_s: int, moves: int
) -> None:
    operator.settings["swap"] = {"warm_s": warm_s}
    journey = Journey(operator, releases, name)

    check(swap_under_load(operator, journey, moves), journey, moves)

    found = assert_at_rest(operator.droplet)
    assert found.live_tag == f"sha-{journey.served[-1]}"
    assert found.slots[found.other].state == ("running" if warm_s else "exited")


@pytest.mark.parametrize(
    ("name", "warm_s", "moves"),
    [
        pytest.param("s", 0, 1, id="one, the one before is stopped", marks=pytest.mark.full),
        pytest.param("t", 600, 20, id="twenty, warm", marks=pytest.mark.full),
        pytest.param("u", 0, 20, id="twenty, stopped", marks=pytest.mark.full),
    ],
)
@pytest.mark.timeout(900)
def test_no_request_of_ten_seconds_fails_that_runs_at_the_switch(
    operator: Operator, releases: Releases, name: str, warm_s: int, moves: int
) -> None:
    operator.settings["swap"] = {"warm_s": warm_s}
    journey = Journey(operator, releases, name)

    outcome = swap_under_load(operator, journey, moves, SLOW)

    check(outcome, journey, moves)
    # Each drain had to wait for the request of 10 s that began last before the switch.
    assert outcome.slow["ok"] > 5 * moves
