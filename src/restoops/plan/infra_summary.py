"""What a person has to see of a plan before it is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from restoops.plan.cost import Estimate, Prices, estimate
from restoops.plan.infra_changes import (
    Change,
    count,
    output_changes,
    read_changes,
    read_drift,
)
from restoops.plan.infra_resources import resources_of

Mode = Literal["normal", "destroy", "refresh"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A plan: what it changes, what was changed behind Terraform's back, what it costs a month."""

    environment: str
    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    outputs: tuple[str, ...]
    before: Estimate
    after: Estimate

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes and not self.outputs

    @property
    def counted(self) -> str:
        """How many changes there are of each kind, `2 create, 1 replace`; `no changes`."""
        counts = ", ".join(f"{number} {kind}" for kind, number in count(self.changes).items())
        outputs = f"{len(self.outputs)} outputs" if self.outputs and not self.changes else ""
        return counts or outputs or "no changes"


def without_secrets(summary: Summary, mask: Callable[[str], str]) -> Summary:
    """Return a summary without texts that are known to be secret, such as by `nonsensitive`."""

    def clean(change: Change) -> Change:
        differences = tuple(
            replace(it, before=mask(it.before), after=mask(it.after)) for it in change.differences
        )
        # A name that cannot be shown cannot be typed either.
        name = change.name if mask(change.name) == change.name else change.address
        return replace(change, name=name, differences=differences)

    return replace(
        summary,
        changes=tuple(map(clean, summary.changes)),
        drift=tuple(map(clean, summary.drift)),
    )


def summarise(environment: str, plan: Mapping[str, Any], prices: Prices) -> Summary:
    """Return what a plan does, as `terraform show -json` prints it."""
    prior = (plan.get("prior_state") or {}).get("values")
    return Summary(
        environment=environment,
        changes=read_changes(plan),
        drift=read_drift(plan),
        outputs=output_changes(plan),
        before=estimate(resources_of(prior), prices),
        after=estimate(resources_of(plan.get("planned_values")), prices),
    )
