"""Secrets that are looked for after the fact: runs that handle them, and places to look in.

A new run is one more function in RUNS, a new place one more in PLACES.
"""

from __future__ import annotations

import base64
import json
import shlex
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.e2e.conditions import done_and_undone, shell
from tests.e2e.inside import DIRECTORY
from tests.e2e.running import Event, Running, is_step
from tests.e2e.watching import Machine
from tests.lab.github import REPOSITORY, Github
from tests.lab.images import App
from tests.lab.inbox import Inbox
from tests.lab.operator import Operator, Outcome
from tests.lab.releases import Releases
from tests.lab.terminal import OnTerminal
from tests.safekeeping.canaries import letters

PASSWORD = letters("e2e password", 20) + "/+?&<é>"
LINES = tuple(letters(f"e2e line {n}", 44) for n in range(3))
_KEY = "PRIVATE KEY"  # in a file its first line would be taken for a key itself
PEM = "\n".join([f"-----BEGIN {_KEY}-----", *LINES, f"-----END {_KEY}-----"])
VALUES = {
    "DATABASE_URL": f"postgresql://app:{letters('e2e database', 18)}@db:5432/app",
    "SESSION_KEY": PASSWORD,
    "SIGNING_KEY": PEM,
    "ROTATED_KEY": letters("e2e before a rotation", 40),
    "SECRETS_FINGERPRINT_KEY": letters("e2e fingerprints", 40),
}
"""In the file of the environment."""
ROTATED = tuple(letters(f"e2e rotation {n}", 40) for n in range(2))
"""What comes in place of ROTATED_KEY."""
VARIABLES = {
    "DIGITALOCEAN_ACCESS_TOKEN": "dop_v1_" + letters("e2e digitalocean", 40),
    "SPACES_SECRET_ACCESS_KEY": letters("e2e spaces", 43),
    "SLACK_WEBHOOK_URL": f"https://hooks.example/services/{letters('e2e slack', 24)}",
    "SSH_PRIVATE_KEY": PEM.replace("PRIVATE", "OPENSSH PRIVATE"),
}
"""Among the variables that restoops is started with."""
TEMPLATE = "".join(f"{name}=<value>\n" for name in VALUES if name != "SECRETS_FINGERPRINT_KEY")
WORDS = ("DATABASE_URL", "SESSION_KEY", *VARIABLES)
LEAKS = """\
import base64, json, os, sys, urllib.parse
values = [os.environ[it] for it in os.environ if it in WORDS] + [open(FILE).read()]
for value in values:
    print("as it is", value)
    print("in JSON", json.dumps({"value": value, "a": 1}))
    print("in a URL", urllib.parse.quote(value), urllib.parse.quote_plus(value))
    for before in range(3):
        print("in base64", base64.b64encode(b"x" * before + value.encode() + b"y").decode())
    print("in a traceback", repr(ValueError(value)), file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""
"""A hook that prints what it can get hold of, in all forms."""


def forms() -> list[str]:
    """Return what would show a canary: made here, and not by what is tested."""
    database = VALUES["DATABASE_URL"].split(":")[2].partition("@")[0]
    whole = [*VALUES.values(), *VARIABLES.values(), *ROTATED]
    texts = [*(it for it in whole if "\n" not in it), *LINES, database]
    found = set()
    for text in texts:
        raw = text.encode()
        found |= {text, quote(text, safe=""), quote(text), quote_plus(text), raw.hex()}
        found |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + raw)[4:-4].decode()
            found |= {coded, coded.replace("+", "-").replace("/", "_")}
    return sorted(found)


@dataclass
class Scene:
    """An operator with canaries, a droplet, GitHub, Slack; what was printed, and all arguments."""

    operator: Operator
    releases: Releases
    github: Github
    slack: Inbox
    outside: Path
    """The folder of the file with the secrets, which is where they belong."""
    machine: Machine = field(default_factory=Machine)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def set_up(self) -> None:
        """Write settings, template, secrets and the hook that leaks."""
        folder, source = self.operator.folder, self.outside / "staging.env"
        lines = [f"{name}={json.dumps(it, ensure_ascii=False)}" for name, it in VALUES.items()]
        source.write_text("".join(f"{line}\n" for line in lines).replace("\\n", "\n"))
        source.chmod(0o600)
        (folder / "template.env").write_text(TEMPLATE)
        leaks = f"WORDS, FILE = {WORDS!r}, {str(source)!r}\n{LEAKS}"
        (self.outside / "leak.py").write_text(leaks)
        program = ["python3", str(self.outside / "leak.py")]
        self.operator.settings |= {
            "secrets": {"template": "template.env", "file": str(source),
                        "github_repository": REPOSITORY},
            "github": {"deployments": True},
            "notify": {"slack": "SLACK_INBOX"},
            "hooks": {"pre_deploy": [*program, "0"], "post_deploy": [*program, "0"],
                      "on_failure": [*program, "1"]},
        }  # fmt: skip
        self.operator.env |= VARIABLES | {
            "GITHUB_API_URL": self.github.api,
            "SLACK_INBOX": self.slack.url,
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_OUTPUT": str(folder / "outputs"),
            "TMPDIR": str(folder / "tmp"),
        }
        (folder / "tmp").mkdir()

    def tag(self, name: str, mode: str = "healthy") -> str:
        """Return the tag of a release of its own."""
        return self.releases.push(App(name, mode=mode)).tag

    def run(self, *words: str, **variables: str) -> Outcome:
        """Run a command with more variables."""
        return self.operator.run(*words, env=variables)

    def to_github(self, *options: str) -> Outcome:
        """Push the secrets to GitHub."""
        return self.run("secrets", "push", "staging", "--to", "github", "--yes", *options)


def rotated(scene: Scene, value: str) -> Outcome:
    """Rotate a secret, with the new value on standard input; none: finish what is begun."""
    words = ("secrets", "rotate", "ROTATED_KEY", "staging", "--yes")
    return scene.operator.run(*words, piped=value)


def rotated_badly(scene: Scene, value: str) -> Outcome:
    """Rotate, with a release command that fails with the new value."""
    scene.operator.settings["release"] = {"command": ["/testapp", "migrate", "fail"]}
    try:
        return rotated(scene, value)
    finally:
        del scene.operator.settings["release"]


def ended(scene: Scene, tag: str, number: signal.Signals) -> Outcome:
    """Deploy, and be ended by a signal as the new release is started."""

    def end(running: Running, event: Event) -> None:
        if is_step_of(event, "start"):
            running.signal(number)

    process = scene.operator.start("deploy", scene.tag(tag), "staging", "--json")
    with Running(process, end) as running:
        return running.finish()


def locked(scene: Scene) -> Outcome:
    """Deploy, while somebody else has the lock."""
    begin = (
        f"systemd-run --quiet --unit=holder flock {DIRECTORY}/lock sleep 600; "
        f"while flock -n {DIRECTORY}/lock true; do sleep .05; done"
    )
    with done_and_undone(scene.operator.droplet, begin, "systemctl stop holder"):
        return scene.run("deploy", scene.tag("ccccc08"), "staging")


def unfit(scene: Scene) -> Outcome:
    """Deploy with one secret that the template does not know, and one that it wants missing."""
    path = scene.outside / "unfit.env"
    text = (scene.outside / "staging.env").read_text()
    path.write_text(text.replace("SESSION_KEY=", "SURPLUS_KEY="))
    path.chmod(0o600)
    return scene.run("deploy", "any", "staging", RESTOOPS_SECRETS__FILE=str(path))


def is_step_of(event: Event, step: str) -> bool:
    """Return whether an event says that a step has begun."""
    return event["event"] == "step_started" and is_step(event, "step_started", step)


def in_a_terminal(scene: Scene) -> Outcome:
    """Deploy with the live view, in a narrow terminal that wraps lines."""
    env = scene.operator.env | {"COLUMNS": "30"}
    words = ["deploy", scene.tag("ccccc05"), "staging"]
    scene.operator.write_settings()
    with OnTerminal(words, env, scene.operator.folder, "xterm") as terminal:
        status = terminal.finish()
    return Outcome(status, "".join(terminal.shown.split()), "")


def in_actions(scene: Scene) -> Outcome:
    """Deploy as a workflow does; the words that tell the runner what to mask are not for people."""
    job = {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_REPOSITORY": REPOSITORY,
           "GITHUB_SHA": "c" * 40}  # fmt: skip
    done = scene.run("deploy", scene.tag("ccccc06"), "staging", **job)
    lines = done.stderr.splitlines(keepends=True)
    told = [line for line in lines if line.startswith("::add-mask::")]
    assert len(told) > len(VALUES), done
    assert "sha-ccccc06" in (scene.operator.folder / "summary.md").read_text()
    assert (scene.operator.folder / "outputs").exists()
    return Outcome(done.status, done.stdout, "".join(it for it in lines if it not in told))


RUNS: Mapping[str, tuple[int, Callable[[Scene], Outcome]]] = {
    "deploy, with a report": (
        0, lambda it: it.run("deploy", it.tag("ccccc01"), "staging", "--report", "deploy.html")
    ),
    "deploy --json": (0, lambda it: it.run("deploy", it.tag("ccccc02"), "staging", "--json")),
    "a deploy in a terminal": (0, in_a_terminal),
    "a deploy that fails": (
        1,
        lambda it: it.run("deploy", it.tag("ccccc03", "never-healthy"), "staging",
                          "--report", "failed.html", RESTOOPS_HEALTH__TIMEOUT_S="1"),
    ),
    "a deploy that is killed": (
        -signal.SIGKILL, lambda it: ended(it, "ccccc04", signal.SIGKILL)
    ),
    "a deploy that is interrupted": (130, lambda it: ended(it, "ccccc07", signal.SIGTERM)),
    "a deploy that is locked out": (4, locked),
    "a deploy to a host that is away": (
        5, lambda it: it.run("deploy", it.tag("ccccc09"), "staging", RESTOOPS_SSH__PORT="9")
    ),
    "a deploy with secrets that do not fit": (6, unfit),
    "a deploy of nothing": (1, lambda it: it.run("deploy", "sha-0000000", "staging")),
    "a deploy in a workflow": (0, in_actions),
    "rollback": (0, lambda it: it.run("rollback", "staging", "--yes")),
    "report": (0, lambda it: it.run("report", "last", "staging", "--out", "last.html")),
    "history": (0, lambda it: it.run("history", "staging", "--json")),
    "secrets check": (0, lambda it: it.run("secrets", "check", "staging", "--json")),
    "secrets push": (0, lambda it: it.to_github()),
    "secrets push to hosts": (
        0, lambda it: it.run("secrets", "push", "staging", "--to", "hosts", "--yes", "--json")
    ),
    "secrets status": (0, lambda it: it.run("secrets", "status", "staging", "--json")),
    "secrets rotate": (0, lambda it: rotated(it, ROTATED[0])),
    "secrets rotate, undone on the host": (1, lambda it: rotated_badly(it, ROTATED[1])),
    "secrets rotate, finished": (0, lambda it: rotated(it, "")),
    "logs": (0, lambda it: it.run("logs", "staging")),
    "logs --json": (0, lambda it: it.run("logs", "staging", "--json")),
    "secrets push, a second time": (0, lambda it: it.to_github("--json")),
    "secrets push, refused": (5, lambda it: it.run("secrets", "push", "staging", "--to", "github",
                                                   "--yes", GITHUB_TOKEN="wrong")),
}  # fmt: skip
"""What handles the secrets, with the status that it ends with."""


def in_files(folders: Iterable[Path], wanted: Iterable[str]) -> list[str]:
    """Return the files below `folders` that hold any of the texts."""
    texts = [it.encode() for it in wanted]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(it in path.read_bytes() for it in texts)]


def on_the_host(scene: Scene, wanted: list[str]) -> list[str]:
    """Look in all files, logs, containers and arguments of the host, but for where they belong."""
    return [it for it in everywhere_on_the_host(scene, wanted) if not it.startswith(BELONGS)]


def everywhere_on_the_host(scene: Scene, wanted: list[str]) -> list[str]:
    """Look in all files, logs, containers and arguments of the host."""
    droplet = scene.operator.droplet
    shell(droplet, f"mkdir -p /root/look; ({INSPECT}) >/root/look/all 2>&1")
    droplet.write("/root/look.pattern", "".join(f"{it}\n" for it in wanted))
    words = "-rlsaF --devices=skip -f /root/look.pattern --exclude=look.pattern"
    return shell(droplet, f"grep {words} {FOLDERS} || true").split()


BELONGS = "/var/lib/restoops/testapp/secrets/"
FOLDERS = (
    "/root /home /var/lib/restoops /var/log /run /tmp /etc /var/tmp /dev/shm "
    "/var/lib/docker/containers"
)
INSPECT = (
    "docker ps -aq | xargs -r docker inspect; docker ps -aq | xargs -rn1 docker logs; "
    "journalctl --no-pager; ps auxww"
)
PLACES: Mapping[str, Callable[[Scene, list[str]], list[str]]] = {
    "what was printed": lambda scene, wanted: [
        f"{name}: {it}" for name, done in scene.outcomes.items()
        for it in wanted if it in done.stdout + done.stderr
    ],
    "the arguments of processes here": lambda scene, wanted: [
        it for it in wanted if any(it.encode() in argv for argv in scene.machine.seen)
    ],
    "files of the operator, also pages, summary, outputs": lambda scene, wanted: (
        in_files([scene.operator.folder], wanted)
    ),
    "the host: files, containers, logs, journal, arguments": on_the_host,
    "what Slack was sent": lambda scene, wanted: [
        it for it in wanted if any(it in text for text in sent(scene))
    ],
    "what GitHub shows to those who read": lambda scene, wanted: [
        it for it in wanted
        if it in json.dumps([[vars_.value for vars_ in place.variables.values()]
                             for place in (scene.github.repository,
                                           *scene.github.environments.values())])
        + json.dumps([scene.github.requests, scene.github.deployments])
    ],
}  # fmt: skip
"""Where they must not be: a place => what of `wanted` is there."""


def sent(scene: Scene) -> tuple[str, str]:
    """Return what Slack was sent, as it is and with all that is not ASCII escaped."""
    return json.dumps(scene.slack.bodies, ensure_ascii=False), json.dumps(scene.slack.bodies)


def plant(scene: Scene, text: str) -> None:
    """Put a text into every place, so that a search that finds nothing means something."""
    scene.outcomes["planted"] = Outcome(0, text, "")
    scene.machine.seen.add(text.encode())
    (scene.operator.folder / "tmp" / "planted").write_text(text)
    shell(scene.operator.droplet, f"echo {shlex.quote(text)} > /var/lib/restoops/planted")
    scene.github.requests.append(("GET", text))
    scene.slack.bodies.append({"text": text})


def remove(scene: Scene, text: str) -> None:
    """Take it away again."""
    del scene.outcomes["planted"]
    scene.machine.seen.discard(text.encode())
    (scene.operator.folder / "tmp" / "planted").unlink()
    shell(scene.operator.droplet, "rm /var/lib/restoops/planted")
    scene.github.requests.pop()
    scene.slack.bodies.pop()
