"""The compose files in docker/, run by the real `docker compose` beside whatever else runs here."""

import json
import os
import secrets
import signal
import subprocess
from pathlib import Path
from typing import Any, Self

from tests.docker.api import Answer, ask
from tests.docker.workspace import PROGRAMS
from tests.lab.ports import free_port

COMPOSE = PROGRAMS / "docker-compose"
READY_TIMEOUT_S = 150
PORTS = ("API_PORT", "POSTGRES_PORT", "REDIS_PORT", "ADMINER_PORT")


class StackFailed(Exception):
    """Compose failed; the message carries what it printed."""


class Stack:
    """One compose file as a project of its own, on free ports; leaving the block removes it all."""

    def __init__(self, folder: Path, file: str, image: str) -> None:
        self.folder = folder
        self.name = f"lab-{secrets.token_hex(4)}"
        self.ports = {name: free_port() for name in PORTS}
        self.password = secrets.token_hex(12)
        self._file = file
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.name,
            "API_IMAGE": image,
            "POSTGRES_PASSWORD": self.password,
            "REDIS_PASSWORD": self.password,
            **{name: str(port) for name, port in self.ports.items()},
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.compose("down", "--volumes", "--timeout", "2")

    @property
    def argv(self) -> list[str]:
        """What compose commands begin with."""
        return [str(COMPOSE), "--file", self._file]

    def compose(self, *words: str) -> str:
        """Run a compose command and return what it printed."""
        done = subprocess.run(
            [*self.argv, *words], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode:
            logs = "" if words[0] == "logs" else self.compose("logs", "--tail", "30")
            raise StackFailed(f"compose {' '.join(words)}:\n{done.stdout}\n{logs}")
        return done.stdout

    def up(self) -> None:
        """Start all services and wait until they are healthy."""
        self.compose("up", "--no-build", "--wait", "--wait-timeout", str(READY_TIMEOUT_S))

    def services(self) -> dict[str, dict[str, Any]]:
        """Return what compose says of each service."""
        told = [json.loads(line) for line in self.compose("ps", "--format", "json").splitlines()]
        return {service["Service"]: service for service in told}

    def execute(self, service: str, *argv: str) -> str:
        """Run a command in a service's container."""
        return self.compose("exec", "-T", service, *argv).strip()

    def ask(self, path: str = "/health") -> Answer:
        """Ask the API, from this machine."""
        return ask(self.ports["API_PORT"], path)


class Watch:
    """`compose watch` in the background: what is edited is copied into the API's container."""

    def __init__(self, stack: Stack) -> None:
        self._process = subprocess.Popen(
            [*stack.argv, "watch", "--no-up"], cwd=stack.folder, env=stack.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self) -> Self:
        assert self._process.stdout
        while "Watch enabled" not in (line := self._process.stdout.readline()):
            if not line:
                raise StackFailed("compose watch ended by itself")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=60)
