"""Programs of the operator that a deploy runs before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from restoops.adapters.hooks import run_hook
from restoops.errors import Interrupted, RestoopsError
from restoops.flows.interrupt import Interrupt
from restoops.flows.session import Request
from restoops.model import Release
from restoops.report.events import Output, Tell

HOOKS = ("pre_deploy", "post_deploy", "on_failure")


@dataclass(frozen=True, slots=True)
class Hooks:
    """The commands of `hooks` in the settings."""

    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    directory: Path = Path()
    timeout_s: float = 300

    def before(self, facts: Mapping[str, str], tell: Tell, interrupt: Interrupt) -> None:
        """Run `pre_deploy`.

        Raises:
            StepFailed: it failed, so that nothing may be changed.
        """
        self._run("pre_deploy", facts, tell, interrupt)

    def after(
        self,
        name: Literal["post_deploy", "on_failure"],
        facts: Mapping[str, str],
        tell: Tell,
        interrupt: Interrupt,
    ) -> None:
        """Run a hook that changes nothing about the deploy, also when it fails or is cut off."""
        try:
            self._run(name, facts, tell, interrupt)
        except Interrupted:
            tell(Output(name, "cut off by a signal, which does not change the result"))
        except RestoopsError as error:
            tell(Output(name, f"failed, which does not change the result: {error.message}"))

    def _run(self, name: str, facts: Mapping[str, str], tell: Tell, interrupt: Interrupt) -> None:
        argv = self.commands.get(name, ())
        if argv:
            interrupt.check()
            run_hook(
                name,
                argv,
                cwd=self.directory,
                facts=facts,
                timeout_s=self.timeout_s,
                on_line=lambda line: tell(Output(name, line)),
                poll=interrupt.check,
            )


def facts_of(request: Request, release: Release, hosts: tuple[str, ...]) -> dict[str, str]:
    """Return what hooks are told, as environment variables."""
    return {
        "RESTOOPS_RUN_ID": request.id,
        "RESTOOPS_RUN_ENVIRONMENT": request.environment,
        "RESTOOPS_RUN_TAG": release.tag,
        "RESTOOPS_RUN_DIGEST": str(release.digest),
        "RESTOOPS_RUN_HOSTS": " ".join(hosts),
    }
