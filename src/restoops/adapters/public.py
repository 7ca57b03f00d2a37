"""A public address, asked as its clients do: by its name, over TLS that is checked."""

from __future__ import annotations

import re
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from restoops.adapters.nearby import is_near
from restoops.errors import UsageError
from restoops.model import Answer, Question, Visit

_MAX_BYTES = 1024 * 1024
"""Of an answer; of a longer one no more is read."""


class PublicSite:
    """An address such as `https://api.example.com`; every question has a connection of its own.

    So each one sees the certificate of this moment, and none is lost to a connection that was
    closed meanwhile: a `POST` could not be sent again.

    Raises:
        UsageError: the file of certificate authorities cannot be read.
    """

    def __init__(self, url: str, *, ca: Path | None = None, timeout_s: float = 10) -> None:
        self.url = url
        self._timeout_s = timeout_s
        address = httpx.URL(url)
        self._host = address.host
        self._client = httpx.Client(
            verify=_trusting(ca),
            limits=httpx.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            # No proxy leads to this machine itself, or into a private network.
            trust_env=not is_near(address.host),
            headers={"user-agent": "restoops"},
        )

    def close(self) -> None:
        """Close it."""
        self._client.close()

    def visit(self, question: Question) -> Visit:
        """Ask a question; a `Visit` without an answer says why there was none."""
        return self._visit(self.url + question.path, question)

    def visit_plain(self, question: Question, port: int) -> Visit:
        """Ask over plain HTTP, on `port` of the same host."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        base = re.sub(r"^https?://[^/]*", f"http://{host}:{port}", self.url)
        return self._visit(base + question.path, question)

    def _visit(self, url: str, question: Question) -> Visit:
        limit_s = min(question.timeout_s, self._timeout_s)
        began = time.monotonic()
        try:
            with self._client.stream(
                question.method,
                url,
                headers=dict(question.headers),
                content=None if question.body is None else question.body.encode(),
                timeout=limit_s,
            ) as response:
                valid_until = _valid_until(response)
                text = _read(response, began + limit_s)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _failed(error, limit_s)
        seconds = time.monotonic() - began
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Visit(Answer(response.status_code, text, headers, seconds), valid_until)


def _read(response: httpx.Response, until: float) -> str:
    """Read an answer, or as much of it as is ever looked at.

    Raises:
        httpx.ReadTimeout: it has not come to its end by then, though each part came in time.
    """
    content = b""
    for part in response.iter_bytes():
        content += part
        if time.monotonic() > until:
            raise httpx.ReadTimeout("", request=response.request)
        if len(content) >= _MAX_BYTES:
            break
    return content[:_MAX_BYTES].decode(errors="replace")


def _failed(error: Exception, limit_s: float) -> Visit:
    fault = _certificate_fault(error)
    if fault:
        return Visit(Answer(0, fault), tls_fault=fault)
    if isinstance(error, httpx.TimeoutException):
        return Visit(Answer(0, f"nothing came within {limit_s:g} s"))
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(error))
    return Visit(Answer(0, text or type(error).__name__))


def _certificate_fault(error: BaseException | None) -> str:
    """Return why a certificate was refused, from what httpx's error was caused by."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {error.verify_message}".rstrip(".")
        error = error.__cause__ or error.__context__
    return ""


def _valid_until(response: httpx.Response) -> str:
    stream = response.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream else None
    told = (secured.getpeercert() or {}).get("notAfter") if secured else None
    if not told:
        return ""
    moment = datetime.fromtimestamp(ssl.cert_time_to_seconds(told), UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _trusting(ca: Path | None) -> ssl.SSLContext:
    if ca is None:
        context = httpx.create_ssl_context()
        context.load_default_certs()  # those of a company, beside the ones that httpx brings
        return context
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"public.ca: {ca} cannot be read as certificates: {error.strerror or error}",
            hint="`public.ca` in restoops.yaml names a file of certificates in PEM.",
        ) from error
