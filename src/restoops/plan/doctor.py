"""What is missing for a deploy, from what was found here and on a host."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from restoops.model import HostState
from restoops.plan.status import status_of

OLDEST_PYTHON = (3, 11)
OLDEST_ENGINE = (20, 10)
LITTLE_DISK_MB, TOO_LITTLE_DISK_MB = 2048, 256


class Result(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"
    UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One prerequisite: where it was looked for, what was found, and what to do about it."""

    where: str
    what: str
    result: Result
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the settings need a host to have."""

    user: str
    directory: str
    network: str
    subnet: str
    port: int


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host says about itself."""

    values: Mapping[str, str]
    """What it has one of, such as `user` or `engine`; what it lacks is not in it."""
    networks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Docker's networks, each with its subnets."""
    routes: tuple[tuple[str, str], ...] = ()
    """Destinations of the kernel's routes, each with its device."""


def read_facts(lines: Iterable[str]) -> HostFacts:
    """Read what the survey of a host printed: a name and a value a line."""
    values: dict[str, str] = {}
    networks, routes = [], []
    for line in lines:
        name, _, value = line.partition(" ")
        words = value.split()
        if name == "network" and words:
            networks.append((words[0], tuple(words[1:])))
        elif name == "route" and words:
            device = words[words.index("dev") + 1] if "dev" in words[:-1] else "?"
            routes.append((words[0], device))
        else:
            values[name] = value.strip()
    return HostFacts(values, tuple(networks), tuple(routes))


def check_python(version: Sequence[int]) -> Check:
    """Check the Python that runs us."""
    found = ".".join(str(part) for part in version[:3])
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return Check("here", "Python", Result.OK, found)
    return Check("here", "Python", Result.MISSING, found, "Install Python 3.11 or newer.")


def check_keys(files: Sequence[str], absent: Sequence[str], *, agent: bool) -> Check:
    """Check that there is a key to log in with."""
    what = "SSH key or agent"
    found = ", ".join([*files, *(["an agent"] if agent else [])])
    if absent:
        fix = "`ssh.key` in restoops.yaml names it: correct the path, or take `ssh.key` out."
        return Check("here", what, Result.MISSING, f"{', '.join(absent)} is not there", fix)
    if found:
        return Check("here", what, Result.OK, found)
    fix = "`ssh-add` a key, or name one with `ssh.key` in restoops.yaml."
    return Check("here", what, Result.MISSING, "neither", fix)


