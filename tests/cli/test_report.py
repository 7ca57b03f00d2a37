"""Where the page about an earlier run goes."""

from pathlib import Path

import pytest

from restoops.cli.report import file_of


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
