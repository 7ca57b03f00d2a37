"""A public address over real TLS, with certificates of a CA that is made here."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from restoops.adapters.public import PublicSite
from restoops.errors import UsageError
from restoops.model import Question, Visit

HEALTH = Question("/health", timeout_s=5)
Answering = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a directory."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls, folder: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA of a test")])
        certificate = _signed(name, name, key, key, days=10, is_ca=True)
        (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, certificate)

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def context(self, *, days: float = 30, address: str = "127.0.0.1") -> ssl.SSLContext:
        """What a server is made with whose certificate is good for so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
        issuer = self.certificate.subject
        certificate = _signed(subject, issuer, key, self.key, days=days, address=address)
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    days: float,
    is_ca: bool = False,
    address: str = "127.0.0.1",
) -> x509.Certificate:
    end = datetime.now(UTC) + timedelta(days=days)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=400))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(names, critical=False)
    )
    return builder.sign(signer, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("ca"))


def fine(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "2")
    request.send_header("X-Method", request.command)
    request.end_headers()
    request.wfile.write(b"{}")


def redirecting(request: BaseHTTPRequestHandler) -> None:
    request.send_response(308)
    request.send_header("Location", f"https://127.0.0.1{request.path}")
    request.send_header("Content-Length", "0")
    request.end_headers()


@contextmanager
def server(answer: Answering, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that refuses the certificate

    listening = Server(("127.0.0.1", 0), Handler)
    if context:
        listening.socket = context.wrap_socket(
            listening.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield int(listening.server_address[1])
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def visit(url: str, question: Question = HEALTH, ca: Path | None = None) -> Visit:
    with closing(PublicSite(url, ca=ca)) as site:
        return site.visit(question)


def test_an_answer_comes_with_the_end_of_its_certificate(authority: Authority) -> None:
    with server(fine, authority.context(days=30)) as port:
        seen = visit(f"https://127.0.0.1:{port}", ca=authority.file)

    assert (seen.answer.status, seen.answer.text, seen.tls_fault) == (200, "{}", "")
    assert seen.answer.seconds > 0
    left = datetime.fromisoformat(seen.valid_until) - datetime.now(UTC)
    assert timedelta(days=29) < left <= timedelta(days=30)


@pytest.mark.parametrize(
    ("days", "address", "told"),
    [(-1, "127.0.0.1", "certificate has expired"), (30, "127.0.0.9", "certificate is not valid")],
)
def test_a_certificate_that_clients_refuse_is_told(
    authority: Authority, days: float, address: str, told: str
) -> None:
    with server(fine, authority.context(days=days, address=address)) as port:
        seen = visit(f"https://127.0.0.1:{port}", ca=authority.file)

    assert seen.answer.status == 0
    assert seen.tls_fault.startswith("its certificate is not trusted: ")
    assert told in seen.tls_fault


def test_a_certificate_of_nobody_that_is_trusted_is_told(authority: Authority) -> None:
    with server(fine, authority.context()) as port:
        seen = visit(f"https://127.0.0.1:{port}")

    assert "certificate is not trusted" in seen.tls_fault


def test_plain_http_is_asked_at_the_same_host_and_not_followed(authority: Authority) -> None:
    with ExitStack() as stack:
        port = stack.enter_context(server(fine, authority.context()))
        plain = stack.enter_context(server(redirecting))
        site = PublicSite(f"https://127.0.0.1:{port}/v1", ca=authority.file)
        stack.callback(site.close)
        answer = site.visit_plain(HEALTH, plain).answer

    assert answer.status == 308
    assert answer.headers["location"] == "https://127.0.0.1/v1/health"


def test_method_headers_and_body_are_sent() -> None:
    heard: list[tuple[str, str | None, bytes]] = []

    def hear(request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["content-length"])
        heard.append((request.path, request.headers["x-a"], request.rfile.read(length)))
        fine(request)

    with server(hear) as port:
        question = Question("/v1/orders", "POST", {"x-a": "b"}, "{}")
        seen = visit(f"http://127.0.0.1:{port}", question)

    assert heard == [("/v1/orders", "b", b"{}")]
    assert seen.answer.headers["x-method"] == "POST"
    assert (seen.valid_until, seen.tls_fault) == ("", "")


def test_nobody_who_listens_and_no_such_name_are_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        seen = visit(f"http://127.0.0.1:{unused.getsockname()[1]}")

    assert (seen.answer.status, seen.answer.text) == (0, "Connection refused")
    assert visit("http://nowhere.invalid").answer.status == 0


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "a byte at a time"])
def test_an_answer_that_does_not_come_to_an_end_is_given_up(drips: bool) -> None:
    over = threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while drips and not over.wait(0.02):
            try:
                request.wfile.write(b".")
            except OSError:
                return
        over.wait(30)

    with server(slow) as port:
        seen = visit(f"http://127.0.0.1:{port}", Question("/", timeout_s=0.3))
        over.set()

    assert (seen.answer.status, seen.answer.text) == (0, "nothing came within 0.3 s")


def test_a_file_that_holds_no_authorities_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    for content in (None, "no certificate"):
        if content:
            file.write_text(content)
        with pytest.raises(UsageError, match=r"public\.ca: .*ca\.pem cannot be read"):
            PublicSite("https://a.example", ca=file)
