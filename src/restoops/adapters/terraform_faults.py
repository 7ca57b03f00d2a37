"""From what terraform prints when it fails to an error that says what to do now."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restoops.errors import (
    CommandFailed,
    Locked,
    NeedsAttention,
    Refused,
    RestoopsError,
    Unreachable,
    UsageError,
)

INSTALL = (
    "Install version 1.6 or newer: https://developer.hashicorp.com/terraform/install; "
    "`terraform version` shows which one is there."
)


@dataclass(frozen=True, slots=True)
class Module:
    """The root module that terraform runs in.

    Attributes:
        environment: its name.
        directory: where it is.
        shown: the directory as the operator would type it.
    """

    environment: str
    directory: Path
    shown: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first error that terraform printed."""

    summary: str
    where: str
    """File and line, `main.tf:3`; empty when it is about no place."""
    detail: str
    """What is said about it, without the code around that place."""
    text: str
    """All that was printed about errors, unwrapped: terraform breaks lines anywhere."""

    def says(self, *patterns: str, unless: tuple[str, ...] = ()) -> bool:
        """Return whether any of the expressions is found, in whatever case, and none of others."""
        found = (re.search(pattern, self.text, re.IGNORECASE) for pattern in patterns)
        return any(found) and not (unless and self.says(*unless))


def explain(output: str, module: Module, exit_code: int) -> RestoopsError:
    """Return the error for a run of terraform that printed `output` and failed."""
    fault = first_fault(output)
    for look in (_state, _lock, _setup, _backend, _api, _refusal, _value, _code):
        if error := look(fault, module, output):
            return error
    return CommandFailed(
        f"terraform failed for {module.environment}: {_sentence(fault)}",
        exit_code=exit_code,
        hint="What it says about it stands above.",
        output=_tail(output),
    )


def explain_unset(diagnostics: list[dict[str, Any]], module: Module) -> RestoopsError | None:
    """Return the error of a module that is not set up, from what `terraform validate` says of it.

    Only then: what else is wrong cannot be told before.
    """
    for it in diagnostics:
        text = f"Error: {it['summary']}\n{it.get('detail') or ''}"
        if it["severity"] == "error" and (error := _setup(first_fault(text), module, text)):
            return error
    return None


def explain_unread(output: str, root: Path, name: str) -> RestoopsError:
    """Return the error for an output that `terraform output` printed this about instead."""
    fault = first_fault(output)
    if fault.says('Output "[^"]*" not found'):
        return UsageError(
            f"there is no output `{name}` in the state of {root}",
            hint=f"`terraform -chdir={root} output` shows those that there are. One that is new in "
            "the code is there after a `terraform apply`.",
        )
    return Unreachable(
        f"terraform cannot read output `{name}` of {root}: {fault.summary}",
        hint=f"`terraform -chdir={root} init` once, with the backend's credentials.",
        details=_tail(output),
    )


def first_fault(output: str) -> Fault:
    """Return the first error in what terraform printed."""
    # In a terminal, errors stand in a box.
    lines = [re.sub(r"^[╷│╵]\s?", "", line).rstrip() for line in output.splitlines()]
    start = next((n for n, line in enumerate(lines) if line.startswith("Error: ")), None)
    if start is None:
        return Fault(next(filter(None, reversed(lines)), "it said nothing"), "", "", output)
    rest = lines[start:]
    place = next((it for line in rest[1:4] if (it := _PLACE.match(line))), None)
    where = f"{place[1]}:{place[2]}" if place else ""
    text = " ".join(" ".join(rest).split())
    return Fault(rest[0].removeprefix("Error: "), where, _detail(rest[1:]), text)


def _detail(lines: Sequence[str]) -> str:
    """Return the first paragraph that is neither a place nor the next error."""
    for paragraph in "\n".join(lines).split("\n\n"):
        words = " ".join(paragraph.split())
        if words.startswith(("Error: ", "Warning: ")):
            break
        if words and not re.match(r"with \S+,|on \S+ line \d|This was checked by", words):
            return words
    return ""


