"""Where the page about an earlier run goes."""

from pathlib import Path

import pytest

from restoops.cli.report import file_of, no_such
from restoops.plan.runs import FleetRun
from tests.plan.states import V2


@pytest.mark.parametrize(
    ("run", "file"),
    [
        ("20260102T030405-3fa9c1", "20260102T030405-3fa9c1.html"),
        ("../../home/olga/.profile", "______home_olga__profile.html"),
        ("/etc/cron.d/x", "_etc_cron_d_x.html"),
    ],
)
def test_no_host_says_in_which_directory_a_page_is_written(run: str, file: str) -> None:
    assert file_of(run) == Path(file)


def test_where_nothing_was_deployed_no_run_is_asked_for_by_another_name() -> None:
    run = FleetRun("20260102T030405-3fa9c1", "deploy", V2, "a", "b", "", "", {}, ())

    none = no_such("last", {"staging": (), "production": ()})
    other = no_such("2025", {"staging": (), "production": (run,)})

    assert none.message == "the hosts of staging, production remember no run"
    assert "nothing was deployed" in none.hint
    assert other.message == "there is no run 2025 on staging, production"
    assert "restoops history" in other.hint
