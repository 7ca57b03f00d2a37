"""A stand-in is to restoops what a droplet is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.images import App
from tests.lab.operator import Desk
from tests.lab.registry import Registry
from tests.lab.releases import Releases
from tests.lab.standin.fleet import Fleet, spread_s

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet(1) as running:
        yield running


@pytest.fixture(scope="module")
def desk(fleet: Fleet, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return fleet.desk(tmp_path_factory.mktemp("desk"), registry, "restoops/haproxy:a")


def test_releases_come_and_go_on_a_stand_in(fleet: Fleet, desk: Desk, releases: Releases) -> None:
    for release in ("s1", "s2", "s3"):
        desk.deploy(releases.push(App(release)).tag)
        (report,) = fleet.report().values()
        assert report.live_tag == f"sha-{release}"
        assert len(report.switches) == 1
        assert not report.locked
    desk.rollback()
    reports = fleet.report()
    (report,) = reports.values()
    assert report.live_tag == "sha-s2"
    assert spread_s(reports) == 0
    assert desk.serving() == "sha-s2"
    assert desk.status()["faults"] == []
    assert desk.must("history", "staging").stdout.count("done") == 4
    assert desk.must("rollback", "--list", "staging").stdout.count("sha-s") == 3


def test_a_fleet_of_stand_ins_tells_when_each_host_switched(
    registry: Registry, releases: Releases, tmp_path: Path
) -> None:
    with Fleet(3) as fleet:
        desk = fleet.desk(tmp_path, registry, "restoops/haproxy:a")
        for release in ("s1", "s2"):
            desk.deploy(releases.push(App(release)).tag)
            reports = fleet.report()
            assert [told.live_tag for told in reports.values()] == [f"sha-{release}"] * 3
            assert 0 < spread_s(reports) < 1
