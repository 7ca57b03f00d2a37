"""From a static list or Terraform outputs to the hosts to connect to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from restoops.config.faults import Fault, dotted, escaped, tell
from restoops.config.forms import HOST, KEY
from restoops.config.schema import TerraformOutputs
from restoops.errors import UsageError


@dataclass(frozen=True, slots=True)
class Target:
    """A host: the name that reports use, and the address (or SSH alias) to connect to.

    Attributes:
        user, port, key: how to log in to this one; else what section `ssh` says.
    """

    name: str
    address: str
    user: str | None = None
    port: int | None = None
    key: str | None = None


THIS_MACHINE = Target("local", "localhost")
"""The only target of an environment with `connection: local`."""


def static_targets(hosts: Iterable[str]) -> tuple[Target, ...]:
    """Return the hosts of a list that was checked already; each is named by its address."""
    return tuple(Target(host, host) for host in hosts)


def terraform_targets(outputs: object, terraform: TerraformOutputs) -> tuple[Target, ...]:
    """Return the hosts of a parsed `terraform output -json <output>`, ordered by droplet key.

    Raises:
        UsageError: no map of droplet key to `{public, private}`, or an address is missing,
            unusable, or there twice.
    """
    droplets = outputs if isinstance(outputs, dict) else {}
    found = [
        _droplet(str(key), value, terraform) for key, value in sorted(droplets.items(), key=str)
    ]
    targets = tuple(item for item in found if isinstance(item, Target))
    faults = [item for item in found if isinstance(item, Fault)] + _twice(targets, terraform)
    if not isinstance(outputs, dict) or not outputs:
        what = "should map each droplet's key to its `public` and `private` address; it has none"
        faults.append(Fault(terraform.output, what))
    if faults:
        subject = f"Terraform output `{terraform.output}` of {terraform.directory} is"
        command = f"terraform -chdir={terraform.directory} output {terraform.output}"
        raise UsageError(tell(subject, faults), hint=f"`{command}` shows it; was it applied?")
    return targets


def select(targets: tuple[Target, ...], names: Iterable[str]) -> tuple[Target, ...]:
    """Return the hosts of these names or addresses, in the order of the environment; all for none.

    Raises:
        UsageError: there is no such host.
    """
    wanted = set(names)
    unknown = sorted(wanted - {text for it in targets for text in (it.name, it.address)})
    if unknown:
        known = ", ".join(target.name for target in targets)
        raise UsageError(
            f"no such host: {', '.join(map(escaped, unknown))}", hint=f"There are: {known}."
        )
    return tuple(it for it in targets if not wanted or wanted & {it.name, it.address})


def _droplet(key: str, value: object, terraform: TerraformOutputs) -> Target | Fault:
    where = dotted(terraform.output, (key,))
    if not KEY.is_met_by(key):
        return Fault(where, f"The key should be {KEY.meaning}")
    address = value.get(terraform.address) if isinstance(value, dict) else None
    if not isinstance(address, str):
        return Fault(f"{where}.{terraform.address}", "no address")
    if not HOST.is_met_by(address):
        return Fault(f"{where}.{terraform.address}", f"should be {HOST.meaning}")
    return Target(key, address)


def _twice(targets: tuple[Target, ...], terraform: TerraformOutputs) -> list[Fault]:
    first: dict[str, str] = {}
    for target in targets:
        first.setdefault(target.address, target.name)
    return [
        Fault(dotted(terraform.output, (t.name,)), f"the address of `{first[t.address]}` again")
        for t in targets
        if first[t.address] != t.name
    ]
