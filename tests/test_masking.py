"""What this process knows as a secret is in nothing that it prints."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from rich.console import Console

from restoops.cli import app as application
from restoops.cli.output import Masking
from restoops.errors import StepFailed
from restoops.masking import KNOWN, MaskedStream, learn, masked, masked_output, secrets_of
from restoops.model import Color, Digest, Secret
from restoops.report.events import Output
from restoops.report.jsonl import JsonReporter
from restoops.report.plain import PlainReporter
from restoops.report.terminal import TerminalReporter
from tests.safekeeping.canaries import letters

CANARY = letters("masking", 24)
KEY = f"-----BEGIN KEY-----\n{letters('line 1', 40)}\n{letters('line 2', 40)}\n"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    KNOWN.forget()
    yield
    KNOWN.forget()


def test_a_value_that_comes_in_pieces_is_masked() -> None:
    learn(Secret(CANARY))
    for size in (1, 3, 7, 23):
        out = io.StringIO()
        stream = MaskedStream(out)
        for at in range(0, len(CANARY), size):
            stream.write(CANARY[at : at + size])
            stream.flush()
        stream.finish()

        assert out.getvalue() == "***"


def test_what_is_no_secret_comes_at_once() -> None:
    learn(Secret(CANARY))
    out = io.StringIO()
    stream = MaskedStream(out)

    stream.write("Go on? [y/N] ")
    stream.flush()
    assert out.getvalue() == "Go on? [y/N] "
    stream.write("one line\nand a half")
    assert out.getvalue().endswith("one line\n")
    stream.finish()
    assert out.getvalue().endswith("and a half")


def test_bytes_do_not_pass_by() -> None:
    stream = MaskedStream(io.TextIOWrapper(io.BytesIO()))

    assert not hasattr(stream, "buffer")
    assert stream.encoding


@dataclass(frozen=True)
class _Thing:
    text: str
    many: tuple[str, ...]
    by_name: dict[str, object]
    digest: Digest
    color: Color


def test_all_texts_of_a_value_are_masked_and_nothing_else_is_touched() -> None:
    learn(Secret(CANARY))
    digest = Digest(f"sha256:{'a' * 64}")
    thing = _Thing(f"a {CANARY}", (CANARY, "b"), {CANARY: [Decimal(1), CANARY]}, digest, Color.BLUE)

    assert masked(thing) == _Thing(
        "a ***", ("***", "b"), {"***": [Decimal(1), "***"]}, digest, Color.BLUE
    )
    clean = _Thing("a", ("b",), {}, digest, Color.GREEN)
    assert masked(clean) is clean


@pytest.mark.parametrize("renderer", [JsonReporter, PlainReporter, TerminalReporter])
def test_no_renderer_shows_one_also_where_it_wraps_lines(
    renderer: type[JsonReporter | PlainReporter | TerminalReporter],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    with masked_output():
        learn(Secret(CANARY), Secret(KEY))
        show = Masking(renderer())
        show.tell(Output("app", f"connecting with {CANARY} to it"))
        show.tell(Output("app", json.dumps({"key": KEY})))
        show.error(StepFailed(f"no {CANARY}", hint=f"so long a hint {CANARY}", details=KEY))
        show.close()

    shown = capsys.readouterr()
    text = "".join((shown.out + shown.err).split())
    for piece in (CANARY[:8], CANARY[-8:], *(line[:9] for line in KEY.splitlines()[1:])):
        assert piece not in text
    assert "***" in text


def test_rich_writes_through_it(capsys: pytest.CaptureFixture[str]) -> None:
    with masked_output():
        learn(Secret(CANARY))
        Console(stderr=True).print(f"[bold]{CANARY}[/bold] x")

    assert capsys.readouterr().err == "*** x\n"


def test_a_traceback_is_masked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESTOOPS_TRACEBACK", "1")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"https://hooks.example/{CANARY}")

    def broken(**_: object) -> None:
        raise KeyError(f"https://hooks.example/{CANARY}")

    monkeypatch.setattr(application, "app", broken)

    assert application.run([]) == 3
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "KeyError: '***'" in shown
    assert CANARY not in shown


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("GITHUB_TOKEN", CANARY, True),
        ("DIGITALOCEAN_ACCESS_TOKEN", CANARY, True),
        ("SPACES_SECRET_ACCESS_KEY", CANARY, True),
        ("SLACK_WEBHOOK_URL", "https://hooks.example/T0/B0/xyz", True),
        ("SSH_PRIVATE_KEY", KEY, True),
        ("DEPLOY_SSH_KEY", "~/.ssh/id_ed25519", False),
        ("GOOGLE_CREDENTIALS", "/run/secrets/google.json", False),
        ("PATH", "/usr/bin:/bin", False),
        ("SSH_PUBLIC_KEY", f"ssh-ed25519 {CANARY}", False),
        ("TOKENIZERS_PARALLELISM", "false", False),
    ],
)
def test_variables_are_known_by_their_name(name: str, value: str, is_secret: bool) -> None:
    assert secrets_of({name: value}) == ((Secret(value),) if is_secret else ())


def test_the_runner_of_github_is_told_each_line_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with masked_output():
        learn(Secret(CANARY), Secret(KEY), Secret("weak"), Secret(f"50%{CANARY}"))
        sys.stdout.write(f"{CANARY}\n")
        learn(Secret(CANARY))

    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == "***\n"
    assert sorted(lines) == sorted(
        f"::add-mask::{it}" for it in (CANARY, *KEY.splitlines()[1:], f"50%25{CANARY}")
    )


def test_the_runner_is_told_before_anything_is_printed_that_has_to_be_masked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ours, learned = letters("of the environment", 24), letters("of a source", 24)
    monkeypatch.setenv("DEPLOY_TOKEN", ours)
    both = io.StringIO()
    monkeypatch.setattr(sys, "stdout", both)
    monkeypatch.setattr(sys, "stderr", both)
    with masked_output():
        learn(Secret(learned))
        sys.stdout.write(f"with {learned} and {ours}\n")

    lines = both.getvalue().splitlines()
    assert sorted(lines[:2]) == sorted(f"::add-mask::{it}" for it in (ours, learned))
    assert lines[2:] == ["with *** and ***"]


def test_elsewhere_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with masked_output():
        learn(Secret(CANARY))

    assert capsys.readouterr().err == ""
