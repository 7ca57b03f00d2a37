"""A real PostgreSQL and a real Redis on this machine, which can be stopped, frozen and started."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

from tests.lab.ports import free_port

READY_TIMEOUT_S = 60.0


class ServerFailed(Exception):
    """A server did not start; the message carries its log."""


class Server(ABC):
    """A server process with a data directory of its own, which goes with it."""

    user = ""
    """Who runs it when root makes it: PostgreSQL refuses root."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = free_port()
        self.password = secrets.token_hex(12)
        self.home = Path(tempfile.mkdtemp(prefix="restoops-server-"))
        self.log = self.home / "log"
        self.log.touch()
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": self.user, "group": self.user, "extra_groups": []}
            shutil.chown(self.home, self.user, self.user)
            shutil.chown(self.log, self.user, self.user)

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    @abstractmethod
    def url(self) -> str:
        """The address with name and password, as an application is given it."""

    @property
    @abstractmethod
    def argv(self) -> list[str]:
        """What starts the server in the foreground."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs before its first start."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Say whether it takes questions."""

    def start(self) -> None:
        """Start the server and wait until it takes questions; nothing happens when it runs."""
        if self._process:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **self._as
            )
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"{self.argv[0]} did not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server and every connection to it; `start` brings it back with its data."""
        if self._process:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            self._process.wait(timeout=60)
            self._process = None

    def freeze(self) -> None:
        """Let it take connections, as the kernel does, and answer nothing."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._signal_all(signal.SIGCONT)

    def close(self) -> None:
        """End the server and throw its data away."""
        self.thaw()
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, *argv: str, password: str = "") -> str:
        """Run a program as the server's user, who may read its files."""
        done = subprocess.run(
            argv, cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={**os.environ, "PGPASSWORD": password, "REDISCLI_AUTH": password}, **self._as,
        )  # fmt: skip
        if done.returncode:
            raise ServerFailed(f"{argv[0]}: {done.stderr}")
        return str(done.stdout)

    def _signal_all(self, number: signal.Signals) -> None:
        if self._process:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            for pid in (self._process.pid, *map(int, children.read_text().split())):
                os.kill(pid, number)


class Postgres(Server):
    """PostgreSQL, whose log holds every question."""

    user = "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://app:{self.password}@{self.address}:{self.port}/postgres"

    @property
    def argv(self) -> list[str]:
        settings = {
            "listen_addresses": self.address,
            "port": str(self.port),
            "unix_socket_directories": str(self.home),
            "log_statement": "all",
            "fsync": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [_postgres_program("postgres"), "-D", str(self.home / "data"), *options]

    def prepare(self) -> None:
        file = self.home / "password"
        file.write_text(self.password)
        shutil.chown(file, *([self.user, self.user] if self._as else [os.getuid(), os.getgid()]))
        self.run(
            _postgres_program("initdb"), "--pgdata", str(self.home / "data"), "--username", "app",
            "--pwfile", str(file), "--auth", "scram-sha-256", "--no-sync",
        )  # fmt: skip
        with (self.home / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all all scram-sha-256\n")

    def is_ready(self) -> bool:
        try:
            self.run(
                _postgres_program("pg_isready"), "-q", "-h", str(self.home), "-p", str(self.port)
            )
        except ServerFailed:
            return False
        return True

    def questions(self) -> int:
        """Return how often a client asked `SELECT 1` so far."""
        return self.log.read_text().count("SELECT 1")


class Redis(Server):
    """Redis, with a password that is in no argument."""

    user = "redis"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{self.address}:{self.port}"

    @property
    def argv(self) -> list[str]:
        return ["redis-server", str(self.home / "redis.conf")]

    def prepare(self) -> None:
        (self.home / "redis.conf").write_text(
            f"bind {self.address}\nport {self.port}\ndir {self.home}\n"
            f"requirepass {self.password}\nappendonly yes\n"
        )

    def is_ready(self) -> bool:
        try:
            return self.ask("PING") == "PONG\n"
        except ServerFailed:
            return False

    def ask(self, *words: str) -> str:
        """Put a question to the server and return its answer."""
        argv = ("redis-cli", "-h", self.address, "-p", str(self.port), *words)
        return self.run(*argv, password=self.password)

    def questions(self) -> int:
        """Return how often `PING` was asked so far, by anybody."""
        [told] = [it for it in self.ask("INFO", "commandstats").splitlines() if "_ping:" in it]
        return int(told.partition("calls=")[2].partition(",")[0])


def _postgres_program(name: str) -> str:
    """Return the program of the newest PostgreSQL here; in Debian it is not on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
    return str(found[-1]) if found else name


def _version(program: Path) -> int:
    return int(program.parent.parent.name)
