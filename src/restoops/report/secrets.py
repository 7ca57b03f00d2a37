"""What `restoops secrets` found: names and places, never a value."""

from __future__ import annotations

from restoops.plan.env_check import EnvCheck
from restoops.plan.leaks import Leak, Scan
from restoops.plan.secret_push import Act, SecretsPushed, SinkPush
from restoops.plan.secret_rotation import Begin, Rotation, SecretRotated, Step
from restoops.plan.secret_status import SecretsStatus
from restoops.report.jsonl import plain, write
from restoops.report.lines import aligned, print_lines
from restoops.report.wording import counted

_SHORT = 12


def show_scan(scan: Scan, *, as_json: bool) -> None:
    """Print the places where secrets stand."""
    if as_json:
        write(plain(scan))
        return
    if scan.leaks:
        rows = [(it.rule, _place(it), it.commit[:_SHORT], it.description) for it in scan.leaks]
        print_lines(aligned([("RULE", "PLACE", "COMMIT", "WHAT"), *rows]))
    known = f", {scan.known} known passed over" if scan.known else ""
    print_lines(
        [f"{scan.scanned}: {counted(len(scan.leaks), 'secret')} found by {scan.scanner}{known}"]
    )


def show_check(check: EnvCheck, *, as_json: bool) -> None:
    """Print what is wrong with an environment."""
    if as_json:
        write(plain(check))
        return
    if check.findings:
        rows = [(it.name, it.problem.value, it.meaning) for it in check.findings]
        print_lines(aligned([("NAME", "PROBLEM", "WHAT TO DO"), *rows]))
    if check.weak:
        print_lines([f"too short or too common to be masked in output: {', '.join(check.weak)}"])
    fine = "is as" if not check.findings else "is not as"
    print_lines([f"{check.environment}: {check.source} {fine} {check.template} wants"])


def show_push(pushed: SecretsPushed, *, as_json: bool) -> None:
    """Print what was handed to which place."""
    if as_json:
        write(plain(pushed))
        return
    rows = [
        (it.sink, move.name, move.act.value, move.since) for it in pushed.sinks for move in it.moves
    ]
    if rows:
        print_lines(aligned([("PLACE", "NAME", "ACTION", "THERE SINCE"), *rows]))
    print_lines([_pushed(it, dry_run=pushed.dry_run) for it in pushed.sinks])
    notes = [it.note for it in pushed.sinks if it.note]
    print_lines([f"{note[0].upper()}{note[1:]}." for note in dict.fromkeys(notes)])


def show_status(status: SecretsStatus, *, as_json: bool) -> None:
    """Print a row for each secret in each place, then what is to be done."""
    if as_json:
        write(plain(status) | {"behind": list(status.behind), "due": list(status.due)})
        return
    rows = [
        (it.name, copy.place, copy.standing.value, copy.since, it.rotate_by)
        for it in status.secrets
        for copy in it.copies
    ]
    if rows:
        print_lines(aligned([("NAME", "PLACE", "STANDING", "THERE SINCE", "ROTATE BY"), *rows]))
    late = [it.name for it in status.secrets if not it.is_everywhere]
    if late:
        words = f"`restoops secrets rotate NAME {status.environment} --resume`"
        print_lines([f"not everywhere yet: {', '.join(late)}; a deploy or {words} finishes"])
    behind = f"behind: {', '.join(status.behind)}" if status.behind else "nothing is behind"
    due = f"due: {', '.join(status.due)}" if status.due else "nothing is due"
    print_lines([f"{status.environment}: {status.source}; {behind}; {due}"])


def question_of(name: str, environment: str, rotation: Rotation) -> str:
    """Return what the operator is told before anything is changed."""
    if rotation.begin is Begin.FINISH:
        behind = "; ".join(
            f"{it.place}: {it.has.value}" + (f", there since {it.since}" if it.since else "")
            for it in rotation.spots
            if it.is_behind
        )
        return (
            f"{name}: the source of {environment} has a value that is not everywhere ({behind}). "
            "That is finished first; no new value is taken."
        )
    return f"{name} gets a new value in {environment}: {', '.join(_parts(rotation))}."


def _parts(rotation: Rotation) -> list[str]:
    """Return where a new value goes, in its order."""
    hosts = [it.place for it in rotation.spots if it.is_host]
    parts = {
        Step.SOURCE: "the source",
        Step.GITHUB: "GitHub",
        Step.ROLL: f"what serves on {', '.join(hosts)}",
        Step.KEPT: "the releases kept there",
    }
    return [parts[it] for it in rotation.steps if it in parts]


def show_rotated(rotated: SecretRotated, *, as_json: bool) -> None:
    """Print what each place has, then what was done and what is left to the operator."""
    if as_json:
        write(plain(rotated) | {"behind": list(rotated.behind)})
        return
    if rotated.spots:
        rows = [(it.place, it.has.value, it.since) for it in rotated.spots]
        print_lines(aligned([("PLACE", "HAS", "THERE SINCE"), *rows]))
    if rotated.steps and (rotated.dry_run or rotated.error):
        print_lines([f"{'would' if rotated.dry_run else 'done'}: {it.value}"
                     for it in rotated.steps])  # fmt: skip
    print_lines([_rotated(rotated)])


def _rotated(rotated: SecretRotated) -> str:
    where = f"{rotated.name} of {rotated.environment}"
    if rotated.dry_run:
        return f"{where}: {rotated.begin.value}; nothing was changed"
    if rotated.begin is Begin.NOTHING:
        return f"{where}: {rotated.source} and all places have the same value; nothing to finish"
    if rotated.error or rotated.behind:
        return f"{where}: not finished"
    new = "No new value was taken. " if rotated.begin is Begin.FINISH else ""
    return (
        f"{where}: everywhere. {new}Revoke the old value where it was issued now: restoops cannot."
    )


def _pushed(sink: SinkPush, *, dry_run: bool) -> str:
    if sink.error:
        return f"{sink.sink}: failed, {sink.error}"
    would = "would be put" if dry_run else "put"
    current = sum(it.act is Act.KEEP for it in sink.moves)
    told = f"{sink.sink}: {counted(len(sink.changes), 'secret')} {would} there, {current} current"
    later = sum(it.act is Act.LATER for it in sink.moves)
    return told + (f", {later} {Act.LATER.value}" if later else "")


def _place(leak: Leak) -> str:
    return f"{leak.file}:{leak.line}" if leak.line else leak.file
