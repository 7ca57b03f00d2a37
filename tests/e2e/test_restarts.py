"""What is restarted goes on as before; the proxy can be replaced while it works."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.conditions import settings
from tests.e2e.inside import Inside, answering, assert_at_rest, look, restart_proxy
from tests.e2e.running import planned
from tests.lab.images import App
from tests.lab.loadrun import LoadRun
from tests.lab.operator import APP, Operator
from tests.lab.patience import eventually
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RATE = 500


@pytest.fixture(scope="module")
def swapped(operator: Operator, releases: Releases) -> Operator:
    """An operator whose host has swapped: `new` serves, `old` is warm."""
    operator.deploy(releases.push(App("old")).tag)
    operator.deploy(releases.push(App("new")).tag)
    return operator


def restart(operator: Operator, what: str) -> None:
    """Restart something on the droplet, past restoops."""
    match what:
        case "proxy":
            restart_proxy(operator.droplet)
        case "engine":
            operator.droplet.exec(["systemctl", "restart", "docker"])
        case "droplet":
            operator.droplet.reboot()


def image_of(operator: Operator, found: Inside) -> str:
    """Return the image that the only proxy runs."""
    (proxy,) = found.proxies.values()
    said = operator.droplet.exec(["docker", "inspect", "-f", "{{.Config.Image}}", proxy.id])
    return said.strip()


@pytest.mark.parametrize("what", ["proxy", "engine", "droplet"])
def test_the_same_release_serves_after_a_restart(swapped: Operator, what: str) -> None:
    before = assert_at_rest(swapped.droplet)

    restart(swapped, what)

    assert eventually(lambda: answering(swapped.url) == "new")
    after = assert_at_rest(swapped.droplet)
    assert (after.live, after.slots) == (before.live, before.slots)
    assert eventually(lambda: swapped.run("status", "staging").status == 0)
    assert swapped.serving() == "sha-new"


def test_swaps_lose_nothing_after_all_restarts(swapped: Operator) -> None:
    with LoadRun(swapped.url, RATE) as load:
        load.wait_for_release("new")
        swapped.rollback()
        load.wait_for_release("old")
        load.expect_change()
        swapped.deploy("sha-new")
        result = load.stop()

    assert (result.failed, result.mixed) == (0, 0), str(result)
    assert result.sequence == ["new", "old", "new"]


def test_the_proxy_is_replaced_while_it_works(
    swapped: Operator, releases: Releases, proxy_images: tuple[str, str]
) -> None:
    assert image_of(swapped, assert_at_rest(swapped.droplet)) == proxy_images[0]
    swapped.settings["proxy"]["image"] = proxy_images[1]

    with LoadRun(swapped.url, RATE) as load:
        load.wait_for_release("new")
        # The same release again: only the proxy is replaced.
        swapped.deploy("sha-new")
        assert image_of(swapped, assert_at_rest(swapped.droplet)) == proxy_images[1]
        swapped.deploy(releases.push(App("newer")).tag)
        load.wait_for_release("newer")
        result = load.stop()

    print(f"replacing the proxy cost {result.failed} of {result.requests} requests: {result}")
    assert result.sequence == ["new", "newer"]
    # A kept-alive connection that the old proxy closes as the next request is on its way.
    assert result.failed <= result.requests / 1000
    assert set(result.kinds) <= {"reset", "closed before the answer"}


def test_requests_on_a_proxy_that_was_replaced_are_waited_for_and_hold_up_nothing_else(
    swapped: Operator, releases: Releases, proxy_images: tuple[str, str]
) -> None:
    swapped.settings["proxy"]["image"] = proxy_images[0]
    with ThreadPoolExecutor(1) as pool, settings(swapped, swap={"warm_s": 0, "drain_s": 30}):
        slow = pool.submit(answering, swapped.url + "slow?s=5", timeout_s=60)
        assert eventually(lambda: requests_in(swapped) == 1)
        # Proxy and release in one: the old proxy has a request on the old release.
        swapped.deploy(releases.push(App("newest")).tag)

        assert slow.result() == "newer"
    found = look(swapped.droplet)
    assert found.slots[found.other].state == "exited"


def requests_in(operator: Operator) -> int:
    """Return how many requests run in both slots, as the proxy counts them."""
    socket = "unix:///var/lib/restoops/testapp/proxy/run/admin.sock"
    ask = f"echo 'show stat' | docker -H {socket} system dial-stdio"
    rows = operator.droplet.exec(["sh", "-c", ask]).splitlines()
    names = ("blue", "green")
    cells = [row.split(",") for row in rows if row.startswith("app_")]
    return sum(int(cell[4]) for cell in cells if cell[1] in names)


def test_a_proxy_that_ended_is_cleared_away_by_the_next_deploy(
    swapped: Operator, proxy_images: tuple[str, str]
) -> None:
    """As a run that is killed between the start of the new one and the removal leaves it."""
    swapped.droplet.exec(
        [
            "docker",
            "create",
            "--name",
            f"{APP}-proxy-ended",
            "--label",
            f"restoops.app={APP}",
            "--label",
            "restoops.role=proxy",
            proxy_images[0],
        ]
    )
    before = look(swapped.droplet)

    swapped.deploy("sha-newest")

    after = assert_at_rest(swapped.droplet)
    assert after.proxies.items() < before.proxies.items()
    assert after.slots == before.slots


def test_a_proxy_that_took_over_can_be_restarted(swapped: Operator) -> None:
    restart_proxy(swapped.droplet)

    assert eventually(lambda: answering(swapped.url) == "newest")
    assert_at_rest(swapped.droplet)
    assert swapped.run("status", "staging").status == 0


@pytest.mark.full
def test_a_proxy_that_still_ends_makes_no_rollback_a_cold_one(
    swapped: Operator, releases: Releases, proxy_images: tuple[str, str]
) -> None:
    swapped.deploy(releases.push(App("kept")).tag)
    swapped.settings["proxy"]["image"] = proxy_images[1]
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(answering, swapped.url + "slow?s=45", timeout_s=120)
        assert eventually(lambda: requests_in(swapped) == 1)
        swapped.deploy("sha-kept")
        steps = planned(swapped.rollback("--json"))
        again = planned(swapped.deploy("sha-newest", "--json"))

        assert not slow.done()
        assert {"run_proxy", "remove", "start"}.isdisjoint(steps), steps
        assert again == []
        assert slow.result() == "kept"
    assert answering(swapped.url) == "newest"
