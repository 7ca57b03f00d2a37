"""The load client finds guilty swaps guilty and innocent ones innocent."""

import pytest
from docker import DockerClient

from tests.lab import naive
from tests.lab.images import App
from tests.lab.load import Releases
from tests.lab.loadrun import LoadFailed, LoadRun
from tests.lab.ports import free_port

OLD = App("old", term="rude")
NEW = App("new")
SLOW = ("--slow-path", "/slow?s=1", "--slow-every", "20")


@pytest.mark.lab
def test_a_test_in_a_module_with_load_has_the_machine_for_itself(
    request: pytest.FixtureRequest,
) -> None:
    assert request.node.get_closest_marker("alone")


@pytest.mark.lab
def test_a_steady_server_is_innocent(engine: DockerClient) -> None:
    with naive.running(engine, OLD) as app:
        url = f"http://{naive.address(app)}:{naive.APP_PORT}/"
        with LoadRun(url, rate=500, options=("--seconds", "3", *SLOW)) as load:
            result = load.wait()
    assert result.failed == 0, result
    assert result.ok == result.requests == 1500
    assert result.posts == 750
    assert result.sequence == ["old"]
    assert result.slow["ok"] == 75
    assert result.latency_ms["p50"] < 100
    assert [second["sent"] for second in result.per_second] == [500, 500, 500]


@pytest.mark.lab
@pytest.mark.parametrize("term", ["graceful", "rude"])
def test_stop_then_start_on_one_port_is_guilty(engine: DockerClient, term: str) -> None:
    port = free_port()
    old = naive.start(engine, App("old", term=term), port)
    containers = [old]
    try:
        with LoadRun(f"http://127.0.0.1:{port}/") as load:
            load.wait_for_traffic()
            containers[0] = naive.stop_then_start(engine, old, NEW, port)
            load.wait_for_release("new")
            result = load.stop()
    finally:
        containers[0].remove(force=True, v=True)
    assert result.failed > 0, result
    assert result.sequence == ["old", "new"]


@pytest.mark.lab
def test_a_switch_without_drain_is_guilty(engine: DockerClient) -> None:
    with (
        naive.running(engine, OLD) as old,
        naive.running(engine, NEW) as new,
        naive.Proxy(engine, old, new) as proxy,
        LoadRun(proxy.url, options=SLOW) as load,
    ):
        load.wait_for_traffic()
        proxy.switch_without_drain(old)
        load.wait_for_release("new")
        result = load.stop()
    assert result.failed > 0, result
    assert result.server_errors + result.kinds.get("closed before the answer", 0) > 0


@pytest.mark.lab
def test_a_switch_with_drain_is_innocent(engine: DockerClient) -> None:
    with (
        naive.running(engine, OLD) as old,
        naive.running(engine, NEW) as new,
        naive.Proxy(engine, old, new) as proxy,
        LoadRun(proxy.url, options=SLOW) as load,
    ):
        load.wait_for_traffic()
        proxy.switch_with_drain(old)
        load.wait_for_release("new")
        result = load.stop()
    assert result.failed == 0, result
    assert result.sequence[-1] == "new"
    assert result.slow["ok"] > 0


@pytest.mark.lab
def test_a_server_that_cannot_be_reached_is_guilty() -> None:
    with LoadRun(f"http://127.0.0.1:{free_port()}/", options=("--seconds", "1")) as load:
        with pytest.raises(LoadFailed, match="no release"):
            load.wait_for_traffic(timeout_s=0.3)
        result = load.wait()
    assert result.failed == result.requests == result.kinds["refused"]


@pytest.mark.lab
def test_an_answer_that_comes_too_late_is_a_failure(engine: DockerClient) -> None:
    options = ("--seconds", "1", "--timeout", "2", "--slow-path", "/slow?s=10", *SLOW[2:])
    with naive.running(engine, NEW) as app:
        url = f"http://{naive.address(app)}:{naive.APP_PORT}/"
        with LoadRun(url, rate=100, options=options) as load:
            result = load.wait()
    assert result.kinds == {"timeout": 5}


@pytest.mark.parametrize(
    ("answers", "sequence", "mixed"),
    [
        pytest.param([("a", 0, 1), ("b", 1, 2)], ["a", "b"], 0, id="a clean change"),
        pytest.param(
            [("a", 0, 1), ("b", 1, 2), ("a", 1, 3)], ["a", "b"], 0,
            id="the old release answers a connection from before the change",
        ),
        pytest.param(
            [("a", 0, 1), ("b", 1, 2), ("a", 3, 4), ("b", 4, 5)], ["a", "b"], 1,
            id="the old release answers a later connection",
        ),
        pytest.param(
            [("a", 0, 1), ("b", 1, 2), ("change", 0, 0), ("a", 1, 3), ("b", 3, 4), ("a", 5, 6)],
            ["a", "b", "a"], 0, id="a rollback that was announced",
        ),
        pytest.param(
            [("a", 0, 1), ("b", 1, 2), ("change", 0, 0), ("a", 3, 4), ("b", 5, 6)],
            ["a", "b", "a"], 1, id="a rollback that was announced and is not whole",
        ),
    ],
)  # fmt: skip
def test_releases_that_answer_out_of_order_are_counted(
    answers: list[tuple[str, float, float]], sequence: list[str], mixed: int
) -> None:
    seen = Releases()
    for release, opened_s, now_s in answers:
        if release == "change":
            seen.expect_change()
        else:
            seen.answered(release, opened_s, now_s)
    assert (seen.sequence, seen.mixed) == (sequence, mixed)
