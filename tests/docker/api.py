"""The reference API as a process, and clients that see what they are answered."""

import http.client
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.docker import workspace
from tests.docker.servers import Server
from tests.lab.ports import free_port

READY_TIMEOUT_S = 60.0
ENDED_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        """The body, which has to be an object."""
        told: dict[str, Any] = json.loads(self.text)
        return told

    @property
    def services(self) -> tuple[str, str]:
        """What /health says of the database and of Redis."""
        found = self.json["services"]
        return found["database"]["status"], found["redis"]["status"]


class Client(AbstractContextManager["Client"]):
    """One kept-alive connection, until the end of the `with` block."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=30)
        self._connection.connect()

    def send(self, path: str, method: str = "GET") -> None:
        """Send a request and do not wait for the answer."""
        self._connection.request(method, path)

    def receive(self) -> Answer:
        """Return the answer to what was sent."""
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read().decode())

    def ask(self, path: str, method: str = "GET") -> Answer:
        """Send a request and return its answer."""
        self.send(path, method)
        return self.receive()

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def ask(port: int, path: str = "/health", host: str = "127.0.0.1") -> Answer:
    """Ask over a fresh connection.

    Raises:
        OSError: nobody listens.
    """
    with Client(port, host) as client:
        return client.ask(path)


def eventually(
    look: Callable[[], Answer], wanted: Callable[[Answer], bool], timeout_s: float = READY_TIMEOUT_S
) -> Answer:
    """Return the first answer that is as wanted.

    Raises:
        AssertionError: there was none within `timeout_s`; it carries the last one.
    """
    deadline = time.monotonic() + timeout_s
    last: Answer | OSError | http.client.HTTPException | None = None
    while time.monotonic() < deadline:
        try:
            last = look()
            if wanted(last):
                return last
        except (OSError, http.client.HTTPException) as error:
            last = error
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s:g} s; last: {last!r}")


class Api:
    """The built API in the foreground of nobody; leaving the `with` block kills it."""

    def __init__(self, database: Server, redis: Server, **settings: str) -> None:
        self.port = free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="restoops-api-")
        self._log = Path(self._directory.name) / "log"
        environment = {
            "PATH": workspace.ENVIRONMENT["PATH"],
            "NODE_ENV": "production",
            "PORT": str(self.port),
            "DATABASE_URL": database.url,
            "REDIS_URL": redis.url,
            "RELEASE_SHA": "abc1234",
            **settings,
        }
        argv = ["node", "--enable-source-maps", "dist/main.js"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                argv, cwd=workspace.built(), env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip

    def __enter__(self) -> Self:
        eventually(lambda: self.ask("/live"), lambda answer: answer.status == 200)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._directory.cleanup()

    @property
    def log(self) -> str:
        """What it printed so far."""
        return self._log.read_text()

    def ask(self, path: str = "/health") -> Answer:
        """Ask over a fresh connection."""
        return ask(self.port, path)

    def await_services(self, database: str, redis: str) -> Answer:
        """Return the first health answer in which both are as named."""
        return eventually(self.ask, lambda answer: answer.services == (database, redis))

    def await_arrival(self) -> None:
        """Return when all that was sent so far is being answered: a later request has been."""
        for _ in range(2):
            self.ask("/live")

    def terminate(self) -> None:
        """Ask the process to end."""
        os.kill(self.process.pid, signal.SIGTERM)

    def ended(self) -> int:
        """Wait for the end and return the exit status."""
        return self.process.wait(timeout=ENDED_TIMEOUT_S)
