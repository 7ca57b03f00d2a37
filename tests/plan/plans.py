"""Plans and states as `terraform show -json` prints them, small."""

from typing import Any

Json = dict[str, Any]


def changing(
    address: str,
    actions: list[str],
    before: Json | None = None,
    after: Json | None = None,
    **more: Any,
) -> Json:
    """Return an entry of `resource_changes`; keys of the change itself stand in `change`."""
    kind = address.partition("[")[0].rpartition(".")[0].rpartition(".")[2]
    change = {"actions": actions, "before": before, "after": after, **more.pop("change", {})}
    return {"address": address, "mode": "managed", "type": kind, "change": change, **more}


def droplet(key: str, actions: list[str], **more: Any) -> Json:
    """Return what happens to a droplet."""
    values = {"id": f"id-{key}", "name": f"dev-{key}", "size": "s-1vcpu-1gb"}
    before = None if actions == ["create"] else values
    after = None if actions == ["delete"] else values
    return changing(f'digitalocean_droplet.web["{key}"]', actions, before, after, **more)


def plan_of(*changes: Json, **more: Any) -> Json:
    """Return a plan."""
    return {"resource_changes": list(changes), **more}


def resource(address: str, values: Json, **more: Any) -> Json:
    """Return an entry of `resources`."""
    kind = address.partition("[")[0].rpartition(".")[0].rpartition(".")[2]
    return {"address": address, "mode": "managed", "type": kind, "values": values, **more}


def state_of(*resources: Json, modules: tuple[Json, ...] = ()) -> Json:
    """Return the `values` of a state."""
    return {"root_module": {"resources": list(resources), "child_modules": list(modules)}}
