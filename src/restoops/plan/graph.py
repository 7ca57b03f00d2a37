"""From resources to a picture of who may connect to what: boxes in columns, groups, links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from restoops.plan.infra_resources import Resource

_ANYWHERE = {"0.0.0.0/0", "::/0"}
_MOST_BOXES = 12
"""Boxes of a group that are drawn; more are counted."""
_MOST_RULES = 8
_UNKNOWN = "known after apply"


@dataclass(frozen=True, slots=True)
class Box:
    """One thing; `kind` says how it is drawn."""

    kind: str
    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Boxes behind the same firewalls; `rules` say who may connect."""

    id: str
    boxes: tuple[Box, ...]
    title: str = ""
    rules: tuple[str, ...] = ()
    is_open: bool = False
    """Whether no firewall protects it."""


@dataclass(frozen=True, slots=True)
class Link:
    """Who connects to whom, by the ids of groups."""

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """Columns from the clients on the left to the data on the right.

    Attributes:
        outside: how many columns, from the left, are outside of the VPC.
    """

    title: str
    network: str
    columns: tuple[tuple[Group, ...], ...]
    links: tuple[Link, ...]
    outside: int = 1


@dataclass(frozen=True, slots=True)
class _Found:
    """The resources, by what they are."""

    all: tuple[Resource, ...]
    by_type: Mapping[str, list[Resource]] = field(default_factory=dict)

    def of(self, kind: str) -> list[Resource]:
        return self.by_type.get(f"digitalocean_{kind}", [])


def diagram_of(environment: str, resources: Iterable[Resource]) -> Diagram:
    """Return the picture of an environment's resources."""
    found = _found(tuple(resources))
    balancers = tuple(map(_balancer, found.of("loadbalancer")))
    droplets = tuple(_droplet_groups(found))
    stores = tuple(_store(it, found) for it in found.of("database_cluster"))
    clients = tuple(_clients(found, has_balancer=bool(balancers)))
    links = (*_client_links(found, balancers, droplets), *_inner_links(balancers, droplets, stores))
    columns = tuple(column for column in (clients, balancers, droplets, stores) if column)
    return Diagram(
        title=environment,
        network=_network(found),
        columns=columns,
        links=links,
        outside=1 if clients else 0,
    )


def _found(resources: tuple[Resource, ...]) -> _Found:
    by_type: dict[str, list[Resource]] = {}
    for it in resources:
        by_type.setdefault(it.type, []).append(it)
    return _Found(resources, by_type)


def _network(found: _Found) -> str:
    vpcs = (it.values for it in found.of("vpc"))
    return "; ".join(
        f"VPC {it.get('name')} {it.get('ip_range') or ''} {it.get('region') or ''}".strip()
        for it in vpcs
    )


def _balancer(resource: Resource) -> Group:
    values = resource.values
    rules = tuple(
        f"{rule['entry_protocol']} {rule['entry_port']} -> {rule['target_protocol']} "
        f"{rule['target_port']}"
        for rule in values.get("forwarding_rule") or ()
    )
    lines = (str(values.get("ip") or _UNKNOWN), *rules, *_redirect(values))
    return Group(resource.address, (Box("balancer", _name(resource), lines),), "load balancer")