_PLACE = re.compile(r"\s*on (\S+) line (\d+)")


def _sentence(fault: Fault) -> str:
    return f"{fault.where}: {fault.summary}" if fault.where else fault.summary


def _tail(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-20:])


def _state(fault: Fault, module: Module, _: str) -> RestoopsError | None:
    if fault.says("Unsupported state file format"):
        return NeedsAttention(
            f"the state of {module.environment} is damaged: {fault.detail}",
            hint="Nothing was done. The bucket keeps old versions for 90 days: bring the last good "
            "one back before anybody applies.",
        )
    if not fault.says("Failed to (save|persist) state", "errored.tfstate"):
        return None
    return NeedsAttention(
        f"the state of {module.environment} could not be saved: {fault.summary}",
        hint=f"What was made is in {module.shown}/errored.tfstate, which holds secrets. Once the "
        f"backend answers: `terraform -chdir={module.shown} state push errored.tfstate`, before "
        "anybody plans again.",
    )


def _lock(fault: Fault, module: Module, output: str) -> RestoopsError | None:
    if not fault.says("acquiring the state lock", "Error locking state"):
        return None
    found = dict(re.findall(r"^\W*(ID|Who|Operation|Created|Path): +(\S.*?)\s*$", output, re.M))
    if not found:
        return _backend(fault, module, output)
    operation = found.get("Operation", "").removeprefix("OperationType").lower() or "something"
    who, since = found.get("Who", "somebody"), found.get("Created", "an unknown time")
    return Locked(
        f"the state of {module.environment} is locked by {who} for {operation} since {since}",
        hint="`--wait 600` queues behind it. Only if that run is gone for good: "
        f"`terraform -chdir={module.shown} force-unlock {found.get('ID', 'ID')}`.",
    )


def _setup(fault: Fault, module: Module, _: str) -> RestoopsError | None:
    environment = module.environment
    if fault.says("Unsupported Terraform Core version"):
        return UsageError(f"terraform does not suit {module.shown}: {fault.text}", hint=INSTALL)
    if fault.says("Backend configuration (changed|block has changed)"):
        return UsageError(
            f"the state of {environment} would be in another place than before",
            hint=f"`restoops infra init {environment} --migrate-state` moves it there. If it is "
            "there already: `--reconfigure`; without it Terraform would make everything anew.",
        )
    if fault.says(
        r"(Backend|Required plugins|Initial|re-?)\s*initiali[sz]ation required",
        "Module not installed", "Required plugins are not installed", "Missing required provider",
        "Inconsistent dependency lock file",
        "missing or corrupted provider plugins", r"terraform init",
        unless=("Failed to get existing workspaces", "Invalid backend configuration"),
    ):  # fmt: skip
        return UsageError(
            f"{module.shown} is not set up: {fault.summary}",
            hint=f"`restoops infra init {environment}` sets it up.",
        )
    if fault.says("Missing Required Value", "Invalid backend configuration argument"):
        return UsageError(
            f"the backend of {environment} is not configured: {fault.text}",
            hint=f"`restoops infra backend {environment} --region REGION` makes the bucket and "
            "writes backend.hcl.",
        )
    return None


_BACKEND = ("S3", "backend", "bucket", "workspaces", "state", "object storage")


def _backend(fault: Fault, module: Module, _: str) -> RestoopsError | None:
    environment = module.environment
    if fault.says("No valid credential sources", "failed to refresh cached credentials"):
        return Unreachable(
            f"the credentials for the state of {environment} are missing",
            hint="Set SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY: a Spaces key of the "
            "control panel, not the API token.",
        )
    if fault.says("NoSuchBucket", "bucket .*does not exist"):
        return Unreachable(
            f"the bucket with the state of {environment} is not there",
            hint=f"Is backend.hcl right? `restoops infra backend {environment} --region REGION` "
            "makes what is missing.",
        )
    if fault.says("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "Forbidden") and (
        fault.says(*_BACKEND)
    ):
        return Unreachable(
            f"the backend refused the credentials for the state of {environment}",
            hint="Are SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY those of a key that may "
            "read and write this bucket?",
        )
    return None


