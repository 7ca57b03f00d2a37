"""The registry client against a small real server."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from restoops.adapters.registry import RegistryClient
from restoops.errors import Refused, RestoopsError, Unreachable
from restoops.model import ImageName, Login, Secret
from tests.lab.ports import free_port
from tests.plan.states import V1, V2

PASSWORD = "hunter2/+=%"
OLGA = Login("olga", Secret(PASSWORD))
BASIC = "Basic " + base64.b64encode(f"olga:{PASSWORD}".encode()).decode()
MANIFEST = b'{"schemaVersion": 2}'
TAGS = ["sha-abc1234", "sha-abc1299", "v1", "v2", "v3", "v4", "v5"]


class Server:
    """A registry with one image; the attributes say how it behaves."""

    def __init__(self) -> None:
        self.asks_for = ""
        """`basic`, `bearer`, or nothing."""
        self.status = 0
        """Answered to everything, unless 0."""
        self.digest = str(V1.digest)
        self.token_body = b'{"token": "t0ken"}'
        self.seen: list[tuple[str, str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            do_HEAD = do_GET  # noqa: N815  its name is given

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        given = request.headers.get("authorization", "")
        self.seen.append((request.command, request.path, given))
        url = urlsplit(request.path)
        if url.path == "/token":
            return self._answer_token(request, given, parse_qs(url.query))
        wanted = {"basic": BASIC, "bearer": "Bearer t0ken"}.get(self.asks_for, given)
        if given != wanted:
            return self._say(request, 401, {"www-authenticate": self._challenge()})
        if self.status:
            return self._say(request, self.status, {}, PASSWORD.encode())
        return self._answer_path(request, url.path)

    def _answer_path(self, request: BaseHTTPRequestHandler, path: str) -> None:
        if path == "/v2/team/menu/tags/list":
            return self._say(request, 200, {}, json.dumps({"tags": TAGS}).encode())
        if path in ("/v2/team/menu/manifests/v1", f"/v2/team/menu/manifests/{V1.digest}"):
            digest = {"docker-content-digest": self.digest} if self.digest else {}
            return self._say(request, 200, digest, MANIFEST)
        return self._say(request, 404, {})

    def _answer_token(
        self, request: BaseHTTPRequestHandler, given: str, query: dict[str, list[str]]
    ) -> None:
        asked = {"service": ["registry"], "scope": ["repository:team/menu:pull"]}
        is_right = given == BASIC and query == asked
        self._say(request, 200 if is_right else 403, {}, self.token_body if is_right else b"")

    def _challenge(self) -> str:
        if self.asks_for == "basic":
            return 'Basic realm="registry"'
        realm = f'realm="http://{self.host}/token"'
        return f'Bearer {realm},service="registry",scope="repository:team/menu:pull"'

    def _say(
        self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str],
        body: bytes = b"",
    ) -> None:  # fmt: skip
        request.send_response(status)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    with contextlib.closing(Server()) as running:
        yield running


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[[Login | None], RegistryClient]]:
    with contextlib.ExitStack() as opened:

        def connect(login: Login | None) -> RegistryClient:
            image = ImageName(server.host, "team/menu")
            return opened.enter_context(contextlib.closing(RegistryClient(image, login)))

        yield connect


Connect = Callable[[Login | None], RegistryClient]


@pytest.mark.parametrize("asks_for", ["", "basic", "bearer"])
def test_a_tag_means_a_digest(server: Server, connect: Connect, asks_for: str) -> None:
    server.asks_for = asks_for

    assert connect(OLGA).resolve("v1") == V1.digest


def test_a_token_is_asked_for_once_and_kept(server: Server, connect: Connect) -> None:
    server.asks_for = "bearer"
    client = connect(OLGA)
    client.resolve("v1")
    client.has(V1.digest)

    assert sum(path.startswith("/token") for _, path, _ in server.seen) == 1
    assert server.seen[-1][2] == "Bearer t0ken"


def test_the_password_is_sent_only_where_it_is_asked_for(server: Server, connect: Connect) -> None:
    connect(OLGA).resolve("v1")

    assert [given for _, _, given in server.seen] == [""]


def test_a_registry_that_tells_no_digest_is_asked_for_the_manifest(
    server: Server, connect: Connect
) -> None:
    server.digest = ""

    digest = connect(None).resolve("v1")

    assert str(digest) == f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"


def test_a_digest_is_there_or_not(connect: Connect) -> None:
    assert connect(None).has(V1.digest)
    assert not connect(None).has(V2.digest)


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        pytest.param("sha-abcdead", "Did you mean sha-abc1299 or sha-abc1234?", id="near ones"),
        pytest.param("nothing", "The registry has: v1, v2, v3, v4, v5", id="the last ones"),
    ],
)
def test_a_tag_that_is_not_there_is_refused_with_those_that_are(
    connect: Connect, server: Server, tag: str, hint: str
) -> None:
    with pytest.raises(Refused, match=f"{server.host}/team/menu:{tag} is not in the registry") as e:
        connect(None).resolve(tag)

    assert hint in e.value.hint


@pytest.mark.parametrize("asks_for", ["basic", "bearer"])
@pytest.mark.parametrize(
    ("login", "who"),
    [
        pytest.param(None, "us without credentials", id="none"),
        pytest.param(Login("eve", Secret("guess")), "user eve", id="wrong"),
    ],
)
def test_refused_credentials_are_told_by_their_user(
    server: Server, connect: Connect, asks_for: str, login: Login | None, who: str
) -> None:
    server.asks_for = asks_for

    with pytest.raises(Unreachable, match=f"refused {who} for team/menu") as caught:
        connect(login).resolve("v1")

    assert "REGISTRY_USERNAME" in caught.value.hint
    assert "guess" not in _all_of(caught.value)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        pytest.param(403, "refused user olga for team/menu", id="forbidden"),
        pytest.param(500, "answered 500 for team/menu", id="broken"),
        pytest.param(429, "answered 429 for team/menu", id="too many questions"),
    ],
)
@pytest.mark.parametrize("asks_for", ["basic", "bearer"])
def test_an_error_of_the_registry_is_told_without_the_password(
    server: Server, connect: Connect, status: int, message: str, asks_for: str
) -> None:
    server.status, server.asks_for = status, asks_for

    questions: list[Callable[[RegistryClient], object]] = [
        lambda client: client.resolve("v1"),
        lambda client: client.has(V1.digest),
        lambda client: client.tags(),
    ]
    for question in questions:
        with pytest.raises(Unreachable, match=message) as caught:
            question(connect(OLGA))
        assert caught.value.status == 5
        assert PASSWORD not in _all_of(caught.value)


def test_a_registry_that_is_not_there_is_unreachable() -> None:
    image = ImageName(f"127.0.0.1:{free_port()}", "team/menu")
    client = RegistryClient(image, OLGA)
    with contextlib.closing(client), pytest.raises(Unreachable, match="not answer: ") as caught:
        client.resolve("v1")

    assert "rollback" in caught.value.hint
    assert PASSWORD not in _all_of(caught.value)


def test_a_token_service_that_is_not_there_is_unreachable(server: Server) -> None:
    server.asks_for = "bearer"
    there, server.host = server.host, f"127.0.0.1:{free_port()}"
    image = ImageName(there, "team/menu")

    client = RegistryClient(image, OLGA)
    with contextlib.closing(client), pytest.raises(Unreachable, match="token service") as caught:
        client.resolve("v1")

    assert PASSWORD not in _all_of(caught.value)


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param({"digest": "sha256:no"}, id="a digest that is none"),
        pytest.param({"asks_for": "bearer", "token_body": b"<html>"}, id="a page for a token"),
        pytest.param({"asks_for": "bearer", "token_body": b"[]"}, id="a list for a token"),
    ],
)
def test_an_answer_that_is_not_of_a_registry_is_no_traceback(
    server: Server, connect: Connect, behave: dict[str, object]
) -> None:
    vars(server).update(behave)

    with pytest.raises(Unreachable, match="is not that of a registry"):
        connect(OLGA).resolve("v1")


def _all_of(error: RestoopsError) -> str:
    return f"{error!r} {error.message} {error.hint} {error.details}"
