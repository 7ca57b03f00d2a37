"""Values that the API would choose: same calls in the same order, same values."""

import hashlib
import ipaddress
import itertools
import re
import uuid
from typing import Any

from tests.dostub.sizes import DROPLET_SIZES, OTHER

Attributes = dict[str, Any]
Objects = dict[str, dict[str, Attributes]]

PORTS = {"pg": 25060, "mysql": 25060, "redis": 25061, "valkey": 25061}
SCHEMES = {"pg": "postgresql", "redis": "rediss", "valkey": "rediss"}
POOL_PORT = 25061
DEFAULT_VPC = "10.108.0.0/20"
URN_KINDS = {"database_cluster": "dbaas", "reserved_ip": "reservedip", "monitor_alert": None}


def identity(kind: str, attrs: Attributes, seq: int, objects: Objects) -> Attributes:
    """Return what the account chooses for its `seq`th object."""
    name = kind.removeprefix("digitalocean_")
    uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{attrs.get('name')}/{seq}"))
    address = f"203.0.{113 + seq // 250}.{seq % 250 + 1}"
    base = {"id": uid, "uuid": uid, "created_at": "2026-01-01T00:00:00Z", "status": "active"}
    own = _own(name, attrs, seq, objects) | _addressed(name, address)
    chosen = base | _named(name, attrs, uid) | own
    urn = f"do:{URN_KINDS.get(name, name)}:{chosen['id']}"
    return chosen | {"urn": urn}


def _addressed(name: str, address: str) -> Attributes:
    """Return the public address of what has one."""
    match name:
        case "droplet":
            return {"ipv4_address": address}
        case "reserved_ip" | "floating_ip":
            return {"id": address, "ip_address": address}
        case "loadbalancer":
            return {"ip": address, "size_unit": 1}
    return {}


def _named(name: str, attrs: Attributes, uid: str) -> Attributes:
    """Return the identity of what is known by its name, or by its cluster's."""
    own, cluster = attrs.get("name"), attrs.get("cluster_id")
    match name:
        case "database_cluster" | "database_replica":
            return _database(attrs, uid)
        case "database_db" | "database_user":
            identifier = f"{cluster}/{name.removeprefix('database_')}/{own}"
            return {"id": identifier, "password": uid[:16], "role": "normal"}
        case "database_firewall":
            return {"id": f"{cluster}-{uid[:26]}"}
        case "certificate" | "tag" | "spaces_bucket" | "domain":
            return {"id": own, "state": "verified"}
    return {}


def _own(name: str, attrs: Attributes, seq: int, objects: Objects) -> Attributes:
    match name:
        case "droplet":
            return _droplet(attrs, seq, objects)
        case "vpc":
            return {"ip_range": f"10.{100 + seq % 100}.0.0/20", "default": False}
        case "database_connection_pool":
            return _pool(attrs, objects)
        case "ssh_key":
            digest = hashlib.md5(str(attrs.get("public_key")).encode()).hexdigest()
            return {"id": str(50000 + seq), "fingerprint": ":".join(re.findall("..", digest))}
    return {}


def _droplet(attrs: Attributes, seq: int, objects: Objects) -> Attributes:
    size = DROPLET_SIZES.get(attrs["size"], OTHER)
    vpc = objects.get("digitalocean_vpc", {}).get(str(attrs.get("vpc_uuid")))
    network = ipaddress.ip_network(vpc["ip_range"] if vpc else DEFAULT_VPC)
    private = next(itertools.islice(network.hosts(), seq + 1, None))
    return {
        "id": str(400000000 + seq),
        "vcpus": size.vcpus,
        "memory": size.memory_mb,
        "disk": size.disk_gb,
        "price_monthly": size.price,
        "price_hourly": round(size.price / 672, 5),
        "ipv4_address_private": str(private),
        "ipv6_address": "",
        "locked": False,
        "volume_ids": [],
        "private_networking": True,
    }


def _database(attrs: Attributes, uid: str) -> Attributes:
    engine, name = attrs.get("engine") or "pg", attrs.get("name")
    host = f"{name}-do-user-1-0.b.db.ondigitalocean.com"
    password = hashlib.sha256(uid.encode()).hexdigest()[:20]
    is_postgres = engine == "pg"
    user = "doadmin" if is_postgres else "default"
    start = f"{SCHEMES.get(engine, engine)}://{user}:{password}@"
    end = f":{PORTS.get(engine, 25060)}" + ("/defaultdb?sslmode=require" if is_postgres else "")
    chosen = {
        "host": host,
        "private_host": f"private-{host}",
        "port": PORTS.get(engine, 25060),
        "user": user,
        "password": password,
        "database": "defaultdb" if is_postgres else "",
        "uri": f"{start}{host}{end}",
        "private_uri": f"{start}private-{host}{end}",
        "status": "online",
    }
    if "cluster_id" in attrs:  # a replica
        chosen["id"] = f"{attrs['cluster_id']}/replicas/{name}"
    return chosen


def _pool(attrs: Attributes, objects: Objects) -> Attributes:
    cluster = objects["digitalocean_database_cluster"][attrs["cluster_id"]]
    start = f"postgresql://{attrs.get('user') or 'doadmin'}:pw@"
    end = f":{POOL_PORT}/{attrs['name']}?sslmode=require"
    return {
        "id": f"{attrs['cluster_id']}/{attrs['name']}",
        "host": cluster["host"],
        "private_host": cluster["private_host"],
        "port": POOL_PORT,
        "password": "pw",
        "uri": f"{start}{cluster['host']}{end}",
        "private_uri": f"{start}{cluster['private_host']}{end}",
    }
