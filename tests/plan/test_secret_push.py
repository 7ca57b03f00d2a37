"""What is put where: only what is not current there."""

import pytest

from restoops.model import Placed, Secret, Value
from restoops.plan.secret_push import Act, Move, plan_push

WANTED = {"A": Value(Secret("x"), "f1")}


@pytest.mark.parametrize(
    ("placed", "takes_new", "move"),
    [
        pytest.param({}, True, Move("A", Act.ADD), id="not there: added"),
        pytest.param({}, False, Move("A", Act.LATER), id="no room for it: with the next deploy"),
        pytest.param({"A": Placed("f1", "t")}, True, Move("A", Act.KEEP, "t"), id="current: kept"),
        pytest.param({"A": Placed("f0", "t")}, False, Move("A", Act.REPLACE, "t"),
                     id="another value: replaced"),
        pytest.param({"A": Placed("")}, True, Move("A", Act.REPLACE),
                     id="nobody knows which value: replaced"),
        pytest.param({"A": Placed("f1", "t"), "B": Placed("f2")}, True, Move("A", Act.KEEP, "t"),
                     id="what is not ours there is left alone"),
    ],
)  # fmt: skip
def test_plan_push(placed: dict[str, Placed], takes_new: bool, move: Move) -> None:
    planned = plan_push("web-1", WANTED, placed, takes_new=takes_new)

    assert planned.moves == (move,)
    assert planned.changes == (("A",) if move.act in (Act.ADD, Act.REPLACE) else ())
