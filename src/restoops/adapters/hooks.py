"""Programs of the operator that a run calls on this machine, before it and after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from restoops.adapters.process import Surroundings, stream
from restoops.errors import CommandFailed, StepFailed
from restoops.masking import masked


def run_hook(
    name: str,
    argv: Sequence[str],
    *,
    cwd: Path,
    facts: Mapping[str, str],
    timeout_s: float,
    on_line: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
) -> None:
    """Run the hook `name` to its end and hand over each line that it writes.

    It has our own environment and `facts`, variables by their full names. `./notify` is looked
    for in `cwd`, a bare name on the `PATH`. What `poll` raises, such as an interrupt, ends it.

    Raises:
        CommandFailed: it ended with a status other than 0.
        StepFailed: it cannot be started, or took too long and was ended.
    """
    around = Surroundings(cwd, timeout_s, masked(facts))
    key = f"hooks.{name}"
    try:
        stream(argv, around, on_line, poll)
    except CommandFailed as error:
        raise CommandFailed(
            f"hook {name}: {error.message}",
            exit_code=error.exit_code,
            output=error.details,
            hint=f"`{key}` in restoops.yaml is the program; its last lines are above.",
        ) from error
    except StepFailed as error:
        raise StepFailed(
            f"hook {name}: {error.message}",
            hint=f"`{key}` in restoops.yaml is the program, looked for from {cwd}; "
            "`hooks.timeout_s` is how long it may take.",
        ) from error
