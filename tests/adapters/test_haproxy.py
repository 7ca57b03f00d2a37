"""The configuration, the runtime API and the probe, against a real HAProxy."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from restoops.adapters.connection import LocalConnection, Stream
from restoops.adapters.haproxy import (
    Route,
    live_map,
    parse_slots,
    render,
    slots_file,
)
from restoops.adapters.probe import Prober
from restoops.adapters.runtime import RuntimeApi
from restoops.errors import NeedsAttention, Unreachable
from restoops.model import Answer, Color, Counts, Question
from tests.adapters.haproxy_process import (
    HAPROXY,
    App,
    Haproxy,
    endpoints_at,
    running,
    settings_in,
    until,
)
from tests.lab.ports import free_port
from tests.plan.states import BLUE, GREEN


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Haproxy]:
    with running(tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture
def haproxy(shared: Haproxy) -> Haproxy:
    """The process of the module, with blue live and nobody in reserve."""
    runtime = shared.runtime()
    runtime.route(Route(BLUE))
    for color in Color:
        runtime.mark_up(color)
    runtime.close()
    return shared


@pytest.fixture
def runtime(haproxy: Haproxy) -> Iterator[RuntimeApi]:
    api = haproxy.runtime()
    yield api
    api.close()


@pytest.fixture
def prober(haproxy: Haproxy) -> Iterator[Prober]:
    probe = haproxy.prober()
    yield probe
    probe.close()


lab = pytest.mark.lab


@lab
@pytest.mark.parametrize(
    ("health_path", "timeout_s"),
    [("/health", 60), ("/", 1), ("/api/v1/health?deep=1&x=%20", 86400)],
)
def test_haproxy_accepts_its_configuration_without_a_warning(
    tmp_path: Path, health_path: str, timeout_s: int
) -> None:
    wanted = replace(settings_in(tmp_path), health_path=health_path, timeout_s=timeout_s)
    (tmp_path / "live.map").write_text(live_map(Route(None)))
    (tmp_path / "slots.cfg").write_text(slots_file(endpoints_at(3002)))
    (tmp_path / "haproxy.cfg").write_text(render(wanted))

    argv = [HAPROXY, "-c", "-f", f"{tmp_path}/slots.cfg", "-f", f"{tmp_path}/haproxy.cfg"]
    checked = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
    assert "[WARNING]" not in checked.stderr


@lab
def test_nobody_is_served_until_something_is_live(haproxy: Haproxy, runtime: RuntimeApi) -> None:
    runtime.route(Route(None))

    assert runtime.traffic().live is None
    assert haproxy.get() == (503, "no release is live here")


@lab
def test_a_switch_moves_new_requests_at_once(haproxy: Haproxy, runtime: RuntimeApi) -> None:
    answers = []
    for color in (GREEN, BLUE) * 5:
        runtime.route(Route(color))
        answers.append(haproxy.get())

    assert answers == [(200, "green"), (200, "blue")] * 5


@lab
def test_traffic_says_who_is_live_and_who_is_healthy(runtime: RuntimeApi) -> None:
    until(lambda: runtime.traffic().up == frozenset(Color))
    traffic = runtime.traffic()

    assert (traffic.live, traffic.covering) == (BLUE, False)
    assert traffic.sessions == {BLUE: 0, GREEN: 0}


@lab
def test_a_slot_is_reached_elsewhere_at_once_and_the_other_stays_where_it_is(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("aim")) as proxy:
        runtime, prober, elsewhere = proxy.runtime(), proxy.prober(), free_port()
        runtime.route(Route(BLUE, covered=True))
        prober.ask("/", GREEN, timeout_s=5)  # leaves an idle connection behind
        proxy.apps[GREEN].close()
        moved = App(GREEN, elsewhere)

        runtime.aim(GREEN, endpoints_at(elsewhere)[GREEN])

        assert runtime.endpoints() == {**proxy.endpoints, GREEN: endpoints_at(elsewhere)[GREEN]}
        assert prober.ask("/", GREEN, timeout_s=5) == (Answer(200, "green"), GREEN)
        assert prober.ask("/", BLUE, timeout_s=5) == (Answer(200, "blue"), BLUE)
        runtime.mark_up(GREEN)
        runtime.route(Route(GREEN, covered=True))
        assert [proxy.get() for _ in range(4)] == [(200, "green")] * 4
        until(lambda: "/health" in moved.seen)
        assert runtime.traffic().up == frozenset(Color)
        prober.close()
        runtime.close()
        moved.close()


@lab
def test_an_endpoint_that_haproxy_does_not_take_is_told(runtime: RuntimeApi) -> None:
    with pytest.raises(NeedsAttention, match="does not reach green at nowhere:1"):
        runtime.aim(GREEN, "nowhere:1")


@pytest.mark.parametrize("text", ["", "setenv RESTOOPS_BLUE", "global\n    setenv BLUE x\n"])
def test_slots_that_are_not_on_file_are_left_out(text: str) -> None:
    assert parse_slots(text) == {}
    assert parse_slots(slots_file(endpoints_at(1)) + text) == endpoints_at(1)


@lab
def test_a_request_that_runs_stays_where_it_is_and_is_counted(
    haproxy: Haproxy, runtime: RuntimeApi
) -> None:
    answers: list[tuple[int, str]] = []
    client = threading.Thread(target=lambda: answers.append(haproxy.get("/hold")))
    client.start()
    until(lambda: runtime.traffic().sessions[BLUE] == 1)

    runtime.route(Route(GREEN))

    assert runtime.traffic().sessions == {BLUE: 1, GREEN: 0}
    haproxy.apps[BLUE].let_go.set()
    client.join()
    assert answers == [(200, "blue")]
    until(lambda: runtime.traffic().sessions[BLUE] == 0)


@lab
@pytest.mark.parametrize(
    ("method", "at_least", "at_most"),
    [
        pytest.param("POST", 1, 1, id="an order is never sent twice"),
        pytest.param("GET", 2, 4, id="a question may be"),
    ],
)
def test_a_request_that_is_dropped_without_an_answer(
    haproxy: Haproxy, method: str, at_least: int, at_most: int
) -> None:
    seen = haproxy.apps[BLUE].seen
    seen.clear()

    status, _ = haproxy.get("/drop", method)

    assert status == 502
    assert at_least <= seen.count("/drop") <= at_most


@lab
def test_reserve_is_entered_and_left_on_order(runtime: RuntimeApi) -> None:
    runtime.route(Route(BLUE, covered=True))
    until(lambda: runtime.traffic().covering)
    assert runtime.traffic().live is BLUE
    runtime.route(Route(BLUE))

    assert not runtime.traffic().covering


@lab
def test_the_running_process_tells_its_configuration(haproxy: Haproxy, runtime: RuntimeApi) -> None:
    assert runtime.description() == haproxy.wish.spec


@lab
def test_a_stream_that_was_closed_is_opened_again(runtime: RuntimeApi) -> None:
    assert runtime.traffic().live is BLUE
    runtime.close()

    assert runtime.traffic().live is BLUE


@lab
def test_a_refusal_is_an_error_though_haproxy_calls_it_success(haproxy: Haproxy) -> None:
    def dial(_: str) -> Stream:
        return LocalConnection().dial(f"{haproxy.settings.directory}/run/admin.sock")

    api = RuntimeApi("web-1", "/nowhere", dial)

    with pytest.raises(NeedsAttention, match=r"web-1: HAProxy refused `set map /nowhere/live\.map"):
        api.route(Route(GREEN))
    api.close()


def test_without_a_proxy_the_api_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"cannot connect to .*/run/admin\.sock"):
        RuntimeApi("web-1", str(tmp_path), LocalConnection().dial).traffic()


SAYS_BLUE = b"0x5581 live blue\n\n> "


class Scripted:
    """A stream that says one thing to each line that it is sent."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = [b"\n> ", *answers]

    def sendall(self, data: bytes, /) -> None:
        pass

    def recv(self, size: int, /) -> bytes:
        return self._answers.pop(0) if self._answers else b""

    def settimeout(self, seconds: float | None, /) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "answer",
    [b"No such server.\n\n> ", b"Unknown command: 'set'\n\n> ", b"Permission denied\n\n> "],
)
def test_any_answer_to_an_order_is_a_refusal(answer: bytes) -> None:
    api = RuntimeApi("web-1", "/run", lambda _: Scripted(SAYS_BLUE, answer))

    with pytest.raises(NeedsAttention, match="refused `set server app_blue/blue health up`"):
        api.mark_up(BLUE)