def _redirect(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("redirect_http_to_https"):
        yield "http is sent to https"
    if health := values.get("healthcheck"):
        yield f"asks {health[0].get('path') or health[0].get('protocol')}"


def _droplet_groups(found: _Found) -> Iterator[Group]:
    """Yield the droplets in groups of those behind the same firewalls."""
    groups: dict[tuple[str, ...], list[Resource]] = {}
    walls = {it.address: it for it in found.of("firewall")}
    for droplet in found.of("droplet"):
        around = tuple(key for key, wall in walls.items() if _covers(wall.values, droplet.values))
        groups.setdefault(around, []).append(droplet)
    for number, (around, droplets) in enumerate(groups.items()):
        rules = [rule for key in around for rule in _rules(walls[key].values, found)]
        names = ", ".join(_name(walls[key]) for key in around)
        yield Group(
            id=f"droplets-{number}",
            boxes=_few([_droplet(it, found) for it in droplets]),
            title=f"firewall {names}" if around else "no firewall: open to everybody",
            rules=tuple(rules[:_MOST_RULES])
            + ((f"and {len(rules) - _MOST_RULES} more",) if len(rules) > _MOST_RULES else ()),
            is_open=not around,
        )


def _covers(wall: Mapping[str, Any], droplet: Mapping[str, Any]) -> bool:
    ids = {str(it) for it in wall.get("droplet_ids") or ()}
    tags = set(wall.get("tags") or ()) & set(droplet.get("tags") or ())
    return bool(tags) or str(droplet.get("id")) in ids


def _rules(wall: Mapping[str, Any], found: _Found) -> Iterator[str]:
    for rule in wall.get("inbound_rule") or ():
        port = rule.get("port_range") or ""
        ports = "all ports" if port in ("", "0", "all", "1-65535") else port
        what = rule["protocol"] if rule["protocol"] == "icmp" else f"{rule['protocol']} {ports}"
        yield f"{what} from {', '.join(_sources(rule, found)) or 'nobody'}"


def _sources(rule: Mapping[str, Any], found: _Found) -> Iterator[str]:
    addresses = rule.get("source_addresses") or []
    if _ANYWHERE & set(addresses):
        yield "everybody"
    yield from [it for it in addresses if it not in _ANYWHERE][:3]
    for tag in rule.get("source_tags") or ():
        yield f"tag {tag}"
    if rule.get("source_load_balancer_uids") or (
        "source_load_balancer_uids" not in rule and found.of("loadbalancer") and not addresses
    ):
        yield "the load balancer"


def _droplet(resource: Resource, found: _Found) -> Box:
    values = resource.values
    public = values.get("ipv4_address") or _UNKNOWN
    private = values.get("ipv4_address_private")
    lines = [str(values.get("size")), f"{public}{f', {private}' if private else ''}"]
    lines += [f"reserved {it}" for it in _addresses(values, found)]
    lines += [f"volume {it}" for it in _volumes(values, found)]
    return Box("droplet", _name(resource), tuple(lines))


def _addresses(droplet: Mapping[str, Any], found: _Found) -> Iterator[str]:
    which = str(droplet.get("id"))
    both = (*found.of("reserved_ip"), *found.of("reserved_ip_assignment"))
    for it in both:
        if str(it.values.get("droplet_id")) == which and it.values.get("ip_address"):
            yield str(it.values["ip_address"])


def _volumes(droplet: Mapping[str, Any], found: _Found) -> Iterator[str]:
    which = str(droplet.get("id"))
    # Before an apply, it is not known which volume goes to which droplet: then none is drawn.
    names = {it.values["id"]: it.values for it in found.of("volume") if it.values.get("id")}
    for it in found.of("volume_attachment"):
        volume = names.get(it.values.get("volume_id"))
        if volume and str(it.values.get("droplet_id")) == which:
            yield f"{volume.get('name')}, {volume.get('size')} GiB"


def _store(resource: Resource, found: _Found) -> Group:
    values = resource.values
    engine = str(values.get("engine"))
    is_cache = engine in ("redis", "valkey")
    name = {"pg": "PostgreSQL", "mysql": "MySQL", "valkey": "Valkey", "redis": "Redis"}
    lines = [f"{name.get(engine, engine)} {values.get('version') or ''}".strip()]
    lines += [f"{values.get('size')}, nodes: {values.get('node_count')}"]
    lines += [*_pools(resource, found), *_replicas(resource, found)]
    walls = [it for it in found.of("database_firewall") if _is_of(it, resource, found)]
    # That of a replica counts as the cluster's own until its id is known.
    trusted = tuple(dict.fromkeys(it for wall in walls for it in _trusted(wall.values, found)))
    return Group(
        id=resource.address,
        boxes=(Box("cache" if is_cache else "database", _name(resource), tuple(lines)),),
        title="trusted sources" if walls else "no trusted sources: open to everybody",
        rules=trusted[:_MOST_RULES],
        is_open=not walls,
    )


def _pools(cluster: Resource, found: _Found) -> Iterator[str]:
    for it in found.of("database_connection_pool"):
        if _is_of(it, cluster, found):
            yield f"pool {it.values.get('name')}, {it.values.get('size')} connections"


def _replicas(cluster: Resource, found: _Found) -> Iterator[str]:
    for it in found.of("database_replica"):
        if _is_of(it, cluster, found):
            yield f"replica in {it.values.get('region')}"


def _is_of(resource: Resource, cluster: Resource, found: _Found) -> bool:
    """Return whether a resource belongs to a cluster; by its module while no id is known."""
    which = resource.values.get("cluster_id")
    if which is not None:
        return bool(which == cluster.values.get("id"))
    same = [it for it in found.of("database_cluster") if _module(it) == _module(resource)]
    return cluster in same


def _module(resource: Resource) -> str:
    return resource.address.partition("digitalocean_")[0]


def _trusted(wall: Mapping[str, Any], found: _Found) -> Iterator[str]:
    names = {str(it.values.get("id")): _name(it) for it in found.of("droplet")}
    for rule in wall.get("rule") or ():
        value = rule.get("value") or _UNKNOWN
        kind = str(rule.get("type", "")).replace("ip_addr", "address")
        yield f"{kind} {names.get(str(value), value)}"


def _clients(found: _Found, *, has_balancer: bool) -> Iterator[Group]:
    if has_balancer or _public_ports(found):
        yield Group("clients", (Box("clients", "clients", ("anywhere",)),))
    if sources := _admin_addresses(found):
        yield Group("admins", (Box("clients", "administrators", tuple(sources[:4])),))


def _public_ports(found: _Found) -> list[str]:
    """Return the ports of droplets that everybody may connect to."""
    rules = [
        rule for wall in found.of("firewall") for rule in wall.values.get("inbound_rule") or ()
    ]
    open_to_all = (it for it in rules if _ANYWHERE & set(it.get("source_addresses") or ()))
    return sorted({str(it.get("port_range") or it["protocol"]) for it in open_to_all})


def _admin_addresses(found: _Found) -> list[str]:
    rules = [
        rule for wall in found.of("firewall") for rule in wall.values.get("inbound_rule") or ()
    ]
    ssh = (it for it in rules if it.get("port_range") == "22")
    return sorted({it for rule in ssh for it in rule.get("source_addresses") or ()} - _ANYWHERE)


def _client_links(
    found: _Found, balancers: tuple[Group, ...], droplets: tuple[Group, ...]
) -> Iterator[Link]:
    for balancer, resource in zip(balancers, found.of("loadbalancer"), strict=True):
        rules = resource.values.get("forwarding_rule") or ()
        ports = ", ".join(str(rule["entry_port"]) for rule in rules)
        yield Link("clients", balancer.id, ports)
    ports = ", ".join(_public_ports(found))
    for group in droplets:
        if ports and not balancers:
            yield Link("clients", group.id, ports)
        if _admin_addresses(found) and any(it.startswith("tcp 22 ") for it in group.rules):
            yield Link("admins", group.id, "22")


def _inner_links(
    balancers: tuple[Group, ...], droplets: tuple[Group, ...], stores: tuple[Group, ...]
) -> Iterator[Link]:
    for balancer in balancers:
        yield from (Link(balancer.id, group.id, "") for group in droplets)
    for group in droplets:
        yield from (Link(group.id, store.id, "") for store in stores)


def _few(boxes: list[Box]) -> tuple[Box, ...]:
    more = len(boxes) - _MOST_BOXES
    rest = [Box("more", f"and {more} more")] if more > 0 else []
    return (*boxes[:_MOST_BOXES], *rest)


def _name(resource: Resource) -> str:
    return str(resource.values.get("name") or resource.address)
