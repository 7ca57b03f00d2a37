"""What resources cost a month, from a table of prices.

What the table does not know is said to be unknown and never counted as free. Traffic, snapshots,
storage that a database has beyond its plan and what Spaces holds depend on use: they are in no sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from restoops.plan.infra_resources import Resource

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Prices:
    """Monthly prices in one currency, as they were on one day."""

    as_of: str
    currency: str
    droplet: Mapping[str, Decimal]
    backup_share: Mapping[str, Decimal]
    """What backups add to a droplet's price, by their plan."""
    database_node: Mapping[str, Decimal]
    database_engines: tuple[str, ...]
    load_balancer_node: Decimal
    load_balancer_nodes: Mapping[str, int]
    volume_gib: Decimal
    reserved_ip_unassigned: Decimal
    free: frozenset[str]


@dataclass(frozen=True, slots=True)
class Line:
    """What one resource costs; `monthly` is None when nobody knows."""

    address: str
    what: str
    monthly: Decimal | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What resources cost a month: a line for each that costs, and the sum of what is known."""

    lines: tuple[Line, ...]
    monthly: Decimal
    currency: str
    as_of: str
    """The day that the prices are of."""

    @property
    def unknown(self) -> tuple[Line, ...]:
        """What is not in the sum, because its price is not known."""
        return tuple(line for line in self.lines if line.monthly is None)


def estimate(resources: Iterable[Resource], prices: Prices) -> Estimate:
    """Return what the resources cost a month."""
    found = tuple(resources)
    lines = [line for it in found if (line := _line(it, prices))]
    lines += _reserved_ips(found, prices)
    known = (line.monthly for line in lines if line.monthly is not None)
    return Estimate(tuple(lines), sum(known, Decimal(0)), prices.currency, prices.as_of)


def _line(resource: Resource, prices: Prices) -> Line | None:
    """Return the line of a resource; None when it costs nothing."""
    values, kind = resource.values, resource.type.removeprefix("digitalocean_")
    match kind:
        case "droplet":
            return _droplet(resource, prices)
        case "database_cluster" | "database_replica":
            return _database(resource, prices)
        case "loadbalancer":
            nodes = _nodes_of(values, prices)
            each = prices.load_balancer_node
            price = None if nodes is None else each * nodes
            return Line(resource.address, f"load balancer, nodes: {_or_unknown(nodes)}", price)
        case "volume":
            size = values.get("size")
            price = None if size is None else prices.volume_gib * Decimal(str(size))
            return Line(resource.address, f"volume, {_or_unknown(size)} GiB", _cents(price))
        case "reserved_ip" | "floating_ip":
            return None  # counted together: which one is assigned may stand elsewhere
    if resource.type in prices.free:
        return None
    return Line(resource.address, f"{resource.type}: not in the table of prices", None)


def _droplet(resource: Resource, prices: Prices) -> Line:
    values = resource.values
    size = str(values.get("size") or "size not known yet").lower()
    price = prices.droplet.get(size)
    if price is None and values.get("price_monthly"):
        price = Decimal(str(values["price_monthly"]))  # a droplet that exists knows its own
    what = f"droplet {size}"
    if values.get("backups"):
        plan = _backup_plan(values)
        share = prices.backup_share.get(plan)
        what += f", {plan} backups"
        price = None if price is None or share is None else price * (1 + share)
    return Line(resource.address, what, _cents(price))


def _backup_plan(values: Mapping[str, Any]) -> str:
    policies = values.get("backup_policy") or [{}]
    return str(policies[0].get("plan") or "weekly")


def _database(resource: Resource, prices: Prices) -> Line:
    values = resource.values
    size, engine = str(values.get("size") or "size not known yet"), values.get("engine")
    is_replica = resource.type.endswith("_replica")
    nodes = 1 if is_replica else values.get("node_count")
    each = prices.database_node.get(size)
    if not is_replica and engine not in prices.database_engines:
        each = None
    what = "read replica" if is_replica else f"database {engine or 'of unknown engine'}"
    price = None if each is None or nodes is None else each * int(nodes)
    return Line(resource.address, f"{what} {size}, nodes: {_or_unknown(nodes)}", _cents(price))


def _nodes_of(values: Mapping[str, Any], prices: Prices) -> int | None:
    if values.get("size_unit"):
        return int(values["size_unit"])
    size = values.get("size")
    return prices.load_balancer_nodes.get(size) if size else 1


def _reserved_ips(resources: tuple[Resource, ...], prices: Prices) -> Iterator[Line]:
    """Yield a line for each reserved IP that no droplet has; the others are free.

    A `droplet_id` that is not known before the apply is left out of planned values altogether.
    """
    assigned = sum(it.type.endswith("_ip_assignment") for it in resources)
    alone = [it for it in resources if it.type.endswith(("reserved_ip", "floating_ip"))
             and "droplet_id" in it.values and not it.values["droplet_id"]]  # fmt: skip
    for it in alone[assigned:]:
        yield Line(it.address, "reserved IP without a droplet", prices.reserved_ip_unassigned)


def _or_unknown(value: object) -> str:
    return "not known yet" if value is None else str(value)


def _cents(price: Decimal | None) -> Decimal | None:
    return None if price is None else price.quantize(_CENT, ROUND_HALF_UP)


def prices_of(table: Mapping[str, Any]) -> Prices:
    """Return the prices of a table as it is in the file."""
    return Prices(
        as_of=table["as_of"],
        currency=table["currency"],
        droplet=table["droplet"],
        backup_share=table["backup_share"],
        database_node=table["database_node"],
        database_engines=tuple(table["database_engines"]),
        load_balancer_node=table["load_balancer_node"],
        load_balancer_nodes={key: int(it) for key, it in table["load_balancer_nodes"].items()},
        volume_gib=table["volume_gib"],
        reserved_ip_unassigned=table["reserved_ip_unassigned"],
        free=frozenset(table["free"]),
    )
