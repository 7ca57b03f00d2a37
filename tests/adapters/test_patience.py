"""What is waited for, and for how long; no test waits itself."""

from __future__ import annotations

import httpx
import pytest

from restoops.adapters.patience import Patience
from restoops.errors import Interrupted
from restoops.flows.interrupt import Interrupt
from restoops.flows.pause import pause
from tests.flows.clock import FakeClock

URL = httpx.Request("GET", "https://api.github.com/versions")


def answer(status: int, text: str = "", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, text=text, request=URL)


class Service:
    """Answers one after the other; an error is a connection that is cut."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self) -> httpx.Response:
        self.asked += 1
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def patience(clock: FakeClock, said: list[str]) -> Patience:
    return Patience(clock.sleep, said.append, lambda: 1000 + clock.passed)


OK = answer(200, "fine")
CUT = httpx.RemoteProtocolError("Server disconnected without sending a response.")


@pytest.mark.parametrize(
    ("first", "waits_s"),
    [
        pytest.param(answer(429, retry_after="7"), 7, id="too many requests, with a time"),
        pytest.param(answer(429), 60, id="too many requests, without a time"),
        pytest.param(answer(403, retry_after="30"), 30, id="a secondary limit"),
        pytest.param(answer(403, '{"message": "You have exceeded a secondary rate limit"}'), 60,
                     id="a secondary limit that only its text tells"),
        pytest.param(answer(403, x_ratelimit_remaining="0", x_ratelimit_reset="1090"), 91,
                     id="the limit of an hour, until it is reset"),
        pytest.param(answer(429, retry_after="Thu, 01 Jan 1970 00:17:00 GMT"), 20, id="a date"),
        pytest.param(answer(503, retry_after="3"), 3, id="a service that is down for a while"),
        pytest.param(answer(502), 0.5, id="a gateway that fails"),
        pytest.param(CUT, 0.5, id="a connection that is cut"),
        pytest.param(httpx.ReadTimeout("slow"), 0.5, id="no answer in time"),
    ],
)  # fmt: skip
def test_a_request_is_sent_again_when_it_may_succeed(
    patience: Patience, clock: FakeClock, first: httpx.Response | Exception, waits_s: float
) -> None:
    service = Service(first, OK)

    assert patience.send(service).text == "fine"
    assert service.asked == 2
    assert clock.passed == pytest.approx(waits_s)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(answer(401), id="a token that is wrong"),
        pytest.param(answer(403, '{"message": "Resource not accessible"}'), id="a missing scope"),
        pytest.param(answer(404), id="nothing there"),
        pytest.param(answer(405), id="not done here"),
    ],
)
def test_what_will_be_the_same_is_not_asked_twice(
    patience: Patience, clock: FakeClock, refusal: httpx.Response
) -> None:
    service = Service(refusal)

    assert patience.send(service) is refusal
    assert clock.passed == 0


def test_a_storm_is_sat_out_and_told_once_for_each_pause(
    patience: Patience, clock: FakeClock, said: list[str]
) -> None:
    storm: list[httpx.Response | Exception] = [
        answer(429, retry_after="20"),
        answer(403, retry_after="40"),
        CUT,
        answer(500),
    ]

    assert patience.send(Service(*storm, OK)) is OK
    assert clock.passed > 60
    assert said == [
        "api.github.com asks for a pause of 20 s",
        "api.github.com asks for a pause of 40 s",
    ]


def test_a_storm_without_end_is_given_up(patience: Patience, clock: FakeClock) -> None:
    limit = answer(429, retry_after="60")
    service = Service(*[limit] * 20)

    assert patience.send(service).status_code == 429
    assert service.asked == 12
    assert clock.passed == 660


def test_a_connection_that_is_always_cut_is_given_up(patience: Patience) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        patience.send(Service(*[CUT] * 5))


def test_a_limit_holds_the_other_requests_back_as_well(clock: FakeClock) -> None:
    pauses: list[float] = []

    def pause_once(seconds: float) -> None:
        pauses.append(seconds)
        if seconds == 50 and pauses.count(50) == 1:
            raise Interrupted("the one that met the limit")
        clock.sleep(seconds)

    patience = Patience(pause_once, lambda _: None, lambda: 1000 + clock.passed)
    with pytest.raises(Interrupted):
        patience.send(Service(answer(429, retry_after="50"), OK))
    other = Service(OK)

    assert patience.send(other) is OK
    assert clock.passed == 50


def test_a_signal_ends_a_pause(clock: FakeClock) -> None:
    interrupt = Interrupt()
    patience = Patience(lambda s: pause(s, clock, interrupt), lambda _: interrupt.ask())

    with pytest.raises(Interrupted):
        patience.send(Service(answer(429, retry_after="3600"), OK))
    assert clock.passed == 0
