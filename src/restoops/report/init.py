"""What `restoops init` did, or would do: a line for each part, and the lines that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from restoops.plan.placing import Part, Placing, Verdict, counts
from restoops.report.jsonl import plain, write
from restoops.report.lines import print_lines

_UNTOLD = {Verdict.WRITTEN, Verdict.SAME}
_WORDS = {
    Verdict.YOURS: "is there already and was left as it is",
    Verdict.KEPT: "differs from what comes with this version, and was left as it is",
    Verdict.OUTDATED: "is another one in this version: `restoops init --upgrade`",
    Verdict.REPLACED: "was not edited and is as in this version",
    Verdict.MERGED: "has your edits and what is new in this version",
    Verdict.CONFLICT: "was left as it is: it and this version change the same lines",
    Verdict.UNSETTLED: "was left as it is: settle what is in its .rej file, and delete that",
    Verdict.REMOVED: "was not edited and is not in this version any more: removed",
    Verdict.LEFT: "is not in this version any more, but was edited: it is yours now",
    Verdict.DELETED: "was deleted here and is not written again",
}


def show(placings: Mapping[str, Placing], *, as_json: bool, is_dry: bool) -> None:
    """Print what becomes of the files."""
    if as_json:
        for placing in placings.values():
            write({**plain(placing), "dry_run": is_dry})
        return
    print_lines(_lines(placings, is_dry=is_dry))


def _lines(placings: Mapping[str, Placing], *, is_dry: bool) -> Iterator[str]:
    for placing in placings.values():
        if placing.verdict not in _UNTOLD:
            yield f"{placing.path} {_WORDS[placing.verdict]}"
            yield from (f"  {line}" for line in placing.diff.splitlines())
    for part, verdicts in counts(placings).items():
        if part is not Part.CONFIG:
            told = ", ".join(f"{number} {it.value}" for it, number in verdicts.items())
            yield f"{part.value}: {told}"
    if is_dry:
        yield "nothing was changed"


def show_seeds(seeds: Mapping[str, str], *, is_dry: bool) -> None:
    """Print what to do with the files that are written once; in a dry run, their text."""
    for path, text in seeds.items():
        if is_dry:
            print_lines([f"{path} would be:", *text.splitlines()])
        else:
            print_lines(
                [f"wrote {path}: name your image and hosts there, then run `restoops doctor`"]
            )