def test_a_switch_that_haproxy_did_not_make_is_an_error() -> None:
    api = RuntimeApi("web-1", "/run", lambda _: Scripted(SAYS_BLUE, b"\n> ", SAYS_BLUE))

    with pytest.raises(NeedsAttention, match="routes to blue and not to green"):
        api.route(Route(GREEN))


def test_a_proxy_that_dies_in_the_midst_is_unreachable() -> None:
    api = RuntimeApi("web-1", "/run", lambda _: Scripted(b"0x5581 live bl"))

    with pytest.raises(Unreachable, match="HAProxy does not answer: the connection was closed"):
        api.traffic()


@lab
def test_a_slot_is_asked_whoever_is_live(prober: Prober) -> None:
    assert prober.ask("/", GREEN, timeout_s=5) == (Answer(200, "green"), GREEN)
    assert prober.ask("/", BLUE, timeout_s=5) == (Answer(200, "blue"), BLUE)


@lab
def test_a_question_without_a_slot_goes_where_clients_go(
    prober: Prober, runtime: RuntimeApi
) -> None:
    runtime.route(Route(GREEN))

    assert prober.ask("/404", None, timeout_s=5) == (Answer(404, "green"), GREEN)


@lab
def test_what_haproxy_says_itself_counts_as_no_answer(prober: Prober, runtime: RuntimeApi) -> None:
    runtime.route(Route(None))

    answer, slot = prober.ask("/", None, timeout_s=5)

    assert (answer.status, slot) == (0, None)


