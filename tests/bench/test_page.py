"""The page says what was measured, where and when, and what could not be."""

import pytest

from tests.bench import page
from tests.bench.samples import Limit, Measured, NotRun, Place, Report, Samples
from tests.bench.test_figures import PLACE

FAST = Samples("deploy", "deploy | over SSH", "s", (1.0, 1.1, 1.3), (Limit(1.2),))
SLOW = Samples("rollback", "rollback", "s", (0.9,), (Limit(0.7),))
OTHER = Place(8, "Other", 15.6, "Ubuntu 24.04", "6.8")
FAILED = NotRun("2026-12-01 09:30", "fffffff", "LoadFailed: no <release> within 10 s")


def report(
    name: str, *samples: Samples, day: str = "2026-11-25", at: Place = PLACE, busy: float = 0.1
) -> Report:
    measured = Measured(f"{day} 20:00", "abc1234", 61.2, at, samples, (0.02, busy))
    return Report(name, f"All of {name}", "How it was done.", measured)


def test_a_table_has_the_samples_that_were_asked_for_in_that_order() -> None:
    text = page.figures([report("one", FAST, SLOW)], ["one.rollback", "one.deploy"])
    assert text.splitlines()[2:] == [
        "| rollback | 0.90 s |  | 1 | at most 700 ms: **missed** |",
        "| deploy \\| over SSH | 1.10 s | 1.00 to 1.30 s | 3 | at most 1.2 s: met |",
    ]


@pytest.mark.parametrize("name", ["one.nothing", "none.deploy", "one"])
def test_a_figure_that_nothing_measures_is_refused(name: str) -> None:
    with pytest.raises(page.UnknownFigure, match=f"`{name}`"):
        page.figures([report("one", FAST)], [name])


def test_what_was_never_measured_shows_no_figure() -> None:
    untried = Report("one", "All of one", "")
    assert "| `one.deploy` | not measured |" in page.figures([untried], ["one.deploy"])
    failed = page.figures([untried.failed(FAILED)], ["one.deploy"])
    assert "not measured: LoadFailed: no <release> within 10 s |" in failed
    assert page.measured_where([untried], []) == "Not measured yet.\n"


def test_older_figures_of_what_could_not_be_run_carry_their_date() -> None:
    older = report("one", FAST).failed(FAILED)

    assert "| 1.10 s (of 2026-11-25) |" in page.figures([older], ["one.deploy"])
    text = page.body([older])
    assert "| 2026-11-25 20:00, **not run** 2026-12-01 09:30 |" in text
    assert (
        "**Not run** at 2026-12-01 09:30 UTC, `fffffff`: LoadFailed: no &lt;release&gt; "
        "within 10 s. The figures are those of 2026-11-25 20:00 UTC, `abc1234`."
    ) in text


def test_the_page_counts_what_was_missed_and_links_raw_data_and_plot() -> None:
    text = page.body([report("one", FAST, SLOW)])

    line = "| [All of one](#all-of-one) | 2026-11-25 20:00 | `abc1234` | 61 s | 2%, 10% |"
    assert f"{line} 1 met, **1 missed** |" in text
    assert "](benchmarks/one.svg)" in text
    assert "[one.json](benchmarks/one.json)" in text


def test_the_page_warns_of_a_machine_that_had_more_to_do() -> None:
    all_of = [report("one", FAST, busy=0.64), report("two", FAST)]
    assert "| **2%, 64%** |" in page.body(all_of)
    where = page.measured_where(all_of, [])
    assert where.endswith("The machine had more to do at the time of: All of one.\n")


def test_counts_alone_have_no_plot_to_link() -> None:
    text = page.body([report("one", Samples("a", "a", "count", (5,)))])
    assert ".svg" not in text


def test_machine_and_versions_are_named_once_for_all_that_ran_there() -> None:
    all_of = [report("one", FAST), report("two", FAST), report("three", FAST, at=OTHER)]
    text = page.body(all_of)

    assert (
        text.count("2 cores (AMD EPYC), 3.8 GiB of memory, Debian 12, Linux 6.1; Python 3.11.7")
        == 1
    )
    assert "Machine 2: 8 cores (Other)" in text
    assert "| `abc1234`, machine 2 | 61 s |" in text


def test_where_it_was_measured_is_told_of_what_a_page_shows() -> None:
    all_of = [report("one", FAST), report("two", FAST, day="2026-11-28"),
              report("three", FAST, at=OTHER)]  # fmt: skip
    text = page.measured_where(all_of, ["one", "two"])
    assert text.startswith("Measured from 2026-11-25 to 2026-11-28 with restoops at abc1234, on 2 ")
    assert "8 cores" not in text
    assert len(page.measured_where(all_of, []).split("\n\n")) == 2


def test_files_are_raw_data_and_plots() -> None:
    names = [name for name, _ in page.files([report("one", FAST), Report("two", "Two", "")])]
    assert names == ["one.json", "one.svg", "two.json"]
