"""A headless Chromium, driven over two pipes by its DevTools protocol: no driver, no port."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.patience import PATIENCE_S

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip
AXE = Path(__file__).parents[2] / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Tab:
    """One page in the browser, with what it complained about and what it asked for."""

    ask: Any
    session: str
    events: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        answer: dict[str, Any] = self.ask(method, parameters, self.session)
        return answer

    def look(self, *, scheme: str, width: int, height: int = 900) -> None:
        """Be a screen of this width whose owner wants it `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])  # fmt: skip
        self.call("Emulation.setDeviceMetricsOverride",
                  width=width, height=height, deviceScaleFactor=1, mobile=width < 500)  # fmt: skip

    def open(self, file: Path) -> None:
        """Load a page and wait until it is there."""
        self.events.clear()
        self.call("Page.navigate", url=file.as_uri())
        self.run("new Promise(done => document.readyState == 'complete' ? done(1) "
                 ": addEventListener('load', () => done(1)))")  # fmt: skip

    def run(self, script: str) -> Any:
        """Return what a script in the page comes to."""
        found = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def violations(self) -> list[str]:
        """Return what axe finds."""
        self.run(AXE.read_text() + "; 1")
        found = self.run("axe.run().then(it => it.violations.map(one => one.id + ': ' + "
                         "one.nodes.map(node => node.html).join(' ').slice(0, 300)))")  # fmt: skip
        return list(found)

    def requested(self) -> list[str]:
        """Return the addresses that were asked for."""
        sent = [it for it in self.events if it["method"] == "Network.requestWillBeSent"]
        return [it["params"]["request"]["url"] for it in sent]

    def complaints(self) -> list[str]:
        """Return errors and warnings of the console, exceptions and broken policies included."""
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [json.dumps(it) for it in self.events if it["method"] in kinds]


@contextmanager
def tab() -> Iterator[Tab]:
    """Start a browser that knows nobody and open an empty page in it."""
    to_it, ours = os.pipe()
    theirs, from_it = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The protocol is read from descriptor 3 and written to 4.
        argv = [_program(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        wrapped = ["bash", "-c", f'exec "$@" 3<&{to_it} 4>&{from_it}', "bash", *argv]
        process = subprocess.Popen(
            wrapped, pass_fds=(to_it, from_it), env={**os.environ, "TMPDIR": profile},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_it)
        os.close(from_it)
        try:
            with os.fdopen(ours, "wb", 0) as writer, os.fdopen(theirs, "rb") as reader:
                pipe = _Pipe(writer, reader)
                try:
                    yield _attached(pipe)
                finally:
                    _close(pipe, process)
        finally:
            process.kill()
            process.wait()


def _close(pipe: _Pipe, process: subprocess.Popen[bytes]) -> None:
    """Let it go by itself: what it has started would outlive it, and write into its folder."""
    with suppress(AssertionError, OSError, subprocess.TimeoutExpired):
        pipe.ask("Browser.close", {})
        process.wait(PATIENCE_S)


def _program() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "`scripts/setup lab` installs chromium"
    return found


class _Pipe:
    def __init__(self, writer: Any, reader: Any) -> None:
        self._writer, self._reader = writer, reader
        self._number = 0
        self.on_event: Any = lambda _: None

    def ask(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": session} if session else {}
        self._writer.write(json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._number:
                assert "error" not in told, told
                return dict(told["result"])
            if "method" in told:
                self.on_event(told)

    def _read(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self._reader.read(1)) != b"\0":
            assert byte, "the browser has ended"
            data += byte
        return dict(json.loads(data))


def _attached(pipe: _Pipe) -> Tab:
    target = pipe.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
    attached = pipe.ask("Target.attachToTarget", {"targetId": target, "flatten": True})
    made = Tab(pipe.ask, attached["sessionId"])
    pipe.on_event = made.events.append
    for domain in ("Page", "Runtime", "Log", "Network"):
        made.call(f"{domain}.enable")
    return made
