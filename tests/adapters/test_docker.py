"""What the engine refuses, told by a real one."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from docker import DockerClient
from docker.errors import NotFound

from restoops.adapters.connection import LocalConnection, Stream
from restoops.adapters.container import SOCKET
from restoops.adapters.docker import Engine
from restoops.errors import StepFailed, Unreachable
from restoops.model import ImageName
from tests.lab import cache, images
from tests.lab.demo_stage import free_subnet

pytestmark = pytest.mark.lab


@pytest.fixture
def ours() -> Iterator[Engine]:
    with contextlib.closing(Engine("web-1", lambda: LocalConnection().dial(SOCKET))) as made:
        yield made


def test_an_application_may_have_pull_in_its_name(ours: Engine) -> None:
    with pytest.raises(
        StepFailed, match=r"cannot make network pullman \(10\.1\.2\.3/99\)"
    ) as caught:
        ours.ensure_network("pullman", "10.1.2.3/99", {})

    assert "pull of" not in caught.value.message
    assert "registry" not in caught.value.hint


def test_a_pull_that_fails_names_the_image_and_the_registry(ours: Engine) -> None:
    with pytest.raises(StepFailed, match=r"pull of 127\.0\.0\.1:9/pullman:v1 failed") as caught:
        ours.pull("127.0.0.1:9/pullman:v1", None, lambda _: None)

    assert "Does the host reach the registry" in caught.value.hint


def test_an_engine_that_takes_a_connection_and_stays_silent_is_given_up_in_its_time() -> None:
    ours, theirs = socket.socketpair()
    silent = Engine("web-1", lambda: ours, answer_timeout_s=0.2)
    with ours, theirs, contextlib.closing(silent):
        began = time.monotonic()
        with pytest.raises(Unreachable, match="no answer from Docker"):
            silent.containers("menu")

    # docker-py's own patience is a minute.
    assert time.monotonic() - began < 10


def test_questions_share_a_stream_also_with_an_answer_that_comes_in_parts() -> None:
    dialled: list[Stream] = []

    def dial() -> Stream:
        dialled.append(LocalConnection().dial(SOCKET))
        return dialled[-1]

    with contextlib.closing(Engine("local", dial)) as shared:
        shared.images(ImageName("127.0.0.1:9", "pullman"))
        with pytest.raises(StepFailed):
            shared.pull("127.0.0.1:9/pullman:v1", None, lambda _: None)
        shared.images(ImageName("127.0.0.1:9", "pullman"))

    assert len(dialled) == 1


NETWORK = "restoops-lab-addresses"
LABELS = {"restoops.app": NETWORK}


@pytest.fixture
def other_subnet(engine: DockerClient, ours: Engine) -> Iterator[str]:
    """Addresses that are free beside those of the network of the application."""
    with cache.locked("stage"):  # stages look for free addresses as well
        ours.ensure_network(NETWORK, free_subnet(engine), LABELS)
        yield free_subnet(engine)
        with contextlib.suppress(NotFound):
            engine.networks.get(NETWORK).remove()


def test_a_network_that_nothing_uses_is_made_anew_with_other_addresses(
    ours: Engine, other_subnet: str
) -> None:
    ours.ensure_network(NETWORK, other_subnet, LABELS)

    assert ours.subnet_of(NETWORK) == other_subnet


def test_a_network_in_use_keeps_its_addresses(
    engine: DockerClient, ours: Engine, other_subnet: str
) -> None:
    before = ours.subnet_of(NETWORK)
    image = images.testapp(engine, images.App("one"))
    container = engine.containers.run(image, detach=True, network=NETWORK)
    try:
        with pytest.raises(StepFailed, match="is in use") as caught:
            ours.ensure_network(NETWORK, other_subnet, LABELS)
    finally:
        container.remove(force=True)

    assert f"Set it back to {before}" in caught.value.hint
    assert ours.subnet_of(NETWORK) == before


def test_a_network_of_somebody_else_is_left_alone(ours: Engine, other_subnet: str) -> None:
    with pytest.raises(StepFailed, match="is in use"):
        ours.ensure_network(NETWORK, other_subnet, {"restoops.app": "another"})

    assert ours.subnet_of(NETWORK) not in (None, other_subnet)


@pytest.mark.parametrize(
    ("oldest", "spoken"),
    [
        pytest.param("1.24", "1.41", id="as we speak"),
        pytest.param("1.44", "1.44", id="a newer one"),
    ],
)
def test_the_version_that_an_engine_knows_is_spoken(oldest: str, spoken: str) -> None:
    asked: list[str] = []

    def answer(path: str) -> tuple[int, str]:
        asked.append(path)
        if path == "/version":
            return 200, f'{{"MinAPIVersion": "{oldest}"}}'
        if path.startswith(f"/v{spoken}/"):
            return 200, "[]"
        return 400, '{"message": "client version 1.41 is too old."}'

    with _answering(answer) as dial, contextlib.closing(Engine("web-1", dial)) as engine:
        assert engine.containers("menu") == ()
        assert engine.containers("menu") == ()

    refused = [] if spoken == "1.41" else ["v1.41/containers/json", "version"]
    told = [path.partition("?")[0].removeprefix("/") for path in asked]
    assert told == [*refused, *[f"v{spoken}/containers/json"] * 2]


def test_a_refusal_that_is_not_about_the_version_is_told() -> None:
    def answer(path: str) -> tuple[int, str]:
        if path == "/version":
            return 200, '{"MinAPIVersion": "1.24"}'
        return 400, '{"message": "invalid filter"}'

    with (
        _answering(answer) as dial,
        contextlib.closing(Engine("web-1", dial)) as engine,
        pytest.raises(StepFailed, match="cannot list containers: invalid filter"),
    ):
        engine.containers("menu")


@contextlib.contextmanager
def _answering(answer: Callable[[str], tuple[int, str]]) -> Iterator[Callable[[], Stream]]:
    """Be an engine that gives such answers over one stream."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, theirs.makefile("rb") as questions:
            while line := questions.readline():
                while questions.readline().strip():
                    pass
                status, body = answer(line.split()[1].decode())
                head = f"HTTP/1.1 {status} So\r\nContent-Length: {len(body)}\r\n\r\n"
                theirs.sendall((head + body).encode())

    serving = threading.Thread(target=serve)
    serving.start()
    with ours:
        yield lambda: ours
    serving.join()