@dataclass(frozen=True, slots=True)
class Judge:
    """Checks one host; each method is one prerequisite."""

    host: str
    facts: HostFacts
    needs: Needs

    def checks(self) -> tuple[Check, ...]:
        """Return all checks that need nothing but the survey."""
        return (
            self._program("bash", "apt-get install bash"),
            self._program("flock", "apt-get install util-linux"),
            self._directory(),
            self._program("docker-cli", "apt-get install docker.io", "docker command"),
            self._engine(),
            self._disk(),
            self._subnet(),
            self._port(),
        )

    def _ok(self, what: str, found: str) -> Check:
        return Check(self.host, what, Result.OK, found)

    def _missing(self, what: str, found: str, fix: str) -> Check:
        return Check(self.host, what, Result.MISSING, found, fix)

    def _program(self, name: str, install: str, what: str = "") -> Check:
        if found := self.facts.values.get(name):
            return self._ok(what or name, "installed" if found == "yes" else found)
        return self._missing(what or name, "not installed", f"On the host: `sudo {install}`.")

    def _directory(self) -> Check:
        what, directory = "state directory", self.needs.directory
        if "writable" in self.facts.values:
            return self._ok(what, f"{directory} can be written")
        if "sudo" in self.facts.values:
            return self._ok(what, f"{directory} can be made with sudo")
        user = self.facts.values.get("user", self.needs.user)
        fix = f"On the host, as root: `install -d -o {user} -m 0750 {directory}`."
        return self._missing(what, f"{directory} cannot be made, sudo wants a password", fix)

    def _engine(self) -> Check:
        what = "Docker engine"
        version = self.facts.values.get("engine", "")
        if not version:
            return self._missing(what, *self._no_engine())
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < OLDEST_ENGINE:
            return self._missing(what, version, "Upgrade Docker to 20.10 or newer.")
        return self._ok(what, version)

    def _no_engine(self) -> tuple[str, str]:
        """Return why the engine does not answer, and what to do."""
        reason = self.facts.values.get("engine-error", "")
        user = self.facts.values.get("user", self.needs.user)
        if "docker-cli" not in self.facts.values:
            return "Docker is not installed", "On the host: `sudo apt-get install docker.io`."
        if "permission denied" in reason.lower():
            fix = f"On the host: `sudo usermod -aG docker {user}`."
            return f"{user} may not use Docker", fix
        fix = "On the host: `sudo systemctl start docker`; `journalctl -u docker` says why."
        return "it does not answer", fix

    def _disk(self) -> Check:
        what = "disk"
        root, _, free = self.facts.values.get("disk", "").partition(" ")
        if not free.strip().isdigit():
            return Check(self.host, what, Result.UNCHECKED, "df does not say how much is free")
        free_mb = int(free)
        found = f"{free_mb} MiB free on {root}"
        if free_mb >= LITTLE_DISK_MB:
            return self._ok(what, found)
        result = Result.WARNING if free_mb >= TOO_LITTLE_DISK_MB else Result.MISSING
        fix = "`docker system df` there shows what takes the space; a smaller `image.keep` helps."
        return Check(self.host, what, result, found, fix)

    def _subnet(self) -> Check:
        what, wanted = "subnet", ipaddress.IPv4Network(self.needs.subnet)
        if "engine" not in self.facts.values:
            return Check(self.host, what, Result.UNCHECKED, "Docker does not answer")
        own = dict(self.facts.networks).get(self.needs.network)
        if own is not None and self.needs.subnet not in own:
            fix = (
                f"`network.subnet` was changed after the first deploy: set it back to {own[0]}, "
                f"or stop the application there and `docker network rm {self.needs.network}`."
                if own
                else f"`docker network rm {self.needs.network}`: restoops makes it anew."
            )
            found = f"network {self.needs.network} has {', '.join(own) or 'none'}, not {wanted}"
            return self._missing(what, found, fix)
        for name, subnet in self._other_subnets():
            if _overlap(wanted, subnet):
                fix = "Set `network.subnet` to a private network that is free there."
                return self._missing(what, f"{wanted} overlaps {subnet} of {name}", fix)
        return self._ok(what, f"{wanted} is free" if own is None else f"{wanted} is ours")

    def _other_subnets(self) -> Iterable[tuple[str, str]]:
        docker = [(name, subnet) for name, subnets in self.facts.networks for subnet in subnets]
        known = {subnet for _, subnet in docker}
        yield from ((f"network {n}", s) for n, s in docker if n != self.needs.network)
        yield from ((f"device {d}", to) for to, d in self.facts.routes if to not in known)

    def _port(self) -> Check:
        what, port = "port", self.needs.port
        if "port-taken" not in self.facts.values:
            return self._ok(what, f"{port} is free")
        if "proxy-runs" in self.facts.values:
            return self._ok(what, f"{port} is held by our proxy")
        if "engine" not in self.facts.values:
            found = f"{port} is held, and Docker cannot say whether by our proxy"
            return Check(self.host, what, Result.UNCHECKED, found)
        fix = f"`sudo ss -ltnp 'sport = :{port}'` there shows by which; or set `proxy.port`."
        return self._missing(what, f"{port} is taken by another program", fix)


def check_proxy(state: HostState) -> Check:
    """Check that what serves agrees with its configuration."""
    status, what = status_of(state), "proxy"
    if status.faults:
        fix = "The next deploy or rollback puts it right."
        return Check(state.host, what, Result.MISSING, "; ".join(status.faults), fix)
    if state.live is None:
        return Check(state.host, what, Result.OK, "nothing is deployed yet")
    if state.proxy and not state.proxy.current:
        fix = "The next deploy replaces it, without losing a request."
        return Check(state.host, what, Result.WARNING, status.proxy, fix)
    return Check(state.host, what, Result.OK, f"{status.proxy}, agrees with its configuration")


def unchecked(host: str, why: str, whats: Iterable[str]) -> tuple[Check, ...]:
    """Return the checks that could not be made."""
    return tuple(Check(host, what, Result.UNCHECKED, why) for what in whats)


HOST_CHECKS = (
    "bash", "flock", "state directory", "docker command", "Docker engine", "disk", "subnet",
    "port", "proxy",
)  # fmt: skip
"""What is looked at on a host once we are logged in."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All checks of an environment, and whether something could not be reached."""

    environment: str
    checks: tuple[Check, ...]
    faulty_settings: bool = False
    unreachable: bool = False

    @property
    def missing(self) -> tuple[Check, ...]:
        """The checks that stand in the way of a deploy."""
        return tuple(check for check in self.checks if check.result is Result.MISSING)


def _overlap(wanted: ipaddress.IPv4Network, text: str) -> bool:
    try:
        return wanted.overlaps(ipaddress.IPv4Network(text, strict=False))
    except ValueError:  # an IPv6 network, or the word `default`
        return False
