"""The two sockets of the proxy: HAProxy's runtime API, and the one for questions to a release.

`stat.csv` is what HAProxy 2.6 shows of the servers in our configuration; who is up is filled in.
"""

from pathlib import Path

from tests.lab.standin.channels import Channel
from tests.lab.standin.machine import COLORS, Machine
from tests.lab.standin.web import Question, Reply

_STAT = Path(__file__).with_name("stat.csv").read_text()
_SLOT = "x-restoops-slot"


class Admin:
    """The interactive runtime API."""

    def __init__(self, machine: Machine, channel: Channel) -> None:
        self._machine = machine
        self._channel = channel
        self._buffer = b""

    def received(self, data: bytes) -> None:
        """Take commands, one a line, and answer each at once."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            said = self._obey(line.decode().split())
            self._channel.write(f"{said}\n> ".encode())

    def ended(self) -> None:
        """Close."""
        self._channel.close()

    def gone(self) -> None:
        """Do nothing."""

    def _obey(self, words: list[str]) -> str:
        machine = self._machine
        match words:
            case ["prompt"] | ["set", "server", _, "health", "up"]:
                return ""
            case ["show", "map", _]:
                return f"0x564cb5cf5290 live {machine.route}\n"
            case ["set", "map", _, "live", route]:
                machine.switch(route)
                return ""
            case ["show", "stat", "-1", "4", "-1"]:
                up = {color: "UP" if machine.answers(color) else "DOWN" for color in COLORS}
                return _STAT.format(**up)
            case ["show", "info"]:
                return f"Name: HAProxy\ndescription: {_description(machine)}\n"
        return "Unknown command.\n"


class Probe:
    """Answers for the release that is asked, or for the one that serves."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def answer(self, question: Question) -> Reply:
        """Answer as the application would, healthy when it runs, or as HAProxy does without one."""
        slot = question.headers.get(_SLOT) or self._machine.live
        found = self._machine.running(slot)
        if found is None:
            return Reply(503, "no release is live here")
        release = found.labels["restoops.tag"].removeprefix("sha-")
        answer = {"status": "ok", "release": release}
        return Reply(200, answer, self._machine.timing.health_ms, {_SLOT: slot})


def _description(machine: Machine) -> str:
    files = (machine.files or {}).items()
    texts = [text.decode() for name, text in files if name.startswith("proxy/haproxy-")]
    lines = [line.split() for text in texts for line in text.splitlines()]
    return next((words[1] for words in lines if words[:1] == ["description"]), "")
