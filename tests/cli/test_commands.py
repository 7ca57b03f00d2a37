"""The command line as a person or a script meets it: status, output, help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from restoops import __version__
from restoops.cli.app import app, run
from restoops.cli.completion import complete_environment
from restoops.config.load import load
from tests.docs_text import commands

COMMANDS = sorted(typer.main.get_group(app).commands)
OF_INFRA = sorted(name.split()[1] for name in commands() if name.startswith("infra "))
OF_GROUPS = sorted(name for name in commands() if " " in name)
SETTINGS = """\
image: {repository: team/menu}
environments:
  staging: {hosts: [192.0.2.10]}
  production: {hosts: [192.0.2.11], confirm: true}
"""
# OpenSSL, which `hashlib`, `hmac` and `secrets` load, takes as long as all the rest of `--help`.
HEAVY = {"_hashlib", "boto3", "cryptography", "docker", "paramiko", "httpx", "hcl2", "pydantic"}


@pytest.fixture(autouse=True)
def project(folder: Path) -> Path:
    """A directory with settings of its own."""
    (folder / "restoops.yaml").write_text(SETTINGS)
    return folder


def restoops(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    argv = [sys.executable, "-m", "restoops", *arguments]
    env = {**os.environ, **environ}
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_there_are_the_commands_that_were_promised() -> None:
    promised = {"deploy", "rollback", "status", "logs", "doctor", "init", "history", "infra",
                "images", "secrets"}  # fmt: skip
    of_infra = {"backend", "init", "validate", "plan", "apply", "destroy", "drift", "cost",
                "output", "inventory", "provision", "host-keys", "graph"}  # fmt: skip

    assert promised <= set(COMMANDS)
    assert of_infra == set(OF_INFRA)
    assert {f"images {name}" for name in ("list", "prune", "inspect")} <= set(OF_GROUPS)
    assert {"secrets check", "secrets scan"} <= set(OF_GROUPS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--help"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert f"`restoops {command}" in out
    group = typer.main.get_group(app)
    found = group.commands[command]
    assert (found.help or "").strip().endswith(".") or found.help
    assert all(getattr(it, "help", None) for it in found.params), "each option says what it does"


@pytest.mark.parametrize("command", OF_GROUPS)
def test_every_command_of_a_group_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command.split(), "--help"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert f"`restoops {command}" in " ".join(out.split())
    found = commands()[command]
    assert all(getattr(it, "help", None) for it in found.params), "each option says what it does"


@pytest.mark.parametrize("group", ["images", "infra", "secrets"])
def test_other_commands_do_not_wait_for_those_of_a_group(group: str) -> None:
    program = (
        "import sys\n"
        "from restoops.cli.app import run\n"
        "assert run(['status', '--help']) == 0\n"
        f"print('restoops.cli.{group}' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stderr == "False\n"


@pytest.mark.parametrize("words", ["restoops infra plan ", "restoops infra graph "])
def test_the_shell_is_offered_environments_with_code(project: Path, words: str) -> None:
    (project / "terraform/environments/qa").mkdir(parents=True)
    (project / "terraform/environments/qa/main.tf").write_text("")
    done = restoops(_RESTOOPS_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="3")

    assert done.stdout.split() == ["qa"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["infra", "paint", "staging"], id="an unknown command of infra"),
        pytest.param(["infra", "plan"], id="a plan of nothing"),
        pytest.param(["infra", "plan", "nowhere"], id="a plan of an unknown environment"),
        pytest.param(["infra", "plan", "staging"], id="an environment without code"),
        pytest.param(["infra", "apply", "staging", "--wait", "soon"], id="no number of seconds"),
        pytest.param(["infra", "host-keys", "staging"], id="no droplet"),
        pytest.param(["infra", "validate"], id="no code at all"),
        pytest.param(["images", "paint"], id="an unknown command of images"),
        pytest.param(["images", "list", "nowhere"], id="images of an unknown environment"),
        pytest.param(["images", "prune", "--keep", "0"], id="keep nothing"),
        pytest.param(["images", "prune", "--older-than", "1y", "--yes"], id="no age"),
        pytest.param(["images", "inspect"], id="an image without a name"),
        pytest.param(["images", "inspect", "a b"], id="an image that cannot be one"),
        pytest.param(["deploy"], id="arguments are missing"),
        pytest.param(["deploy", "v1"], id="the environment is missing"),
        pytest.param(["deploy", "v1", "staging", "more"], id="an argument too many"),
        pytest.param(["deploy", "v1", "staging", "--force"], id="an unknown option"),
        pytest.param(["deploy", "v1", "staging", "--timeout", "0"], id="no time at all"),
        pytest.param(["deploy", "v1", "staging", "--timeout", "soon"], id="no number"),
        pytest.param(["deploy", "v1", "staging", "--wait", "-1"], id="less than no time"),
        pytest.param(["deploy", "a b", "staging"], id="no tag"),
        pytest.param(["deploy", "v1", "nowhere"], id="an unknown environment"),
        pytest.param(["rollback"], id="a rollback of nothing"),
        pytest.param(["rollback", "v1", "nowhere"], id="a rollback of an unknown environment"),
        pytest.param(["rollback", "a b", "staging"], id="a rollback to no tag"),
        pytest.param(["rollback", "--list", "v1", "staging"], id="a list with a release"),
        pytest.param(["rollback", "--list", "nowhere"], id="a list of an unknown environment"),
        pytest.param(["status", "nowhere"], id="a status of an unknown environment"),
        pytest.param(["logs", "nowhere"], id="logs of an unknown environment"),
        pytest.param(["logs", "staging", "-n", "many"], id="no number of lines"),
        pytest.param(["history", "nowhere"], id="a history of an unknown environment"),
        pytest.param(["history", "staging", "--last", "0"], id="a history of no runs"),
        pytest.param(["delpoy", "v1", "staging"], id="an unknown command"),
    ],
)
def test_what_is_used_wrongly_is_status_2_and_says_why(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "rror" in err
    assert "Traceback" not in err


def test_an_unknown_environment_is_told_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["status", "stagin"])

    err = capsys.readouterr().err
    assert "unknown environment `stagin`, did you mean `staging`?" in err
    assert "production" in err


def test_a_fault_is_told_as_json_when_json_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["status", "nowhere", "--json"]) == 2

    out, err = capsys.readouterr()
    assert out.startswith('{"v": 1, "event": "error", "message": "unknown environment')
    assert err == ""


def test_the_version() -> None:
    done = restoops("--version")

    assert (done.returncode, done.stdout) == (0, f"restoops {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([name, "--help"] for name in COMMANDS),
        *([*name.split(), "--help"] for name in OF_GROUPS),
    ],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from restoops.cli.app import run\n"
        f"assert run({arguments!r}) == 0\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stderr == "[]\n"


def test_init_writes_a_file_that_loads(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "new").mkdir()

    assert run(["init", "new"]) == 0

    assert "wrote new/restoops.yaml" in capsys.readouterr().out
    loaded = load("local", start=project / "new", environ={}, terraform_outputs=None)
    assert loaded.file == project / "new/restoops.yaml"


def test_init_never_overwrites(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0

    assert (project / "restoops.yaml").read_text() == SETTINGS
    assert "restoops.yaml is there already and was left as it is" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["broken link", "directory"])
def test_init_leaves_alone_whatever_has_the_name(project: Path, kind: str) -> None:
    path = project / "restoops.yaml"
    path.unlink()
    path.mkdir() if kind == "directory" else path.symlink_to("nowhere")

    assert run(["init"]) == 1

    assert not (project / "nowhere").exists()


def test_init_says_what_it_would_write(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "restoops.yaml").unlink()

    assert run(["init", "--dry-run"]) == 0

    assert "environments:" in capsys.readouterr().out
    assert not (project / "restoops.yaml").exists()


def test_init_into_a_directory_that_is_not_there_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["init", "no/such"]) == 1

    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
    argv = [sys.executable, "-m", "restoops", "init", "--dry-run"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()

    # Click itself makes this status 1, without a word.
    assert (process.returncode, said) in ((0, b""), (1, b""))


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("", ["local", "production", "staging"]), ("st", ["staging"]), ("x", [])],
)
def test_environments_are_completed(typed: str, offered: list[str]) -> None:
    assert sorted(complete_environment(typed)) == offered


@pytest.mark.parametrize("words", ["restoops status ", "restoops deploy v1 "])
def test_the_shell_is_offered_environments(words: str) -> None:
    done = restoops(
        _RESTOOPS_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split())),
    )

    assert {"staging", "production"} <= set(done.stdout.split())
    assert done.stderr == ""


def test_a_faulty_file_offers_nothing_and_says_nothing(project: Path) -> None:
    (project / "restoops.yaml").write_text("{[")

    done = restoops(
        _RESTOOPS_COMPLETE="complete_bash", COMP_WORDS="restoops status ", COMP_CWORD="2"
    )

    assert "Traceback" not in done.stdout + done.stderr
    assert set(done.stdout.split()) <= {"local"}


def loaded_by(code: str, **environ: str) -> set[str]:
    """Return the packages that a process has loaded after some code."""
    shown = f"{code}\nimport sys; print(*(name for name, it in sys.modules.items() if it))"
    argv = [sys.executable, "-c", shown]
    env = {**os.environ, **environ}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_asking_a_registry_loads_no_command_line() -> None:
    loaded = loaded_by("import restoops.adapters.registry")

    assert "httpx" in loaded
    assert not loaded & {"rich", "pygments", "click"}


def test_github_s_part_is_loaded_only_where_deployments_are_told() -> None:
    code = (
        "from restoops.cli.announcing import announced\n"
        "from restoops.cli.context import load_environment\n"
        "with announced(load_environment('staging'), print): pass"
    )

    assert "httpx" not in loaded_by(code, GITHUB_ACTIONS="")
