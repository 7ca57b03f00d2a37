"""What the API and the provider refuse beyond what a schema can say: rules that applies meet."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from tests.dostub.sizes import DROPLET_SIZES

Attributes = dict[str, Any]
Objects = dict[str, dict[str, Attributes]]
"""All objects of an account, by kind and id."""

SIZE = re.compile(r"(s|c|g|gd|m|so|c2)-.*\d+gb.*")
NETWORKS = ("vpc_uuid", "private_network_uuid")


class ApiError(Exception):
    """The API refused a call."""


def short(kind: str) -> str:
    """Return the name of a kind as the API uses it."""
    return kind.removeprefix("digitalocean_")


def check(kind: str, operation: str, attrs: Attributes, objects: Objects) -> None:
    """Refuse what the API would refuse.

    Raises:
        ApiError: with the status and message of the API.
    """
    if operation == "delete":
        _check_delete(short(kind), attrs["id"], objects)
        return
    _check_network(short(kind), attrs, objects)
    match short(kind):
        case "vpc" if attrs.get("ip_range"):
            _check_vpc(attrs, objects)
        case "droplet":
            _check_droplet(attrs)
        case "database_cluster" if attrs.get("engine") == "redis":
            raise ApiError("422 invalid engine: redis is discontinued, use valkey")
        case "database_connection_pool":
            _check_cluster(attrs, objects)
            _check_pool(attrs, objects)
        case name if name.startswith("database_"):
            _check_cluster(attrs, objects)


def _all(objects: Objects, name: str) -> dict[str, Attributes]:
    return objects.get(f"digitalocean_{name}", {})


def _check_delete(name: str, which: str, objects: Objects) -> None:
    if name != "vpc":
        return
    members = [
        kind
        for kind, found in objects.items()
        for it in found.values()
        if which in [it.get(network) for network in NETWORKS]
    ]
    if members:
        raise ApiError(f"409 Can not delete VPC with members ({', '.join(members)})")


def _check_vpc(attrs: Attributes, objects: Objects) -> None:
    network = ipaddress.ip_network(attrs["ip_range"], strict=False)
    if not network.is_private or not 16 <= network.prefixlen <= 28:
        raise ApiError(f"422 This range/size is not valid: {network} (private, /16 to /28)")
    for other in _all(objects, "vpc").values():
        taken = ipaddress.ip_network(other["ip_range"])
        if other["id"] != attrs.get("id") and network.overlaps(taken):
            raise ApiError(
                "422 This range/size overlaps with another VPC network in your account: "
                f"{other['name']}"
            )


def _check_network(name: str, attrs: Attributes, objects: Objects) -> None:
    for key in NETWORKS:
        if name == "vpc" or not isinstance(attrs.get(key), str):
            continue
        vpc = _all(objects, "vpc").get(attrs[key])
        if vpc is None:
            raise ApiError(f"422 VPC {attrs[key]} does not exist")
        region = attrs.get("region")
        if region and vpc["region"] != region:
            raise ApiError(f"422 {name} in {region} cannot join a VPC in {vpc['region']}")


def _check_droplet(attrs: Attributes) -> None:
    if attrs["size"] not in DROPLET_SIZES and not SIZE.fullmatch(attrs["size"]):
        raise ApiError("422 You specified an invalid size for Droplet creation.")


def _check_cluster(attrs: Attributes, objects: Objects) -> None:
    cluster = attrs.get("cluster_id")
    replicas = {it["uuid"] for it in _all(objects, "database_replica").values()}
    known = replicas | _all(objects, "database_cluster").keys()
    if isinstance(cluster, str) and cluster not in known:
        raise ApiError("404 cluster not found")


def _check_pool(attrs: Attributes, objects: Objects) -> None:
    pools = _all(objects, "database_connection_pool").values()
    used = sum(pool["size"] for pool in pools if pool["cluster_id"] == attrs["cluster_id"])
    size = _all(objects, "database_cluster")[attrs["cluster_id"]]["size"]
    memory = re.search(r"(\d+)gb", size)
    left = 25 * int(memory[1]) - 3 - used if memory else 0
    if attrs["size"] > left:
        raise ApiError(
            f"422 pool size {attrs['size']} exceeds the {left} connections left on the cluster"
        )


def plan_check(kind: str, attrs: Attributes, prior: Attributes | None) -> Iterator[str]:
    """Yield what the provider's own checks find at plan time, which no schema carries.

    What is not known yet is None in `attrs`.
    """
    match short(kind):
        case "firewall":
            yield from _plan_firewall(attrs)
        case "database_cluster":
            yield from _plan_cluster(attrs)
        case "volume" if prior and _known(attrs.get("size")) and attrs["size"] < prior["size"]:
            yield "volumes `size` can only be expanded and not shrunk"


def _known(value: object) -> bool:
    return isinstance(value, str | int | float | list)


def _plan_firewall(attrs: Attributes) -> Iterator[str]:
    sides = {"inbound": attrs.get("inbound_rule"), "outbound": attrs.get("outbound_rule")}
    if not any(sides.values()):
        yield "At least one rule must be specified"
    for side, rules in sides.items():
        known = [rule for rule in rules or [] if isinstance(rule, dict)]
        if any(it.get("protocol") in ("tcp", "udp") and not it.get("port_range") for it in known):
            yield f"`port_range` of {side} rules is required if protocol is `tcp` or `udp`"


def _plan_cluster(attrs: Attributes) -> Iterator[str]:
    engine = attrs.get("engine")
    if not attrs.get("version"):
        yield 'The argument "version" is required, but no definition was found.'
    if _known(attrs.get("eviction_policy")) and engine not in ("redis", "valkey"):
        yield "eviction_policy is only supported for Redis or Valkey Database Clusters"
    if _known(attrs.get("sql_mode")) and engine != "mysql":
        yield "sql_mode is only supported for MySQL Database Clusters"
