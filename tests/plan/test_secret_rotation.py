"""What is left to do is told by what each place has, and by nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from restoops.errors import Refused, UsageError
from restoops.handover import SecretSet
from restoops.model import Color, HostState, Placed, Proxy
from restoops.plan.env_template import Variable
from restoops.plan.secret_rotation import (
    Asked,
    Begin,
    Has,
    Spot,
    Step,
    generated,
    on_host,
    plan_rotation,
    refuse_unfit_value,
    wanted,
    what_serves,
)
from tests.plan.states import V1, V2, runs

SOURCE, GITHUB, ROLL, KEPT, VERIFY = Step
WEB = Spot("web-1", Has.CURRENT)
WEB_BEHIND, WEB_MISSING = replace(WEB, has=Has.BEHIND), replace(WEB, has=Has.MISSING)
WEB_KEPT, WEB_UNUSED = replace(WEB, has=Has.KEPT_BEHIND), replace(WEB, has=Has.UNUSED)
HUB = Spot("github", Has.CURRENT, is_host=False)
HUB_BEHIND, HUB_MISSING = replace(HUB, has=Has.BEHIND), replace(HUB, has=Has.MISSING)
OLDER = "an older value"


@pytest.mark.parametrize(
    ("spots", "begin", "steps"),
    [
        pytest.param([WEB], Begin.NEW, (SOURCE, ROLL, KEPT, VERIFY), id="all is current"),
        pytest.param([HUB, WEB], Begin.NEW, (SOURCE, GITHUB, ROLL, KEPT, VERIFY), id="and GitHub"),
        pytest.param([HUB], Begin.NEW, (SOURCE, GITHUB, VERIFY), id="GitHub alone"),
        pytest.param([WEB_UNUSED], Begin.NEW, (SOURCE, VERIFY), id="nothing serves"),
        pytest.param([HUB_BEHIND, WEB_BEHIND], Begin.FINISH, (GITHUB, ROLL, KEPT, VERIFY),
                     id="killed after the source"),
        pytest.param([HUB_MISSING, WEB], Begin.FINISH, (GITHUB, VERIFY), id="GitHub has none"),
        pytest.param([HUB, WEB_BEHIND], Begin.FINISH, (ROLL, KEPT, VERIFY),
                     id="killed after GitHub, or in the roll"),
        pytest.param([HUB, WEB, WEB_BEHIND], Begin.FINISH, (ROLL, KEPT, VERIFY),
                     id="one of two hosts"),
        pytest.param([HUB, WEB_KEPT], Begin.FINISH, (ROLL, KEPT, VERIFY), id="killed after it"),
        pytest.param([WEB_MISSING], Begin.FINISH, (ROLL, KEPT, VERIFY), id="never handed over"),
    ],
)  # fmt: skip
def test_what_is_left(spots: list[Spot], begin: Begin, steps: tuple[Step, ...]) -> None:
    found = plan_rotation(spots, Asked(), has_value=True)
    resumed = plan_rotation(spots, Asked(resume=True), has_value=True)
    other = plan_rotation(spots, Asked(instead=True), has_value=True)

    assert (found.begin, found.steps) == (begin, steps)
    is_left = begin is Begin.FINISH
    assert (resumed.begin, resumed.steps) == ((begin, steps) if is_left else (Begin.NOTHING, ()))
    assert (other.begin, other.steps[0]) == (Begin.NEW, SOURCE)


def test_where_the_source_has_no_value_there_is_nothing_to_finish() -> None:
    assert plan_rotation([WEB_MISSING], Asked(), has_value=False).begin is Begin.NEW


def test_to_finish_and_to_take_another_one_do_not_go_together() -> None:
    with pytest.raises(UsageError):
        Asked(resume=True, instead=True)


def state(serving: str, **sets: str) -> HostState:
    """A host with sets `own` and `kept`, each with a fingerprint; one of them serves."""
    kept = [
        SecretSet(name, (V1 if name == "own" else V2).digest, "r", "t", "s", is_complete=True,
                  placed={"KEY": Placed(value, "since")} if value else {})
        for name, value in sets.items()
    ]  # fmt: skip
    blue = replace(runs(Color.BLUE, V1), secrets=serving)
    return HostState(
        "web-1",
        proxy=Proxy(True, True, Color.BLUE, Color.BLUE, frozenset([Color.BLUE])),
        containers={Color.BLUE: blue} if serving else {},
        images=frozenset([V1.digest, V2.digest]),
        secrets=tuple(kept),
    )


@pytest.mark.parametrize(
    ("found", "has"),
    [
        pytest.param(state("own", own="new", kept="new"), Has.CURRENT, id="all of it"),
        pytest.param(state("own", own="old", kept="new"), Has.BEHIND, id="what serves"),
        pytest.param(state("own", own="", kept="new"), Has.MISSING, id="without the name"),
        pytest.param(state("gone", kept="new"), Has.MISSING, id="without any secrets"),
        pytest.param(state("own", own="new", kept="old"), Has.KEPT_BEHIND, id="what is kept"),
        pytest.param(state("own", own="new", kept=""), Has.CURRENT, id="kept has no room"),
        pytest.param(state(""), Has.UNUSED, id="nothing serves"),
        pytest.param(state("", kept="old"), Has.KEPT_BEHIND, id="nothing serves, one is kept"),
    ],
)
def test_what_a_host_has(found: HostState, has: Has) -> None:
    assert on_host("KEY", "new", found).has is has


def test_a_release_without_an_image_holds_nothing_up() -> None:
    found = state("own", own="new", kept="old")

    assert on_host("KEY", "new", replace(found, images=frozenset())).has is Has.CURRENT


def test_hosts_that_differ_are_refused() -> None:
    both = {"web-1": state("own"), "web-2": state("")}

    with pytest.raises(Refused, match="web-1: v1; web-2: nothing"):
        what_serves(both)
    assert what_serves({"web-1": state("own")}) == V1.tag
    assert what_serves({"web-1": state("")}) == ""


def test_which_names_there_are() -> None:
    variables = [Variable("KEY")]

    assert wanted("KEY", variables) is variables[0]
    with pytest.raises(UsageError, match="knows no OTHER"):
        wanted("OTHER", variables)
    with pytest.raises(UsageError, match="all values look changed"):
        wanted("SECRETS_FINGERPRINT_KEY", variables)


@pytest.mark.parametrize(
    ("variable", "shape"),
    [
        pytest.param(Variable("K"), r"[0-9A-Za-z]{43}", id="256 bits"),
        pytest.param(Variable("K", min_length=50), r"[0-9A-Za-z]{50}", id="more are wanted"),
        pytest.param(Variable("K", pattern="[0-9a-f]{64}"), r"[0-9a-f]{64}", id="digits alone"),
    ],
)
def test_what_is_generated(variable: Variable, shape: str) -> None:
    def choose(letters: str, length: int) -> str:
        return (letters * length)[:length]

    assert re.fullmatch(shape, generated(variable, choose))


@pytest.mark.parametrize(
    "variable",
    [Variable("K", type="url"), Variable("K", type="integer"), Variable("K", pattern="sk_.*")],
    ids=["a URL", "a number", "a pattern"],
)
def test_what_cannot_be_generated(variable: Variable) -> None:
    with pytest.raises(Refused, match="no value for K can be generated"):
        generated(variable, lambda letters, length: letters[0] * length)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "is empty"),
        (OLDER, "has already"),
        ("<password>", "placeholder"),
        ("aB3$eF6!", "should have 9 characters"),
        ("aaaaaaaaaaaa", "too short or too common"),
    ],
)
def test_what_is_no_new_value(value: str, fault: str) -> None:
    with pytest.raises(Refused, match=fault) as refused:
        refuse_unfit_value(Variable("KEY", min_length=9), value, OLDER)
    assert not value or value not in str(refused.value)


def test_a_new_value() -> None:
    refuse_unfit_value(Variable("KEY", min_length=9), "aB3$eF6!x", OLDER)