_ANSWERED = r"(?<!line )\b{}\b(?!:)"
"""A status that the API answered with: not the number of a line, nor one before a line of code."""


def _api(fault: Fault, module: Module, _: str) -> RestoopsError | None:
    environment = module.environment
    if fault.says(_ANSWERED.format(429), "Too Many Requests", "rate limit"):
        return Unreachable(
            f"the DigitalOcean API limits our calls for {environment}: {fault.summary}",
            hint="It allows 250 calls a minute and 5,000 an hour, for all who use the account. "
            "Wait some minutes and repeat the command: it goes on where it stopped.",
        )
    if fault.says(_ANSWERED.format(401), "Unable to authenticate", "DIGITALOCEAN_TOKEN.*not set"):
        return Unreachable(
            f"DigitalOcean refused our token for {environment}",
            hint="Is DIGITALOCEAN_TOKEN right, has it expired, and may it read and write?",
        )
    if fault.says(
        "no such host", "connection refused", "i/o timeout", "dial tcp", "TLS handshake",
        "network is unreachable", "connection reset", "RequestTimeout", "context deadline exceeded",
        "request send failed",
    ):  # fmt: skip
        return Unreachable(
            f"something that {environment} needs could not be reached: {fault.text[:400]}",
            hint="Is this machine online, is `endpoints` in backend.hcl right, does "
            "https://status.digitalocean.com say something?",
        )
    return None


def _refusal(fault: Fault, module: Module, _: str) -> RestoopsError | None:
    if fault.says("Instance cannot be destroyed", "prevent_destroy"):
        guards = dict.fromkeys(re.findall(r"Resource (\S+) has lifecycle", fault.text))
        return Refused(
            f"{module.environment} is protected: {', '.join(guards)} must not be destroyed",
            hint="Nothing was changed. `prevent_destroy` in the code forbids it; to take that away "
            "is a change to be reviewed first.",
        )
    if fault.says("Saved plan is stale"):
        return Refused(
            f"the state of {module.environment} changed after this plan was made; nothing was done",
            hint="Repeat the command: it plans again.",
        )
    return None


def _value(fault: Fault, module: Module, _: str) -> RestoopsError | None:
    """Tell of what is wrong with values: `terraform validate` does not look at them."""
    is_backend = fault.where.startswith("backend.hcl:")
    is_about_values = re.match(_VALUE_FAULTS, fault.summary) or ".tfvars" in fault.where
    if not is_backend and not is_about_values:
        return None
    detail = fault.detail.partition(" Use a -var")[0]  # which restoops has not
    told = ": ".join(filter(None, (_in_module(fault, module), fault.summary, detail)))
    return UsageError(told, hint=_REWRITE.format(module.environment) if is_backend else _VALUES)


_VALUES = (
    "Change the value and repeat the command. Values are in terraform.tfvars, in files "
    "*.auto.tfvars, and in variables TF_VAR_NAME of the environment."
)
_REWRITE = "`restoops infra backend {} --region REGION` writes it anew."
_VALUE_FAULTS = re.compile(
    "No value for required variable|Invalid value for (input )?variable|"
    "Resource (pre|post)condition failed|Module output value precondition failed"
)


def _code(fault: Fault, module: Module, _: str) -> RestoopsError | None:
    if not (fault.where and re.match(_CODE_FAULTS, fault.summary)):
        return None
    return UsageError(
        f"{_in_module(fault, module)}: {fault.summary}",
        hint=f"`restoops infra validate {module.environment}` lists all faults.",
    )


def _in_module(fault: Fault, module: Module) -> str:
    return os.path.normpath(f"{module.shown}/{fault.where}")


_CODE_FAULTS = re.compile(
    "Invalid|Unsupported|Missing|Duplicate|Reference to|Argument or block|Unclosed|Variables not|"
    "Unterminated|Extraneous"
)
