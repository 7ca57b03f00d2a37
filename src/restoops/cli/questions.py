"""Questions to the operator. They are asked on a terminal, and end when a signal comes."""

from __future__ import annotations

import contextlib
import select
import sys
import termios
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from restoops.cli.signals import interruptible
from restoops.errors import Refused, UsageError

if TYPE_CHECKING:
    from restoops.flows.interrupt import Interrupt
    from restoops.model import Release

_TICK_S = 0.1


def confirm(question: str, *, yes: bool) -> None:
    """Ask before anything is done, unless `--yes` has answered already.

    Raises:
        Refused: the answer was no, or there is nobody to ask.
        Interrupted: the answer was a signal.
    """
    demand_somebody_to_ask(yes=yes)
    if yes:
        return
    with interruptible() as interrupt:
        _ask(question, interrupt)


def demand_somebody_to_ask(*, yes: bool) -> None:
    """Make sure, before anything is done, that a question can be answered.

    Raises:
        Refused: there is nobody to ask, and no `--yes`.
    """
    if not yes and not sys.stdin.isatty():
        raise Refused(
            "nobody is there to ask for confirmation; nothing was changed",
            hint="Add `--yes`, or `--dry-run` to see what would be done.",
        )


def confirming_rollback(
    environment: str, interrupt: Interrupt
) -> Callable[[Release, Release | None], None]:
    """Return the question before a rollback; it raises as `confirm` does."""

    def ask(to: Release, now: Release | None) -> None:
        serves = now.tag if now else "nothing"
        _ask(f"Roll {environment} back from {serves} to {to.tag}?", interrupt)

    return ask


def answer(question: str) -> str:
    """Ask for a text; there has to be somebody to ask.

    Raises:
        Interrupted: the answer was a signal.
    """
    with interruptible() as interrupt:
        return _answer(question, interrupt).strip()


def answer_unseen(question: str) -> str:
    """Ask for a text that the terminal does not show; blanks around it are kept.

    The standard library's `getpass` does the same, but leaves the terminal without echo when
    SIGTERM ends it, and can miss a SIGINT that comes while it begins to read.

    Raises:
        Interrupted: the answer was a signal.
    """
    with interruptible() as interrupt, _without_echo():
        return _answer(question, interrupt).removesuffix("\n")


def piped() -> str:
    """Return what is piped in, without the end of its last line.

    Raises:
        UsageError: it is no text.
    """
    text = _text(sys.stdin.read, "standard input is no UTF-8 text")
    return text.removesuffix("\n").removesuffix("\r")


def _ask(question: str, interrupt: Interrupt) -> None:
    if _answer(f"{question} [y/N] ", interrupt).strip().lower() not in ("y", "yes"):
        raise Refused(f"not confirmed; {interrupt.so_far}")


def _answer(question: str, interrupt: Interrupt) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    while not select.select([sys.stdin], [], [], _TICK_S)[0]:
        interrupt.check()
    return _text(sys.stdin.readline, f"the answer is no UTF-8 text; {interrupt.so_far}")


def _text(read: Callable[[], str], fault: str) -> str:
    """Return what is read, or refuse what is no text."""
    try:
        text = read()
        text.encode()  # in the locale C, Python lets bytes through that are no text
    except UnicodeError:
        raise UsageError(fault, hint="Give it in UTF-8; bytes as `base64` writes them.") from None
    return text


@contextlib.contextmanager
def _without_echo() -> Iterator[None]:
    shown = termios.tcgetattr(sys.stdin)
    unseen = [*shown]
    unseen[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, unseen)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, shown)
        sys.stderr.write("\n")
