"""Hostile arguments and settings: never a traceback, never a shell, always a documented status."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restoops.cli.app import run
from tests.e2e.conditions import shell
from tests.lab.images import App
from tests.lab.operator import APP, Operator
from tests.lab.releases import Releases

STATUSES = {0, 1, 2, 3, 4, 5, 6, 130}
CANARY = "canary"
EXAMPLES = 300

many = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SHELL = [
    f"$(touch {CANARY})", f"`touch {CANARY}`", f"; touch {CANARY};", f"| touch {CANARY}",
    f"&& touch {CANARY}", f"\ntouch {CANARY}\n", f"'; touch {CANARY}; '", f'"; touch {CANARY}; "',
    f"-oProxyCommand=touch {CANARY}", f"--config={CANARY}", f"> {CANARY}",
    f"${{IFS}}touch {CANARY}",
    "../../../../etc/passwd", "%s%n%p", "{{7*7}}", "\x1b]0;owned\x07", "::set-output name=x::y",
    "\udcff", "\u202e", "a" * 5000, "\x00", "[bold red]", "sha256:" + "0" * 64, "~root", "-", "--",
    "--json", "--help", "1" * 400, "١٢٣", "İ", "localhost", "127.0.0.1:1", "::1", "user@host", "",
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(SHELL),
    st.text(max_size=60),
    st.tuples(
        st.sampled_from(["sha-", "abc1234", "127.0.0.1", "a", "/"]), st.sampled_from(SHELL)
    ).map("".join),
)
values = st.recursive(
    st.one_of(texts, st.integers(), st.floats(), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
SECTIONS = {
    "app": ["name"],
    "registry": ["host", "plain_http"],
    "image": ["repository", "keep"],
    "container": ["port", "environment", "volumes", "memory_mb", "cpus", "init"],
    "proxy": ["image", "port", "timeout_s"],
    "health": ["path", "timeout_s", "interval_s", "successes"],
    "swap": ["drain_s", "stop_grace_s", "warm_s"],
    "network": ["subnet"],
    "ssh": ["user", "port", "key", "known_hosts", "connect_timeout_s"],
    "host": ["state_dir"],
}
LIKE_A_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}")
KEYS = [(section, key) for section, keys in SECTIONS.items() for key in keys]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory and a home of its own; nothing on this machine can be reached from it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [*os.environ]:
        if name.startswith("RESTOOPS_") or name == "SSH_AUTH_SOCK":
            monkeypatch.delenv(name)
    return tmp_path


def safe(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command in process; its status is documented, it leaves no trace of a shell."""
    before = {path.name for path in folder.iterdir()}
    # As Python opens them: what is printed is UTF-8, or escaped where it cannot be.
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace", write_through=True)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(arguments)
    printed, told = (stream.buffer.getvalue().decode() for stream in (out, err))
    shown = f"{arguments!r}: {status}\n{printed}\n{told}"
    assert status in STATUSES, shown
    assert "Traceback" not in shown, shown
    assert "restoops itself failed" not in shown, shown
    assert {path.name for path in folder.iterdir()} == before, shown
    assert not status or told or printed, shown
    assert "\x1b" not in told, shown
    return status, told


def write(folder: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=True)
    (folder / "restoops.yaml").write_text(text)


def environments(host: str = "127.0.0.1") -> dict[str, Any]:
    """An environment whose host refuses connections at once."""
    return {"staging": {"hosts": [host]}}


def nothing_listens() -> dict[str, Any]:
    return {
        "registry": {"host": "127.0.0.1:1"},
        "ssh": {"port": 1, "connect_timeout_s": 0.2},
        "environments": environments(),
    }


@many
@given(tag=texts)
def test_tags(folder: Path, tag: str) -> None:
    write(folder, nothing_listens())

    status, told = safe(folder, "deploy", "--dry-run", "--", tag, "staging")

    assert status in (2, 5), told


@many
@given(release=texts)
def test_releases(folder: Path, release: str) -> None:
    write(folder, nothing_listens())

    status, told = safe(folder, "rollback", "--yes", "--", release, "staging")

    assert status in (2, 5), told


@many
@given(command=st.sampled_from(["deploy", "rollback", "status", "logs", "history", "doctor"]),
       arguments=st.lists(texts, max_size=3))  # fmt: skip
def test_arguments(folder: Path, command: str, arguments: list[str]) -> None:
    write(folder, nothing_listens())

    safe(folder, command, *arguments)


@many
@given(host=texts)
def test_host_names(folder: Path, host: str) -> None:
    """What cannot be one is a fault of `hosts`; what could be is not looked up: no port is 0."""
    write(folder, {**nothing_listens(), "environments": environments(host), "ssh": {"port": 0}})

    status, told = safe(folder, "status", "staging")

    assert status == 2, told
    if re.search("[\ud800-\udfff\U00010000-\U0010ffff]", host):
        assert "line 1, column" in told  # JSON writes these as YAML does not
        return
    assert "ssh.port: " in told
    if not LIKE_A_HOST.fullmatch(host):
        assert "environments.staging.hosts" in told


