"""How an environment does: a table, a line, or a view that is kept up to date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from restoops.plan.smoke import Result
from restoops.plan.verdict import Health, HostHealth, PublicHealth, Service, Verdict
from restoops.report.jsonl import plain, write
from restoops.report.lines import print_lines
from restoops.report.sparkline import STYLES, Sample, sparkline
from restoops.report.tables import show_table
from restoops.report.wording import printable

_KEPT = 500
"""Looks that are remembered; no terminal is wider."""
_AROUND = 4
"""Lines that a view has beside those of hosts and reasons."""
_REASONS = 5
_NAME_COLUMNS, _TRAIL_COLUMNS, _LEAST_COLUMNS = 12, 20, 2
"""What a host's name and its sparkline have at least; host and verdict are always shown."""


def show_health(environment: str, health: Health, *, as_json: bool) -> None:
    """Print one look."""
    if as_json:
        write({"environment": environment, **plain(health)})
        return
    heads = ("HOST", "IS", "ANSWER", "SERVES", "SERVICES", "CHECKS")
    rows = [_row(it) for it in _all(health)]
    show_table(heads, rows, title=f"{environment} is {health.verdict}")
    if health.public and health.public.status:
        print_lines([_outside(health.public)])
    print_lines(health.reasons)


def summary(environment: str, health: Health) -> str:
    """Return one look in one line."""
    every = _all(health)
    good = sum(it.verdict is Verdict.HEALTHY for it in every)
    counted = f"{good} of {len(every)} healthy"
    why = f"; {'; '.join(health.reasons)}" if health.reasons else ""
    return f"{health.at[11:19]} {environment} is {health.verdict}: {counted}{why}"


class PlainWatch:
    """A line for each look, for pipes and logs."""

    def __init__(self, environment: str, *, as_json: bool) -> None:
        self._environment = environment
        self._as_json = as_json

    def show(self, health: Health) -> None:
        """Print one look."""
        if self._as_json:
            show_health(self._environment, health, as_json=True)
            return
        print_lines([summary(self._environment, health)])

    def close(self) -> None:
        """Do nothing: every line is complete."""


class LiveWatch:
    """A table on a terminal that is drawn anew with each look, and fits its window."""

    def __init__(self, environment: str, console: Console | None = None) -> None:
        self._environment = environment
        self._health: Health | None = None
        # Replaced and never altered: the view draws itself from a thread of its own.
        self._samples: dict[str, tuple[Sample, ...]] = {}
        self._live = Live(
            self, console=console or Console(highlight=False), refresh_per_second=4, screen=False
        )

    def show(self, health: Health) -> None:
        """Take in one look and draw it."""
        self._health = health
        for it in _all(health):
            answered = it.seconds if it.status else None
            before = self._samples.get(_name(it), ())
            self._samples[_name(it)] = (*before, Sample(it.verdict, answered))[-_KEPT:]
        if not self._live.is_started:
            self._live.start()
        self._live.refresh()

    def close(self) -> None:
        """Leave the last look on the terminal and the cursor on a line of its own."""
        if self._live.is_started:
            self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        health = self._health
        if health is None:
            return
        yield self._head(health)
        told = health.reasons[:_REASONS]
        shown = _fitting(_all(health), console.height - _AROUND - len(told))
        yield self._table(shown, options.max_width, ascii_only=options.ascii_only)
        if left := len(_all(health)) - len(shown):
            yield Text(f"and {left} more, no worse than these", style="dim")
        for reason in told:
            yield Text(printable(reason), style="yellow", overflow="ellipsis", no_wrap=True)
        if more := len(health.reasons) - len(told):
            yield Text(f"and {more} more", style="dim")

    def _head(self, health: Health) -> Text:
        head = Text(f"{self._environment} is ")
        head.append(health.verdict, STYLES[health.verdict])
        return head.append(f"  {health.at[11:19]} UTC", "dim")

    def _table(
        self, shown: Sequence[HostHealth | PublicHealth], width: int, *, ascii_only: bool
    ) -> Table:
        columns = [
            [Text(printable(_name(it)).removeprefix("https://")) for it in shown],
            [Text(it.verdict, style=STYLES[it.verdict]) for it in shown],
            [Text(_answer(it)) for it in shown],
            [Text(printable(_serves(it))) for it in shown],
        ]
        for name in columns[0]:
            name.truncate(max(_NAME_COLUMNS, width // 3), overflow="ellipsis")
        while len(columns) > _LEAST_COLUMNS and width - _taken(columns) < _TRAIL_COLUMNS:
            columns.pop()
        left = width - _taken(columns)
        trails = (self._samples.get(_name(it), ()) for it in shown)
        columns.append([sparkline(it, left, ascii_only=ascii_only) for it in trails])
        table = Table.grid(padding=(0, 1))
        for _ in columns:
            table.add_column(no_wrap=True, overflow="ellipsis")
        for row in zip(*columns, strict=True):
            table.add_row(*row)
        return table


def _taken(columns: Sequence[Sequence[Text]]) -> int:
    """Return how wide columns are, with the space behind each."""
    return sum(max(map(len, column)) + 1 for column in columns)


def _all(health: Health) -> tuple[HostHealth | PublicHealth, ...]:
    return (*health.hosts, *([health.public] if health.public else []))


def _fitting(
    every: Sequence[HostHealth | PublicHealth], lines: int
) -> Sequence[HostHealth | PublicHealth]:
    """Return what fits; of more than that the worst."""
    if len(every) <= max(1, lines):
        return every
    order = list(Verdict)
    worst = sorted(every, key=lambda it: -order.index(it.verdict))[: max(1, lines)]
    return [it for it in every if it in worst]


def _name(it: HostHealth | PublicHealth) -> str:
    return it.host if isinstance(it, HostHealth) else it.url


def _row(it: HostHealth | PublicHealth) -> tuple[str, ...]:
    services = ", ".join(map(_service, it.services)) or "-"
    return (_name(it), it.verdict, _answer(it), _serves(it), services, _checks(it.smoke))


def _answer(it: HostHealth | PublicHealth) -> str:
    return f"{it.status} in {it.seconds * 1000:.0f} ms" if it.status else "none"


def _serves(it: HostHealth | PublicHealth) -> str:
    if isinstance(it, HostHealth):
        return it.release.tag if it.release else "-"
    return it.sha[:12] or "-"


def _service(service: Service) -> str:
    took = f" {service.response_time_ms:g} ms" if service.response_time_ms is not None else ""
    return f"{service.name} {service.status}{took}"


def _checks(results: Sequence[Result]) -> str:
    passed = sum(result.passed for result in results)
    return f"{passed} of {len(results)}" if results else "-"


def _outside(public: PublicHealth) -> str:
    return f"{public.url}: {', '.join(_outside_parts(public))}"


def _outside_parts(public: PublicHealth) -> Iterator[str]:
    if public.tls_days is not None:
        yield f"its certificate is good for {public.tls_days:g} days"
    elif public.url.startswith("http://"):
        yield "without TLS"
    else:
        yield "no certificate that is trusted"
    if public.redirects is not None:
        yield f"plain HTTP {'leads' if public.redirects else 'does not lead'} to HTTPS"
