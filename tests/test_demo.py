"""`make demo` keeps its word, and leaves nothing behind."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from tests.lab.demo import APP, V1, V2, V3
from tests.lab.demo_stage import pulled
from tests.lab.patience import eventually

PROJECT = Path(__file__).parent.parent
DEMO = (sys.executable, "-m", "tests.lab.demo")
pytestmark = [pytest.mark.lab, pytest.mark.alone]  # clients count requests that fail


def left_behind(engine: DockerClient) -> Iterator[str]:
    """Yield whatever is still there of a demo."""
    for container in engine.containers.list(all=True, filters={"label": f"restoops.app={APP}"}):
        yield f"container {container.name}"
    for network in engine.networks.list(names=[f"^{APP}$"]):
        yield f"network {network.name}"
    yield from pulled(engine, APP)
    yield from (str(path) for path in Path("/tmp").glob(f"{APP}-*"))
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if f"/{APP}-" in words:
            yield f"process {words[:200]}"


def await_nothing_left(engine: DockerClient) -> None:
    assert eventually(lambda: not any(left_behind(engine))), list(left_behind(engine))


def test_the_demo_shows_what_it_promises(engine: DockerClient) -> None:
    done = subprocess.run(
        DEMO, cwd=PROJECT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    told = done.stdout

    assert done.returncode == 0, done.stderr
    assert "\x1b" not in told + done.stderr
    counted = re.findall(r"Clients counted ([\d,]+) requests, (\d+) failed", told)
    assert [failed for _, failed in counted] == ["0", "0", "0"]
    assert all(int(requests.replace(",", "")) > 200 for requests, _ in counted)
    assert re.findall(r"answers: (\w+)", told) == [V1, V2, V2, V1]
    commands = re.findall(r"^\$ restoops (.*)", told, re.MULTILINE)
    assert commands == [
        f"deploy sha-{V1} local",
        f"deploy sha-{V2} local",
        f"deploy sha-{V3} local",
        "rollback local --yes",
        "status local",
        "rollback --list local",
    ]
    assert re.search(rf"^serves +sha-{V1} ", told, re.MULTILINE)
    assert re.search(rf"^sha-{V2} .* warm ", told, re.MULTILINE)
    assert "exiting with status 3" in done.stderr
    await_nothing_left(engine)


def test_ctrl_c_takes_all_of_the_demo_away(engine: DockerClient) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(PROJECT)
        os.environ["TERM"] = "xterm"
        os.environ.pop("CI", None)  # there is no live view in CI
        os.execv(DEMO[0], DEMO)
    told = ""
    try:
        while not re.search(r"✔\S* take green out of reserve", told):
            told += os.read(terminal, 65536).decode(errors="ignore")
        os.write(terminal, b"\x03")
        told += "".join(rest_of(terminal))
    finally:
        os.close(terminal)  # which ends one that still runs, as a window does that is closed
        _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 130, told
    assert "\x1b[" in told
    assert "interrupted and undone" in told
    assert "what the demo had started is removed" in told
    await_nothing_left(engine)


@pytest.mark.full
def test_a_killed_demo_is_tidied_up_by_the_next_one(engine: DockerClient) -> None:
    demo = subprocess.Popen(
        DEMO, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert demo.stdout
    assert any("[2/6]" in line for line in demo.stdout)
    os.killpg(demo.pid, signal.SIGKILL)
    demo.stdout.close()
    demo.wait()
    assert any("container" in what for what in left_behind(engine))

    again = subprocess.Popen(
        DEMO, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert again.stdout
    assert any("[2/6]" in line for line in again.stdout)
    again.send_signal(signal.SIGTERM)
    again.stdout.close()
    assert again.wait() == 130
    await_nothing_left(engine)


def rest_of(terminal: int) -> Iterator[str]:
    """Yield what is still printed, until the other side has ended."""
    try:
        while part := os.read(terminal, 65536):
            yield part.decode(errors="replace")
    except OSError:  # what Linux says at the end of a terminal
        return
