"""What a host notes of its secrets is read back as it was, or a person is told."""

import pytest

from restoops.adapters.secret_index import dump_index, parse_index
from restoops.errors import NeedsAttention
from restoops.handover import SecretSet
from restoops.model import Placed
from tests.plan.states import V1, V2

SETS = (
    SecretSet("v1-r", V1.digest, "r", "t", "s", True, {"A": Placed("f", "t")}, frozenset({"A"})),
    SecretSet("v2-q", V2.digest, "q", "t", "s", False),
)


def test_what_was_noted_is_read_back() -> None:
    assert parse_index(dump_index(SETS), "web-1: /d") == SETS
    assert parse_index("", "web-1: /d") == ()


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"v": 2, "sets": []}', '{"v": 1, "sets": [{}]}', "[" * 100_000, "null",
     dump_index(SETS).replace("sha256:", "")],
)  # fmt: skip
def test_what_is_damaged_is_told_with_a_way_out(text: str) -> None:
    with pytest.raises(NeedsAttention, match=r"/d/secrets.json cannot be read") as told:
        parse_index(text, "web-1: /d")

    assert "Move it away" in told.value.hint