@many
@given(place=st.sampled_from(KEYS), value=values)
def test_settings(folder: Path, place: tuple[str, str], value: object) -> None:
    content = nothing_listens()
    section, key = place
    content[section] = {**content.get(section, {}), key: value}
    content["environments"] = environments("127.0.0.1")
    if place == ("ssh", "connect_timeout_s") or section == "registry":
        content["environments"]["staging"]["hosts"] = ["127.0.0.1", "127.0.0.2"]
    write(folder, content)

    status, told = safe(folder, "deploy", "abc1234", "staging")

    assert status in (2, 5), told


@many
@given(content=st.one_of(values, st.binary(max_size=200), st.text(max_size=200)))
def test_files(folder: Path, content: object) -> None:
    path = folder / "restoops.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_bytes(content.encode(errors="surrogatepass"))
    else:
        write(folder, content)

    status, told = safe(folder, "status", "staging")

    assert status == 2, told


@settings(many, max_examples=200)
@given(name=st.sampled_from(KEYS), value=texts)
def test_variables(folder: Path, name: tuple[str, str], value: str) -> None:
    variable = f"RESTOOPS_{name[0]}__{name[1]}".upper()
    if "\0" in value:
        return
    write(folder, nothing_listens() | {"ssh": {"port": 1}})
    os.environ[variable] = value
    try:
        status, told = safe(folder, "status", "nowhere")
    finally:
        del os.environ[variable]

    assert status == 2, told


# On a host

HOSTILE = {
    "SHELL_CODE": "$(touch /tmp/canary) `touch /tmp/canary`; touch /tmp/canary",
    "QUOTES": 'it\'s "quoted" \\ and \\n not',
    "SPACES": "  two  spaces  ",
    "DOLLARS": "$HOME ${PATH} $$ %h %n",
    "UNICODE": "ü€",
    "EMPTY": "",
}


@pytest.fixture(scope="module")
def deployed(operator: Operator, releases: Releases) -> Iterator[Operator]:
    """A deploy with values that are hostile and allowed."""
    releases.push(App("eeeeeee"))
    operator.settings["container"] = {
        "environment": HOSTILE,
        "volumes": ["a.b_c-d:/data", "/srv/with space/$(touch canary);x:/mnt/quo'te:ro"],
    }
    operator.settings["app"] = {"name": "a-1-b"}
    operator.deploy("eeeeeee", "--json")
    yield operator
    operator.settings["app"] = {"name": APP}


def inspected(operator: Operator) -> dict[str, Any]:
    found = json.loads(shell(operator.droplet, "docker inspect a-1-b-blue"))
    assert isinstance(found, list)
    return dict(found[0])


@pytest.mark.lab
def test_an_environment_arrives_literally(deployed: Operator) -> None:
    environment = inspected(deployed)["Config"]["Env"]

    assert {f"{name}={value}" for name, value in HOSTILE.items()} <= set(environment)


@pytest.mark.lab
def test_volumes_arrive_literally(deployed: Operator) -> None:
    mounts = {m["Destination"]: m.get("Name") or m["Source"] for m in inspected(deployed)["Mounts"]}

    assert mounts["/data"] == "a.b_c-d"
    assert mounts["/mnt/quo'te"] == "/srv/with space/$(touch canary);x"


@pytest.mark.lab
def test_who_and_what_for_arrive_literally(deployed: Operator) -> None:
    who = "$(touch /tmp/canary)'\"\n`id`\x1b[31m"
    outcome = deployed.run("deploy", "eeeeeee", "staging", env={"GITHUB_ACTOR": who})
    assert outcome.status == 0, outcome
    deployed.settings["container"]["cpus"] = 1
    outcome = deployed.run("deploy", "eeeeeee", "staging", env={"GITHUB_ACTOR": who})
    assert outcome.status == 0, outcome

    newest = deployed.must("history", "staging", "--json").events[0]
    assert newest["run"]["who"] == who
    assert "\x1b" not in deployed.must("history", "staging").stdout


@pytest.mark.lab
@pytest.mark.parametrize("value", ["two\nlines", "nul\0", "esc\x1b"])
def test_control_characters_are_refused(deployed: Operator, value: str) -> None:
    before = deployed.settings["container"]
    deployed.settings["container"] = {"environment": {"NAME": value}}
    try:
        outcome = deployed.run("deploy", "eeeeeee", "staging")
    finally:
        deployed.settings["container"] = before

    assert outcome.status == 2
    assert "container.environment.NAME" in outcome.stderr
    assert value not in outcome.stderr


@pytest.mark.lab
def test_no_shell_ran(deployed: Operator) -> None:
    places = "/tmp /root /home /var/lib/restoops /srv"
    found = shell(deployed.droplet, f"find {places} -name canary").strip()

    assert found == ""
    assert not list(deployed.folder.rglob("canary"))
