"""Our files and a real HAProxy agree on who serves and where."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from restoops.adapters.files import Files
from restoops.adapters.haproxy import SLOTS, parse_slots
from restoops.adapters.proxy import ProxyService
from restoops.adapters.routing import Routing
from restoops.adapters.runtime import RuntimeApi
from tests.adapters.haproxy_process import Haproxy, endpoints_at, running
from tests.adapters.local_files import local_files
from tests.lab.ports import free_port
from tests.plan.states import BLUE, GREEN

pytestmark = pytest.mark.lab


class Started(ProxyService):
    """A proxy that runs without a container."""

    def __init__(self) -> None:
        """Need no engine."""

    def runs(self) -> bool:
        return True


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    with local_files(tmp_path) as files:
        yield files


@pytest.fixture
def haproxy(tmp_path: Path) -> Iterator[Haproxy]:
    (tmp_path / "proxy").mkdir()
    with running(tmp_path / "proxy") as proxy:
        yield proxy


@pytest.fixture
def runtime(haproxy: Haproxy) -> Iterator[RuntimeApi]:
    with contextlib.closing(haproxy.runtime()) as api:
        yield api


def on_file(files: Files) -> dict[str, str]:
    return {color.value: at for color, at in parse_slots(files.read(SLOTS)[SLOTS]).items()}


def test_a_new_port_is_for_the_slot_that_is_filled(
    files: Files, haproxy: Haproxy, runtime: RuntimeApi
) -> None:
    new = endpoints_at(free_port())

    Routing(files, Started(), runtime).aim(GREEN, new[GREEN])

    expected = {BLUE: haproxy.endpoints[BLUE], GREEN: new[GREEN]}
    assert runtime.endpoints() == on_file(files) == expected


def test_what_runs_stays_where_the_proxy_has_it_though_no_file_says_so(
    files: Files, haproxy: Haproxy, runtime: RuntimeApi
) -> None:
    """As on a host whose proxy has its addresses in its own configuration."""
    files.write({}, remove=(SLOTS,))

    Routing(files, Started(), runtime).keep_slots(endpoints_at(free_port()))

    assert runtime.endpoints() == on_file(files) == haproxy.endpoints


def test_what_is_on_file_stays_there_whatever_is_wanted(
    files: Files, haproxy: Haproxy, runtime: RuntimeApi
) -> None:
    Routing(files, Started(), runtime).keep_slots(endpoints_at(free_port()))

    assert runtime.endpoints() == on_file(files) == haproxy.endpoints
