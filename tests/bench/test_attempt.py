"""An attempt measures all of a benchmark, or says why not and leaves the older figures."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

import pytest

from tests.bench import machine, store, suite
from tests.bench.__main__ import main, measure
from tests.bench.attempt import Benchmark, Circumstances, attempt, reason_of
from tests.bench.samples import Report, Samples
from tests.bench.stage import Stage
from tests.bench.test_figures import PLACE

HERE = Circumstances(datetime(2026, 11, 25, 20, 0, tzinfo=UTC), "abc1234", PLACE, lambda: 0.254)


def quick(stage: Stage) -> Iterator[Samples]:
    yield Samples("a", "a thing", "s", (1.0,) * stage.times(5))


def broken(_: Stage) -> Iterator[Samples]:
    yield Samples("a", "a thing", "s", (2.0,))
    raise ConnectionError("no answer of /run/user/docker.sock\nand more")


def interrupted(_: Stage) -> Iterator[Never]:
    raise KeyboardInterrupt
    yield


def benchmark(measure: Callable[[Stage], Iterator[Samples]], name: str = "it") -> Benchmark:
    return Benchmark(name, "It", "What\nwas done.", measure)


def tried(measure: Callable[[Stage], Iterator[Samples]], older: Report | None = None) -> Report:
    it = benchmark(measure)
    with Stage(at_most=3) as stage:
        return attempt(it, stage, HERE, older or it.report())


def test_what_was_measured_is_reported_with_where_and_when() -> None:
    report = tried(quick)
    assert report.measured
    assert report.measured.at == "2026-11-25 20:00"
    assert (report.measured.commit, report.measured.place) == ("abc1234", PLACE)
    assert report.measured.samples == (Samples("a", "a thing", "s", (1.0, 1.0, 1.0)),)
    assert report.measured.others == (0.25, 0.25)
    assert report.about == "What was done."


def test_one_that_breaks_in_the_middle_leaves_the_older_figures_whole() -> None:
    older = tried(quick)
    report = tried(broken, older)
    assert report.measured == older.measured
    assert report.not_run
    assert report.not_run.reason == "ConnectionError: no answer of ..."


def test_one_that_never_could_be_run_has_no_figures() -> None:
    report = tried(broken)
    assert report.measured is None
    assert report.not_run


def test_the_next_success_takes_the_note_away() -> None:
    assert tried(quick, tried(broken)).not_run is None


def test_an_interrupt_is_not_taken_for_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        tried(interrupted)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("Command '['/work/x/.venv/bin/restoops', 'deploy']' failed"),
         "ValueError: Command '['...', 'deploy']' failed"),
        (ValueError(), "ValueError"),
        (ValueError("GET http://localhost/v2/tags said 1/2"),
         "ValueError: GET http://localhost/v2/tags said 1/2"),
        (ValueError("x" * 500), f"ValueError: {'x' * 185}..."),
    ],
)  # fmt: skip
def test_a_reason_is_one_line_without_paths(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_the_pages_show_every_benchmark_and_no_other() -> None:
    assert tuple(it.name for it in suite.ALL) == store.ORDER
    assert {it.stem for it in store.FOLDER.iterdir()} <= set(store.ORDER)


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("HAProxy version 2.6.12-1+deb12u4 2026/01/01 - https://haproxy.org/", "2.6.12-1+deb12u4"),
        ("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.20", "9.2p1"),
        ("Terraform v1.11.4\non linux_amd64\n", "1.11.4"),
        ("", "not there"),
    ],
)
def test_a_version_is_found_in_what_a_program_prints(printed: str, version: str) -> None:
    assert machine.version_in(printed) == version


def test_processors_are_busy_with_all_but_idling_and_waiting_for_disks() -> None:
    before = [100, 0, 50, 1000, 10, 0, 0, 5]
    assert machine.busy_share(before, [120, 0, 60, 1060, 20, 0, 0, 5]) == pytest.approx(0.3)
    assert machine.busy_share(before, before) == 0
    assert 0 <= machine.busy(0.05) <= 1


def test_this_machine_is_described_and_not_named() -> None:
    place = machine.place()
    assert place.cores > 0
    assert place.memory_gib > 0
    assert place.processor
    assert set(place.versions) == {
        "Python", "Docker", "HAProxy", "Terraform", "OpenSSH", "Ansible",
    }  # fmt: skip


def test_an_interrupt_keeps_what_was_measured_before(tmp_path: Path) -> None:
    chosen = [benchmark(quick, "start"), benchmark(interrupted, "deploy")]
    with pytest.raises(KeyboardInterrupt), Stage() as stage:
        measure(chosen, stage, tmp_path, lambda: HERE)
    assert [it.benchmark for it in store.reports(tmp_path) if it.measured] == ["start"]


def test_one_that_fails_does_not_keep_the_others_from_being_run(tmp_path: Path) -> None:
    chosen = [benchmark(broken, "start"), benchmark(quick, "deploy")]
    with Stage() as stage:
        assert not measure(chosen, stage, tmp_path, lambda: HERE)
        assert measure(chosen[1:], stage, tmp_path, lambda: HERE)
    assert [it.benchmark for it in store.reports(tmp_path) if it.measured] == ["deploy"]


def test_a_part_of_the_benchmarks_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    store.write([replace(tried(quick), benchmark="load")], tmp_path)
    before = (tmp_path / "load.json").read_text()
    with Stage() as stage:
        measure([benchmark(quick, "start")], stage, tmp_path, lambda: HERE)
    assert (tmp_path / "load.json").read_text() == before
    assert (tmp_path / "start.json").exists()


def test_a_benchmark_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["start", "lunch"])
    assert "there is no lunch; choose of start, deploy," in capsys.readouterr().err


def test_a_plot_that_is_no_more_is_taken_away(tmp_path: Path) -> None:
    store.write([tried(quick)], tmp_path)
    assert (tmp_path / "it.svg").exists()

    with Stage(at_most=1) as stage:
        store.write([attempt(benchmark(quick), stage, HERE, benchmark(quick).report())], tmp_path)
    assert [it.name for it in tmp_path.iterdir()] == ["it.json"]


def test_only_what_was_tried_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    store.write([tried(quick), benchmark(quick).report()], folder)
    assert sorted(it.name for it in folder.iterdir()) == ["it.json", "it.svg"]
