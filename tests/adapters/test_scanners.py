"""The words that scanners are given; the real gitleaks runs in `tests/safekeeping`."""

from pathlib import Path

import pytest

from restoops.adapters.scanners import Orders, Scanner, find_scanner

QUIET = "--no-banner --no-color --log-level warn --redact --exit-code 6"
REPORT = Path("/tmp/report.json")


@pytest.mark.parametrize(
    ("name", "orders", "words"),
    [
        pytest.param("gitleaks", Orders(Path(), "."),
                     f"dir . {QUIET} --report-format=json --report-path=/tmp/report.json",
                     id="gitleaks: files"),
        pytest.param("gitleaks", Orders(Path(), config=Path("r.toml")),
                     f"git . --config r.toml {QUIET} --report-format=json "
                     "--report-path=/tmp/report.json", id="gitleaks: history by rules"),
        pytest.param("gitleaks", Orders(Path(), is_staged=True),
                     f"git . --staged {QUIET} --report-format=json --report-path=/tmp/report.json",
                     id="gitleaks: what is staged"),
        pytest.param("betterleaks", Orders(Path(), "a"),
                     f"dir a {QUIET} --report-format=json --report-path=/tmp/report.json",
                     id="betterleaks: the same words"),
    ],
)  # fmt: skip
def test_a_scanner_is_told_to_mask_and_to_tell_leaks_from_errors(
    name: str, orders: Orders, words: str
) -> None:
    assert Scanner(name, "/bin/it").argv(orders, REPORT) == ["/bin/it", *words.split()]


@pytest.mark.parametrize(
    ("there", "name"),
    [
        pytest.param({"gitleaks", "betterleaks"}, "gitleaks", id="what hooks use goes first"),
        pytest.param({"betterleaks"}, "betterleaks", id="the other one will do"),
    ],
)
def test_the_scanner_that_is_there_is_taken(there: set[str], name: str) -> None:
    found = find_scanner(lambda it: f"/bin/{it}" if it in there else None)

    assert found == Scanner(name, f"/bin/{name}")
