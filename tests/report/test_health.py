"""How an environment does, on terminals of every width, in pipes and as JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from restoops.model import Digest, Release
from restoops.plan.smoke import Result
from restoops.plan.verdict import Health, HostHealth, PublicHealth, Service, Verdict
from restoops.report.health import LiveWatch, PlainWatch, show_health, summary
from restoops.report.sparkline import Sample, sparkline
from restoops.report.wording import printable

HOST = HostHealth(
    "web-1.example.com",
    Verdict.HEALTHY,
    (),
    200,
    0.012,
    (Service("database", "connected", 1.5),),
    Release("sha-abc1234", Digest(f"sha256:{'1' * 64}")),
    "abc1234",
    (Result("menu", True, 200, 0.02),),
)
PUBLIC = PublicHealth(
    "https://api.example.com", Verdict.HEALTHY, (), 200, 0.08, (), "abc1234", 61.5, True, ()
)
WELL = Health("2026-01-02T03:04:05.000Z", Verdict.HEALTHY, (), (HOST,), PUBLIC)
WHY = "answers 503: \x1b[2Jno database, and a good deal more to be said about that than fits"
DOWN = replace(HOST, host="web-2", verdict=Verdict.DOWN, reasons=(WHY,), status=0, seconds=0)
ILL = replace(
    WELL, verdict=Verdict.DEGRADED, reasons=(f"web-2: {WHY}",), hosts=(HOST, DOWN), public=None
)


def test_one_look_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    show_health("staging", WELL, as_json=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "staging is healthy"
    assert [line.split() for line in lines[1:4]] == [
        ["HOST", "IS", "ANSWER", "SERVES", "SERVICES", "CHECKS"],
        ["web-1.example.com", "healthy", "200", "in", "12", "ms", "sha-abc1234", "database",
         "connected", "1.5", "ms", "1", "of", "1"],
        ["https://api.example.com", "healthy", "200", "in", "80", "ms", "abc1234", "-", "-"],
    ]  # fmt: skip
    assert lines[4:] == [
        "https://api.example.com: its certificate is good for 61.5 days, plain HTTP leads to HTTPS"
    ]


def test_what_is_wrong_is_told_below_the_table_and_obeyed_by_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_health("staging", ILL, as_json=False)

    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("web-2: answers 503:  [2Jno database")
    assert "\x1b" not in out


def test_one_look_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    show_health("staging", WELL, as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert (told["v"], told["environment"], told["verdict"]) == (1, "staging", "healthy")
    assert told["hosts"][0]["release"]["tag"] == "sha-abc1234"
    assert told["hosts"][0]["services"] == [
        {"name": "database", "status": "connected", "response_time_ms": 1.5, "reason": ""}
    ]
    assert (told["public"]["tls_days"], told["public"]["redirects"]) == (61.5, True)


def test_a_watch_in_a_pipe_has_a_line_for_each_look(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainWatch("staging", as_json=False)
    for health in (WELL, ILL):
        view.show(health)
    view.close()

    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "03:04:05 staging is healthy: 2 of 2 healthy",
        printable(summary("staging", ILL)),
    ]
    assert "degraded: 1 of 2 healthy; web-2: answers 503" in lines[1]


def drawn(width: int, health: Health, *, height: int = 30, looks: int = 6) -> list[str]:
    """What a terminal of this size shows in the end."""
    screen = io.StringIO()
    console = Console(
        file=screen, width=width, height=height, force_terminal=True, color_system=None
    )
    view = LiveWatch("staging", console)
    for _ in range(looks):
        view.show(health)
    view.close()
    frame = Console(file=(last := io.StringIO()), width=width, height=height, color_system=None)
    frame.print(view)
    assert screen.getvalue().rfind("\x1b[?25h") > screen.getvalue().rfind("\x1b[?25l")
    return last.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_watch_fits_the_window(width: int) -> None:
    lines = drawn(width, replace(ILL, public=PUBLIC))

    assert max(map(len, lines)) <= width
    assert lines[0].startswith("staging is degraded  03:04:05 UTC")
    assert lines[1].startswith("web-1.example.com"[: width // 4])
    assert "×" in lines[2]  # noqa: RUF001  as it is shown
    assert any("api.example.com"[: width // 4] in line for line in lines)


def test_a_wide_watch_shows_the_release_and_a_long_sparkline() -> None:
    line = drawn(120, WELL, looks=60)[1]

    assert line.startswith("web-1.example.com healthy")
    assert "200 in 12 ms sha-abc1234 " in line
    assert line.count("▂") > 40


def test_of_a_fleet_larger_than_the_window_the_worst_hosts_are_shown() -> None:
    hosts = tuple(replace(HOST, host=f"web-{number}") for number in range(200))
    lines = drawn(100, replace(ILL, hosts=(*hosts, replace(DOWN, host="the-ill-one"))), height=20)

    assert len(lines) <= 20
    assert any("the-ill-one" in line for line in lines)
    assert any("186 more, no worse" in line for line in lines)


def sample(seconds: float | None) -> Sample:
    return Sample(Verdict.HEALTHY if seconds is not None else Verdict.DOWN, seconds)


@pytest.mark.parametrize(
    ("seconds", "width", "line"),
    [
        ([], 10, ""),
        ([0.0, 0.025, 0.05], 10, "▁▅█"),
        ([0.001, 0.002], 10, "▁▁"),
        ([1, 2, 4, 8], 10, "▂▃▅█"),
        ([1, None, 8], 10, "▂×█"),  # noqa: RUF001
        ([9, 9, 1, 8], 2, "▂█"),
        ([1, 2], 0, ""),
        ([1, 2], -5, ""),
    ],
)
def test_a_sparkline(seconds: list[float | None], width: int, line: str) -> None:
    assert sparkline([sample(it) for it in seconds], width).plain == line


def test_a_sparkline_where_only_ascii_can_be_shown() -> None:
    assert sparkline([sample(it) for it in (0, None, 8)], 9, ascii_only=True).plain == "_x#"
