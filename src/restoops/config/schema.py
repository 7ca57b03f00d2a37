"""Shape of `restoops.yaml`. The string under a field is its reference documentation.

Every default is here and nowhere else. Units are part of a field's name: `_s` seconds.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
# A label of DNS-safe parts; also what Docker accepts as a repository path.
# https://github.com/distribution/reference (v0.6.0, regexp.go)
Repository = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$",
        max_length=200,
    ),
]
RegistryHost = Annotated[
    str, Field(pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?$")
]
# An image reference with a registry or without, and with a tag or a digest.
ImageName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-zA-Z0-9._:/-]*(@sha256:[0-9a-f]{64})?$", max_length=300)
]
HostAddress = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:-]{0,252}[A-Za-z0-9])?$")]
UserName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
NoControl = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]


class Section(BaseModel):
    """A part of the file: read-only, and no unknown key passes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class App(Section):
    """The application that is deployed."""

    name: Name = "restomarket-api"
    """Names everything on a host: containers, network and directory. Lower case, digits, `-`."""


class Registry(Section):
    """Where images come from."""

    host: RegistryHost = "ghcr.io"
    """Registry, with its port if that is not 443. Credentials: `REGISTRY_USERNAME` and
    `GITHUB_TOKEN`, or Docker's own configuration with its credential helpers."""
    plain_http: bool = False
    """Speak HTTP instead of HTTPS. Loopback addresses always do."""


class Image(Section):
    """The application's image."""

    repository: Repository = "restomarket/restomarket-api"
    """Path inside the registry: `<owner>/<name>`."""
    keep: Annotated[int, Field(ge=2, le=100)] = 5
    """Releases kept on each host to go back to; older images are removed after a deploy."""


class Container(Section):
    """How a release runs."""

    port: Annotated[int, Field(ge=1, le=65535)] = 3001
    """Port the application listens on inside its container. It is never published."""
    environment: dict[VariableName, NoControl] = Field(default_factory=dict)
    """Environment variables. Not for secrets: `docker inspect` shows them."""
    volumes: tuple[Annotated[str, Field(pattern=r"^[^:\x00-\x1f]+:/[^:\x00-\x1f]*(:(ro|rw))?$")], ...] = ()
    """Volumes or host directories, `source:/path` or `source:/path:ro`."""
    memory_mb: Annotated[int, Field(ge=6)] | None = None
    """Limit of memory in MiB; none when left out."""
    cpus: Annotated[float, Field(gt=0, le=1024)] | None = None
    """Limit of processor time, in cores; none when left out."""
    init: bool = False
    """Run Docker's own init as process 1, for images without one."""


class Proxy(Section):
    """HAProxy, the only thing on a host that listens."""

    image: ImageName = "docker.io/library/haproxy:3.2.4-alpine"
    """HAProxy's image, 2.6 or newer; pinned, because changing it replaces the running proxy."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 3001
    """Port on the host that clients and load balancers connect to."""


class Health(Section):
    """When a new release counts as healthy."""

    path: Annotated[str, Field(pattern=r"^/[!-~]*$", max_length=1000)] = "/health"
    """Path that answers 2xx when the release is ready."""
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60
    """Seconds a new container has to become healthy before the deploy is given up."""
    interval_s: Annotated[float, Field(ge=0.02, le=5)] = 0.1
    """Seconds from one answer to the next question."""
    successes: Annotated[int, Field(ge=1, le=20)] = 3
    """Good answers in a row that are needed: a release that flaps must not pass."""
    answer_timeout_s: Annotated[float, Field(gt=0, le=60)] = 5
    """Seconds after which a question without an answer counts as failed."""
    start_wait_s: Annotated[float, Field(ge=0, le=600)] = 0
    """Seconds to wait after the start of the container before the first question."""


class Swap(Section):
    """How traffic moves from one release to the next."""

    drain_s: Annotated[float, Field(ge=0, le=3600)] = 30
    """Seconds that requests already running may take to end on the old release."""
    stop_grace_s: Annotated[int, Field(ge=0, le=600)] = 10
    """Seconds from SIGTERM to SIGKILL when a container is stopped."""
    warm_s: Annotated[int, Field(ge=0, le=86400)] = 600
    """Seconds that the release before stays running, so that a rollback is only a switch;
    0 stops it at once."""


class Network(Section):
    """The bridge on which the two containers have one fixed address each."""

    subnet: str = "172.30.0.0/24"
    """IPv4 network of the bridge; each application on a host needs its own. Blue gets `.11`,
    green `.12`."""

    @field_validator("subnet")
    @classmethod
    def _is_private_ipv4(cls, value: str) -> str:
        network = ipaddress.IPv4Network(value)
        if network.prefixlen > 27 or not (network.is_private):
            raise ValueError("must be a private IPv4 network of /27 or larger")
        return value


class Ssh(Section):
    """How hosts are reached; `~/.ssh/config` fills in what is left out."""

    user: UserName | None = None
    """User on the hosts, a member of group `docker`; else `User` of `~/.ssh/config`, else `deploy`."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """SSH port; else `Port` of `~/.ssh/config`, else 22."""
    key: str | None = None
    """Private key file; else `IdentityFile` of `~/.ssh/config`, the agent, and the usual names."""
    known_hosts: str | None = None
    """File of host keys; else `UserKnownHostsFile` of `~/.ssh/config`, else `~/.ssh/known_hosts`."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10
    """Seconds a host has to accept the connection and to log us in."""
    answer_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    """Seconds without a byte after which a host counts as hanging."""


class Host(Section):
    """Where restoops keeps its files on a host."""

    state_dir: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]+$", max_length=200)] = (
        "/var/lib/restoops"
    )
    """Directory with one sub-directory for each application."""


class Settings(Section):
    """All settings of one environment, after its overrides and `RESTOOPS_*` variables."""

    app: App = App()
    registry: Registry = Registry()
    image: Image = Image()
    container: Container = Container()
    proxy: Proxy = Proxy()
    health: Health = Health()
    swap: Swap = Swap()
    network: Network = Network()
    ssh: Ssh = Ssh()
    host: Host = Host()


class TerraformOutputs(Section):
    """Hosts read from Terraform outputs."""

    directory: str
    """Root module of the environment, relative to `restoops.yaml`."""
    output: str = "hosts"
    """Output that maps a droplet's key to `{public, private}` addresses."""
    address: Literal["public", "private"] = "public"
    """Which of the two addresses to connect to."""


class Environment(Section):
    """One environment: its hosts, and what differs there from the settings above."""

    connection: Literal["ssh", "local"] = "ssh"
    """`local` uses this machine's own Docker engine, without SSH."""
    hosts: tuple[HostAddress, ...] = ()
    """Addresses, or names of `~/.ssh/config`. Or give `terraform`."""
    terraform: TerraformOutputs | None = None
    """Read the hosts from Terraform outputs instead."""
    overrides: dict[str, object] = Field(default_factory=dict)
    """Any of the sections above, with the keys that differ in this environment."""
