"""`restoops deploy --via ansible`: the playbook for a deploy, with the same words and statuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restoops.cli.signals import interruptible
from restoops.errors import (
    CheckRefused,
    Interrupted,
    Locked,
    NeedsAttention,
    RestoopsError,
    StepFailed,
    Unreachable,
    UsageError,
)

if TYPE_CHECKING:
    from restoops.cli.swapping import RunOptions
    from restoops.config.load import Loaded
    from restoops.plan.playbook import PlaybookEvent, TaskEnded
    from restoops.report.playbook import View

_MODULE = "restoops_swap"
_AT_REST_S = 120
"""Seconds that a run which was interrupted has to put the hosts right."""
_KINDS = (
    StepFailed, UsageError, NeedsAttention, Locked, Unreachable, CheckRefused, Interrupted,
)  # fmt: skip


def deploy_via_ansible(options: RunOptions, loaded: Loaded, tag: str) -> None:
    """Run the playbook; what it says of the swap itself is told as `restoops deploy` would."""
    from restoops.adapters.private import private_directory
    from restoops.config.playbooks import find_project
    from restoops.flows.playbook import run_playbook
    from restoops.flows.playbook_files import Job
    from restoops.report.playbook import view

    project = find_project(loaded, loaded.settings.ansible.update, start=Path.cwd())
    shown = _Heard(view(as_json=options.as_json))
    with interruptible() as interrupt, private_directory() as folder:
        progress = folder / "progress"
        job = Job(
            loaded,
            project,
            only=options.hosts,
            variables=_variables(options, loaded, tag) | {"restoops_progress": str(progress)},
            check=options.dry_run,
        )
        try:
            run_playbook(job, shown.hear, interrupt, progress)
        except Interrupted as error:
            shown.view.close()
            raise _put_right(options, loaded, error) from error
        except RestoopsError as error:
            raise shown.failure() or error from error
        finally:
            shown.view.close()
    shown.print_result(as_json=options.as_json)


def _variables(options: RunOptions, loaded: Loaded, tag: str) -> dict[str, Any]:
    """Return what the playbook is told; it wins over the inventory."""
    from restoops.flows.playbook_files import path_of
    from restoops.flows.public import public_url

    ssh, public = loaded.settings.ssh, loaded.settings.public
    settings: dict[str, Any] = {}
    if loaded.settings.smoke.checks and not public.url and (url := public_url(loaded)):
        settings["public"] = {"url": url}  # a play has no Terraform
    if ssh.known_hosts:
        settings["ssh"] = {"known_hosts": path_of(ssh.known_hosts)}
    if options.timeout_s:
        settings["health"] = {"timeout_s": options.timeout_s}
    found = {
        "swap_environment": options.environment,
        "image_tag": tag,
        "restoops_settings": settings,
        "restoops_wait": options.wait_s,
        "restoops_batch": options.batch,
        "restoops_pause": options.pause_s,
    }
    return found | ({"restoops_config": str(loaded.file.absolute())} if loaded.file else {})


class _Heard:
    """Shows a run, and keeps what the module answered of the swap."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._ended: list[TaskEnded] = []

    def hear(self, event: PlaybookEvent) -> None:
        """Take in one event."""
        from restoops.plan.playbook import TaskEnded

        if isinstance(event, TaskEnded) and event.action.endswith(_MODULE):
            self._ended.append(event)
        self.view.show(event)

    def failure(self) -> RestoopsError | None:
        """Return the error that the module ended with, if it is why the run failed."""
        answer = next((it.answer for it in self._ended if it.result.is_bad), {})
        if "status" not in answer:
            return None
        kind = next((it for it in _KINDS if it.status == answer["status"]), StepFailed)
        hint, details = str(answer.get("hint", "")), str(answer.get("details", ""))
        return kind(str(answer["msg"]), hint=hint, details=details)

    def print_result(self, *, as_json: bool) -> None:
        """Print what became of the swap, as `restoops deploy` does."""
        from restoops.report.jsonl import write

        answer = next(it.answer for it in reversed(self._ended) if "summary" in it.answer)
        if as_json:
            write(answer["ended"])
        else:
            from restoops.report.lines import print_lines

            print_lines(str(answer["summary"]).splitlines())


def _put_right(options: RunOptions, loaded: Loaded, error: Interrupted) -> Interrupted:
    """Wait until the module has put the hosts right, or do it; return what is true then.

    Ansible does not wait for what it has started: the signal has reached the module as well,
    which undoes the run while Ansible has gone already.
    """
    from restoops.cli.swapping import swapping
    from restoops.flows.session import serving

    if options.dry_run:
        return error
    waits = replace(
        options,
        wait_s=_AT_REST_S,
        only_recovers=True,
        purpose="putting right what Ansible left",
    )
    try:
        with swapping(waits, "deploy", loaded) as swap, swap.fleet.locked() as states:
            serves = {it.host: it.serving.release if it.serving else None for it in states.values()}
    except RestoopsError as second:
        return Interrupted(f"interrupted; then: {second.message}", hint=second.hint)
    now = "; ".join(f"{host}: {serving(release)}" for host, release in serves.items())
    return Interrupted(f"interrupted; {now}")
