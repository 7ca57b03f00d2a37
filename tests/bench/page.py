"""The page of all benchmarks, and the parts of other pages that show figures."""

from collections.abc import Iterator, Sequence
from html import escape

from tests.bench import plot
from tests.bench.figures import figure, spread, told, verdicts
from tests.bench.samples import Measured, Place, Report, Samples

_OVERVIEW = ("benchmark", "measured (UTC)", "restoops", "took", "others", "asked for")
_QUIET = 0.1
"""Share of the processors that may be in use before figures are in doubt."""
_HEADS = ("what", "measured", "range", "samples", "asked for")


class UnknownFigure(Exception):
    """A page asks for samples that no benchmark has."""


def body(reports: Sequence[Report]) -> str:
    """Return the generated part of the page: an overview, then each benchmark."""
    places = _places(reports)
    parts = [_overview(reports, places), *(_section(report) for report in reports)]
    return "\n".join(parts)


def figures(reports: Sequence[Report], names: Sequence[str]) -> str:
    """Return a table of the samples that `names` tell, such as `deploy.rollback`.

    Raises:
        UnknownFigure: a benchmark that was measured has no such samples.
    """
    return _grid(_HEADS, [_row(*_found(reports, name)) for name in names])


def measured_where(reports: Sequence[Report], names: Sequence[str]) -> str:
    """Return when and where these benchmarks were measured, in a sentence or several."""
    chosen = [it for it in reports if it.measured and (not names or it.benchmark in names)]
    lines = []
    for place in _places(chosen):
        found = [(it.title, it.measured) for it in chosen if it.measured]
        here = {title: it for title, it in found if it.place == place}
        commits = ", ".join(dict.fromkeys(it.commit for it in here.values()))
        lines.append(
            f"Measured {_days(list(here.values()))} with restoops at {commits}, on {_words(place)}."
        )
        if doubtful := [title for title, it in here.items() if _is_doubtful(it)]:
            lines[-1] += f" The machine had more to do at the time of: {', '.join(doubtful)}."
    return "\n\n".join(lines or ["Not measured yet."]) + "\n"


def _found(reports: Sequence[Report], name: str) -> tuple[Report, Samples | None, str]:
    benchmark, _, inner = name.partition(".")
    for report in reports:
        if report.benchmark == benchmark:
            samples = report.find(inner)
            if report.measured and not samples:
                break
            return report, samples, name
    raise UnknownFigure(f"no benchmark measures `{name}`; docs/benchmarks.md lists what there is")


def _row(report: Report, samples: Samples | None, name: str) -> tuple[str, ...]:
    if not samples:
        reason = f": {report.not_run.reason}" if report.not_run else ""
        return (f"`{name}`", f"not measured{reason}", "", "", "")
    asked = "; ".join(told(it, samples.unit) for it in verdicts(report, samples))
    when = f" (of {_day(report.measured)})" if report.not_run and report.measured else ""
    number = str(len(samples.values))
    return (samples.title, figure(samples) + when, spread(samples), number, asked)


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(_cell(it) for it in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _overview(reports: Sequence[Report], places: Sequence[Place]) -> str:
    rows = [_overview_row(report, places) for report in reports]
    took = sum(it.measured.took_s for it in reports if it.measured)
    lines = [_grid(_OVERVIEW, rows), f"These measurements took {_duration(took)} in all.", ""]
    if len(places) == 1:
        lines.append(f"All on one machine: {_words(places[0])}.\n")
    else:
        lines += [f"Machine {number}: {_words(it)}.\n" for number, it in enumerate(places, 1)]
    return "\n".join(lines)


def _overview_row(report: Report, places: Sequence[Place]) -> tuple[str, ...]:
    name = f"[{report.title}](#{report.title.lower().replace(' ', '-')})"
    it = report.measured
    failed = f"**not run** {report.not_run.at}" if report.not_run else ""
    if not it:
        return (name, failed or "not yet", "", "", "", "")
    where = f", machine {places.index(it.place) + 1}" if len(places) > 1 else ""
    took = _duration(it.took_s)
    when = f"{it.at}, {failed}" if failed else it.at
    return (name, when, f"`{it.commit}`{where}", took, _others(it), _met(report))


def _others(measured: Measured) -> str:
    shares = (f"{share:.0%}" for share in measured.others)
    told = ", ".join(shares)
    return f"**{told}**" if _is_doubtful(measured) else told


def _is_doubtful(measured: Measured) -> bool:
    return max(measured.others, default=0) > _QUIET


def _met(report: Report) -> str:
    all_of = report.measured.samples if report.measured else ()
    results = [verdict.is_met for samples in all_of for verdict in verdicts(report, samples)]
    if not results:
        return ""
    missed = results.count(False)
    return f"{results.count(True)} met{f', **{missed} missed**' if missed else ''}"


def _section(report: Report) -> str:
    name = report.benchmark
    lines = [f"## {report.title}", "", report.about, ""]
    if report.not_run or not report.measured:
        lines += [_not_run(report), ""]
    if report.measured:
        rows = [_row(report, samples, "") for samples in report.measured.samples]
        lines.append(_grid(_HEADS, rows))
        if plot.render(report):
            lines += [f"![{_alt(report)}](benchmarks/{name}.svg)", ""]
        lines += [f"Raw data: [{name}.json](benchmarks/{name}.json)", ""]
    return "\n".join(lines)


def _not_run(report: Report) -> str:
    failed = report.not_run
    if not failed:
        return "Not measured yet."
    rest = "There are no older figures."
    if report.measured:
        rest = f"The figures are those of {report.measured.at} UTC, `{report.measured.commit}`."
    reason = escape(failed.reason, quote=False)
    return f"**Not run** at {failed.at} UTC, `{failed.commit}`: {reason}. {rest}"


def _alt(report: Report) -> str:
    return f"{report.title}: every measurement as a dot, the median as a line"


def _places(reports: Sequence[Report]) -> list[Place]:
    """Return each machine once; a page has no other way to tell two of them apart."""
    found: list[Place] = []
    for report in reports:
        if report.measured and report.measured.place not in found:
            found.append(report.measured.place)
    return found


def _words(place: Place) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in place.versions.items())
    machine = f"{place.cores} cores ({place.processor}), {place.memory_gib:g} GiB of memory"
    return f"{machine}, {place.system}, Linux {place.kernel}; {versions}"


def _days(measured: Sequence[Measured]) -> str:
    days = sorted({_day(it) for it in measured})
    return f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"


def _day(measured: Measured) -> str:
    return measured.at.partition(" ")[0]


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def files(reports: Sequence[Report]) -> Iterator[tuple[str, str]]:
    """Yield name and text of every file that lies beside the page."""
    for report in reports:
        yield f"{report.benchmark}.json", report.to_json()
        if picture := plot.render(report):
            yield f"{report.benchmark}.svg", picture
