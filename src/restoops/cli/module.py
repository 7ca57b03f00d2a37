"""The way in for Ansible: what its module `restoops_swap` is asked for, and what it answers.

The module runs on the machine of the operator, once for all hosts of a play, and does what
`restoops deploy` does: one connection to each host holds the lock and carries every change.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from restoops.cli.app import our_fault
from restoops.cli.arguments import tag_argument
from restoops.cli.hosts import opened
from restoops.cli.module_told import Told
from restoops.cli.registry import has_in_registry, resolving
from restoops.cli.swapping import RunOptions, swapping
from restoops.errors import RestoopsError, StepFailed, Unreachable, UsageError
from restoops.masking import masked
from restoops.report.jsonl import plain

if TYPE_CHECKING:
    from restoops.config.load import Loaded
    from restoops.flows.swap import Swap
    from restoops.model import HostState

State = Literal["live", "previous", "recovered", "observed"]
_PASSES = re.compile(
    r"^registry \S+ (does not answer|answered (429|5\d\d))"
    r"|: pull of \S+ failed: (?!.*(not found|unknown|denied|unauthorized|no space left))"
)


class PlayHost(TypedDict, total=False):
    """A host of the play, from its variables."""

    name: str
    address: str
    user: str | None
    port: int | None
    key: str | None
    connection: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a task asks for; see the documentation of the module."""

    state: State
    environment: str
    tag: str = ""
    hosts: Sequence[PlayHost] = ()
    settings: Mapping[str, Any] | None = None
    config: str = ""
    wait_s: int = 0
    batch: str = "100%"
    pause_s: float = 0
    check: bool = False
    progress: str = ""
    """File that lines of progress are added to."""


def answer(asked: Asked) -> dict[str, Any]:
    """Do what was asked for and return what Ansible is to know; `failed` when it did not work.

    No text of it has a secret in it.
    """
    return masked(_answer(asked))


def _answer(asked: Asked) -> dict[str, Any]:
    told = Told(asked.progress)
    try:
        loaded = _load(asked)
        names = _names(asked.hosts)
        if asked.state == "observed":
            return _at_rest(_observe(loaded), names, told) | _proof(loaded)
        if asked.state == "live" and loaded.settings.has_secrets:
            from restoops.flows.secrets_check import refuse_unfit

            found = refuse_unfit(loaded, start=Path.cwd(), environ=os.environ)
            loaded = replace(loaded, secrets=found)
        with _swap(asked, loaded, told) as swap:
            if asked.state == "recovered":
                with swap.fleet.locked() as states:
                    return _at_rest(tuple(states.values()), names, told) | _proof(loaded)
            _carry_out(asked, loaded, swap)
            return told.result(names) | _proof(loaded) | {"run_id": swap.request.id}
    except RestoopsError as error:
        return _failure(error, told)
    except Exception as error:  # noqa: BLE001  as in `cli.app`: no traceback for an operator
        return _failure(our_fault(error), told)


def _load(asked: Asked) -> Loaded:
    from restoops.config.hosts import Target
    from restoops.config.load import load
    from restoops.config.play import Play
    from restoops.flows.connect import terraform_outputs

    targets = tuple(
        Target(
            str(host.get("name")),
            str(host.get("address") or host.get("name")),
            host.get("user") or None,
            host.get("port") or None,
            host.get("key") or None,
        )
        for host in asked.hosts
    )
    is_local = [_is_local(host) for host in asked.hosts]
    if any(is_local) and len(targets) > 1:
        raise UsageError(
            "this machine and other hosts do not go together in one play",
            hint="Give this machine, with `connection: local`, a play of its own.",
        )
    return load(
        asked.environment,
        start=Path.cwd(),
        environ=os.environ,
        terraform_outputs=terraform_outputs,
        config=Path(asked.config) if asked.config else None,
        play=Play(targets, any(is_local), asked.settings or {}),
    )


def _is_local(host: PlayHost) -> bool:
    return str(host.get("connection")).rpartition(".")[2] == "local"


def _names(hosts: Sequence[PlayHost]) -> dict[str, str]:
    """Return the name in the inventory of each address."""
    local = [str(host.get("name")) for host in hosts if _is_local(host)]
    found = {str(it.get("address") or it.get("name")): str(it.get("name")) for it in hosts}
    return {**found, **dict.fromkeys(("local", "localhost"), local[0])} if local else found


@contextlib.contextmanager
def _swap(asked: Asked, loaded: Loaded, told: Told) -> Iterator[Swap]:
    what = {"live": f"deploy {asked.tag}", "previous": f"rollback {asked.tag}"}
    options = RunOptions(
        asked.environment,
        dry_run=asked.check,
        yes=True,
        as_json=False,
        wait_s=asked.wait_s,
        timeout_s=None,
        batch=asked.batch,
        pause_s=asked.pause_s,
        via="Ansible",
        only_recovers=asked.state == "recovered",
        purpose=f"{what.get(asked.state, asked.state).strip()} on {asked.environment} by Ansible",
    )
    kind: Literal["deploy", "rollback"] = "rollback" if asked.state == "previous" else "deploy"
    with swapping(options, kind, loaded, told) as swap:
        yield swap


def _carry_out(asked: Asked, loaded: Loaded, swap: Swap) -> None:
    from restoops.flows.swap import deploy, rollback

    if asked.state == "live":
        deploy(swap, resolving(loaded, tag_argument(asked.tag)))
    else:
        rollback(swap, asked.tag or None, confirm=None, can_pull=has_in_registry(loaded))


def _observe(loaded: Loaded) -> tuple[HostState, ...]:
    with opened(loaded) as found:
        states = found.observe()
    found.raise_if_absent()
    return states


def _at_rest(states: Sequence[HostState], names: Mapping[str, str], told: Told) -> dict[str, Any]:
    return {
        "changed": told.has_recovered,
        "log": told.lines,
        "hosts": {
            names.get(state.host, state.host): {
                "release": plain(state.serving.release) if state.serving else None,
                "color": state.answering.value if state.answering else None,
                "open_run": plain(state.open_run),
            }
            for state in states
        },
    }


def _proof(loaded: Loaded) -> dict[str, Any]:
    """Return what a host itself can be asked, to prove what it serves."""
    from restoops.adapters.haproxy import LIVE_MAP
    from restoops.flows.open import host_settings

    settings = loaded.settings
    return {
        "proof": {
            "live_map": f"{host_settings(settings).directory}/{LIVE_MAP}",
            "container": settings.app.name,
            "url": f"http://127.0.0.1:{settings.proxy.port}{settings.health.path}",
        }
    }


def _failure(error: RestoopsError, told: Told) -> dict[str, Any]:
    return {
        "failed": True,
        "changed": told.has_recovered,
        "msg": error.message,
        "hint": error.hint,
        "details": error.details,
        "status": error.status,
        "may_pass": may_pass(error),
        "log": told.lines,
    }


def may_pass(error: RestoopsError) -> bool:
    """Return whether it is worth to try again in some seconds: the registry could not be asked.

    Not when it was, and said that it does not have the image or does not know us.
    """
    return isinstance(error, Unreachable | StepFailed) and bool(_PASSES.search(error.message))
