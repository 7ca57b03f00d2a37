"""An environment against its template."""

import pytest

from restoops.model import Secret
from restoops.plan.env_check import Finding, Problem, compare, is_placeholder
from restoops.plan.env_template import Variable

URL = Variable("URL", type="url")
LEVEL = Variable("LEVEL", is_optional=True, pattern="debug|info")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param({"URL": "https://host"}, [], id="what is optional may be missing"),
        pytest.param({"URL": "https://host", "LEVEL": ""}, [], id="or empty"),
        pytest.param({"LEVEL": "info"}, [("URL", Problem.MISSING)], id="missing"),
        pytest.param({"URL": " "}, [("URL", Problem.EMPTY)], id="empty"),
        pytest.param({"URL": "https://<host>"}, [("URL", Problem.PLACEHOLDER)], id="placeholder"),
        pytest.param({"URL": "host"}, [("URL", Problem.SHAPE)], id="wrong shape"),
        pytest.param({"URL": "https://host", "LEVEL": "loud"}, [("LEVEL", Problem.SHAPE)],
                     id="what is optional has a shape when it is there"),
        pytest.param({"URL": "https://host", "B": "1", "A": "2"},
                     [("A", Problem.EXTRA), ("B", Problem.EXTRA)], id="extra, sorted"),
        pytest.param({"LEVEL": "loud", "ULR": "https://host"},
                     [("URL", Problem.MISSING), ("LEVEL", Problem.SHAPE), ("ULR", Problem.EXTRA)],
                     id="all at once, in the order of the template"),
    ],
)  # fmt: skip
def test_each_kind_of_fault_is_found(
    values: dict[str, str], found: list[tuple[str, Problem]]
) -> None:
    secrets = {name: Secret(value) for name, value in values.items()}

    result = compare([URL, LEVEL], secrets, is_exclusive=True)

    assert [(it.name, it.problem) for it in result] == found


def test_variables_that_are_meant_for_others_are_no_fault() -> None:
    values = {"URL": Secret("https://host"), "PATH": Secret("/bin")}

    assert compare([URL], values, is_exclusive=False) == ()


def test_no_value_is_in_a_finding() -> None:
    (found,) = compare([URL], {"URL": Secret("hunter2hunter2")}, is_exclusive=True)

    assert found == Finding("URL", Problem.SHAPE, "should be a URL such as https://host/path")


@pytest.mark.parametrize(
    "value",
    ["<password>", "postgresql://<user>:x@h/d", "postgresql://app:changeme@h/d", "change-me",
     "CHANGE_ME", "replace this", "xxxx", "...", "TODO", "your-api-key", "insert key here",
     "example", "Password"],
)  # fmt: skip
def test_a_placeholder_is_known(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value",
    ["redis://:mypass@h/0", "k<8>x", "a<b", "info", "3001", "exchange-media",
     "sk_xx1", "https://example.com/", "x" * 2],
)  # fmt: skip
def test_a_value_is_no_placeholder(value: str) -> None:
    assert not is_placeholder(value)
