"""What is true of every error that an operator can meet."""

import pickle
from copy import copy

import pytest

from restoops import errors
from restoops.errors import CommandFailed, HostKeyRefused, NeedsAttention, RestoopsError
from restoops.flows.rollout import gravest


def _every() -> list[RestoopsError]:
    kinds = {it for it in vars(errors).values() if isinstance(it, type)}
    plain = kinds - {CommandFailed, *(it for it in kinds if not issubclass(it, RestoopsError))}
    made = [kind("web-1: no", hint="Look there.", details="a\nb") for kind in plain]
    return [*made, CommandFailed("web-1: no", exit_code=2, output="a\nb", hint="Look there.")]


@pytest.mark.parametrize("error", _every(), ids=lambda it: type(it).__name__)
@pytest.mark.parametrize("again", [copy, lambda it: pickle.loads(pickle.dumps(it))])
def test_an_error_stays_what_it_is_when_copied_or_told_to_another_process(
    error: RestoopsError, again: type
) -> None:
    same = again(error)

    assert type(same) is type(error)
    assert (str(same), vars(same)) == ("web-1: no", vars(error))
    assert (same.hint, same.details, same.status) == ("Look there.", "a\nb", error.status)


def test_a_program_that_failed_on_two_hosts_is_told_of_both() -> None:
    failed = {host: CommandFailed(f"{host}: no space", exit_code=1) for host in ("web-1", "web-2")}

    error = gravest(failed)

    assert error.message == "web-1: no space; web-2: no space"
    assert (type(error), failed["web-1"].message) == (CommandFailed, "web-1: no space")


def test_the_hosts_that_need_a_person_come_first() -> None:
    failed = {"web-1": HostKeyRefused("web-1: key"), "web-2": NeedsAttention("web-2: unclear")}

    assert gravest(failed).message == "web-2: unclear; web-1: key"