@lab
def test_an_answer_that_takes_too_long_is_none(haproxy: Haproxy, prober: Prober) -> None:
    haproxy.apps[GREEN].let_go.clear()

    answer, slot = prober.ask("/hold", GREEN, timeout_s=0.1)

    assert (answer.status, slot) == (0, None)
    haproxy.apps[GREEN].let_go.set()
    assert prober.ask("/", GREEN, timeout_s=5)[1] is GREEN


@lab
def test_a_question_is_put_as_it_is_over_a_stream_of_its_own(prober: Prober) -> None:
    for color in (GREEN, BLUE):
        question = Question("/x", "POST", {"x-a": "b"}, '{"a": 1}', timeout_s=5)
        answer, slot = prober.send(question, color)

        assert (answer, slot) == (Answer(200, color.value), color)
        assert answer.headers["content-length"] == str(len(color.value))
        assert answer.seconds > 0


@lab
@pytest.mark.parametrize("slot", [GREEN, None], ids=["of a slot", "as a client"])
def test_a_question_that_may_change_something_reaches_the_application_once(
    haproxy: Haproxy, prober: Prober, runtime: RuntimeApi, slot: Color | None
) -> None:
    runtime.route(Route(GREEN))
    haproxy.apps[GREEN].seen.clear()

    prober.send(Question("/drop", "POST", body="{}"), slot)

    assert haproxy.apps[GREEN].seen.count("/drop") == 1


def test_a_probe_without_a_proxy_gets_no_answer(tmp_path: Path) -> None:
    answer, slot = Prober(f"{tmp_path}/no.sock", LocalConnection().dial).ask("/", BLUE, timeout_s=1)

    assert (answer.status, slot) == (0, None)
    assert "cannot connect" in answer.text


@lab
def test_the_warm_release_answers_for_one_that_died(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("cover")) as proxy:
        runtime = proxy.runtime()
        runtime.route(Route(BLUE, covered=True))
        until(lambda: runtime.traffic().covering)

        proxy.apps[BLUE].close()

        until(lambda: BLUE not in runtime.traffic().up)
        assert proxy.get() == (200, "green")
        probe = proxy.prober()
        assert probe.ask("/", BLUE, timeout_s=5)[0] == Answer(
            0, "nothing listens on the application's port"
        )
        probe.close()
        runtime.close()


@lab
def test_requests_and_their_failures_are_counted_for_each_slot(
    haproxy: Haproxy, runtime: RuntimeApi
) -> None:
    before = runtime.traffic().counts
    for _ in range(3):
        haproxy.get("/")
    runtime.route(Route(GREEN))
    haproxy.get("/")

    after = runtime.traffic().counts

    assert after[BLUE].since(before[BLUE]) == Counts(3, 0)
    assert after[GREEN].since(before[GREEN]) == Counts(1, 0)
