"""Shape of `restoops.yaml`. The string under a field is its reference documentation.

Every default is here, in `notify`, `public` or `rollout`, and nowhere else. Units are part of a
field's name: `_s` seconds.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from restoops.config.forms import (
    ApiUrl,
    Command,
    Directory,
    EnvFile,
    FileName,
    GithubEnvironment,
    GithubRepository,
    HostAddress,
    ImageName,
    Name,
    NoControl,
    OutputName,
    RegistryHost,
    Repository,
    Subnet,
    TagPattern,
    UrlPath,
    UserName,
    VariableName,
    Volume,
)
from restoops.config.notify import Notify
from restoops.config.public import Public, Smoke
from restoops.config.rollout import Bake, Fleet, Hooks, Probe, Release, Swap
from restoops.config.section import Section


class App(Section):
    """The application that is deployed."""

    name: Name = "restomarket-api"
    """Names everything on a host: containers, network and directory. Lower case, digits, `-`."""


class Registry(Section):
    """Where images come from."""

    host: RegistryHost = "ghcr.io"
    """Registry, with its port if that is not 443. Credentials: `REGISTRY_USERNAME` and
    `GITHUB_TOKEN`, which no other registry is shown, or Docker's own configuration with its
    credential helpers."""
    plain_http: bool = False
    """Speak HTTP instead of HTTPS. Loopback addresses always do."""
    kind: Literal["auto", "oci", "ghcr"] = "auto"
    """How images are listed and deleted: `ghcr` by GitHub's API for packages, `oci` as any other
    registry wants it; `auto` is `ghcr` for ghcr.io."""
    api: ApiUrl = "https://api.github.com"
    """GitHub's API, for `ghcr`; it is shown the token. Of GitHub Enterprise
    `https://<host>/api/v3`."""


class Image(Section):
    """The application's image."""

    repository: Repository = "restomarket/restomarket-api"
    """Path inside the registry: `<owner>/<name>`."""
    keep: Annotated[int, Field(ge=2, le=100)] = 5
    """Releases kept on each host to go back to; older images are removed after a deploy. Also how
    many of the newest images `images prune` keeps."""
    protected: tuple[TagPattern, ...] = ("latest", "stable", "<semver>", "<branch>")
    """Tags whose image is never deleted. `*` and `?` stand for any text and any character,
    `<semver>` for a version such as `v1.2.3`, `<sha>` for a Git SHA, `<branch>` for every tag that
    is none of `builds`."""
    builds: tuple[TagPattern, ...] = ("<sha>", "sha-<sha>", "*-<sha>")
    """Tags that name a single build, such as `sha-abc1234` and `main-abc1234`."""


class Container(Section):
    """How a release runs."""

    port: Annotated[int, Field(ge=1, le=65535)] = 3001
    """Port the application listens on inside its container. It is never published. What runs
    already is reached on the port that it was started with."""
    environment: dict[VariableName, NoControl] = Field(default_factory=dict)
    """Environment variables. Not for secrets: `docker inspect` shows them."""
    volumes: tuple[Volume, ...] = ()
    """Volumes or host directories, `source:/path` or `source:/path:ro`."""
    memory_mb: Annotated[int, Field(ge=6, le=16_777_216)] | None = None
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
    timeout_s: Annotated[int, Field(ge=1, le=3600)] = 75
    """Seconds without a byte, from the client or from the application, after which HAProxy
    gives a request up."""


class Health(Section):
    """When a new release counts as healthy."""

    path: UrlPath = "/health"
    """Path that answers 2xx when the release is ready."""
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60
    """Seconds a new container has to become healthy before the deploy is given up."""
    interval_s: Annotated[float, Field(ge=0.02, le=5)] = 0.05
    """Seconds from one answer to the next question."""
    successes: Annotated[int, Field(ge=1, le=20)] = 3
    """Good answers in a row that are needed: a release that flaps must not pass."""
    answer_timeout_s: Annotated[float, Field(gt=0, le=60)] = 5
    """Seconds after which a question without an answer counts as failed."""
    start_wait_s: Annotated[float, Field(ge=0, le=600)] = 0
    """Seconds to wait after the start of the container before the first question."""


class Network(Section):
    """The bridge on which the two containers have one fixed address each."""

    subnet: Subnet = "172.30.0.0/24"
    """IPv4 network of the bridge; each application on a host needs its own. Blue gets `.11`,
    green `.12`. It cannot change while containers of the application run."""


class Ssh(Section):
    """How hosts are reached; `~/.ssh/config` fills in what is left out."""

    user: UserName | None = None
    """User on the hosts, a member of group `docker`; else `User` of `~/.ssh/config`, else
    `deploy`."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """SSH port; else `Port` of `~/.ssh/config`, else 22."""
    key: FileName | None = None
    """Private key file; else `IdentityFile` of `~/.ssh/config`, the agent, and the usual names."""
    known_hosts: FileName | None = None
    """File of host keys; else `UserKnownHostsFile` of `~/.ssh/config`, else
    `~/.ssh/known_hosts`."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10
    """Seconds a host has to accept the connection and to log us in."""
    answer_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    """Seconds without a byte after which a host counts as hanging."""


class Host(Section):
    """Where restoops keeps its files on a host."""

    state_dir: Directory = "/var/lib/restoops"
    """Directory with one sub-directory for each application."""


class Ansible(Section):
    """Where `infra provision` and `deploy --via ansible` find their playbooks."""

    directory: FileName = "ansible"
    """Directory with `playbooks/`, and perhaps `ansible.cfg` and `inventories/`: beside
    `restoops.yaml` or in a directory above you; else the `ansible` that comes with restoops."""
    setup: FileName = "playbooks/setup-api.yml"
    """Playbook that makes a droplet ready for a deploy, in that directory."""
    update: FileName = "playbooks/update-api.yml"
    """Playbook that deploys, in that directory."""


class Secrets(Section):
    """What a release needs to know and nobody else may: by which template, from where."""

    template: FileName = "apps/api/.env.example"
    """Template that names each variable and its shape, relative to `restoops.yaml`."""
    source: Literal["file", "environment", "age", "command"] = "file"
    """Where the values are: in `file`, in the variables that restoops is started with, in
    `age_file`, or in a password store that `command` reads."""
    file: EnvFile = "~/.config/restoops/{app}/{environment}.env"
    """The `.env` file, outside of the repository and readable by you alone; `{app}` and
    `{environment}` stand for their names."""
    age_file: EnvFile = "secrets/{environment}.env.age"
    """A `.env` file that age has encrypted, relative to `restoops.yaml`; it may be committed."""
    age_identity: EnvFile = "~/.config/restoops/age.key"
    """File with your private key, as `age-keygen` writes it, readable by you alone."""
    age_recipients: tuple[NoControl, ...] = ()
    """Public keys of all who are to read `age_file` when a new value is stored there: `age1…` or
    SSH keys."""
    command: Command = ()
    """Program that prints values, without a shell. With `{name}` in an argument it is run for each
    variable and prints its value; else it prints all as `NAME=value` lines. `{app}` and
    `{environment}` stand for their names."""
    command_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30
    """Seconds that each run of `command` may take."""
    as_environment: tuple[VariableName, ...] = ()
    """Names that a release gets as plain variables and not as files, for one that cannot read
    `NAME_FILE`. `docker inspect` shows them, and so does every child process."""
    github_repository: GithubRepository | None = None
    """Repository on GitHub, `owner/name`, for `secrets push --to github`; else `GITHUB_REPOSITORY`,
    which a workflow has, else that of git's remote `origin`."""
    github_environment: GithubEnvironment | None = None
    """Environment of that repository, which has to be there; else the one of the same name.
    `{environment}` stands for ours."""
    github_repository_secrets: tuple[VariableName, ...] = ()
    """Names that go to the repository, where every workflow of it can read them; all others go to
    the environment."""


class Github(Section):
    """What GitHub is told of runs inside GitHub Actions."""

    deployments: bool = False
    """Write a deployment with its state for each deploy and rollback. The job needs
    `deployments: write`, and `deployment: false` at its `environment`, which writes one as well."""


class Settings(Section):
    """All settings of one environment, after its overrides and `RESTOOPS_*` variables."""

    app: App = App()
    registry: Registry = Registry()
    image: Image = Image()
    container: Container = Container()
    proxy: Proxy = Proxy()
    health: Health = Health()
    public: Public = Public()
    smoke: Smoke = Smoke()
    swap: Swap = Swap()
    bake: Bake = Bake()
    probe: Probe = Probe()
    fleet: Fleet = Fleet()
    release: Release = Release()
    hooks: Hooks = Hooks()
    notify: Notify = Notify()
    network: Network = Network()
    ssh: Ssh = Ssh()
    host: Host = Host()
    ansible: Ansible = Ansible()
    secrets: Secrets = Secrets()
    github: Github = Github()

    @property
    def has_secrets(self) -> bool:
        """Whether anything is set in the section `secrets`."""
        return "secrets" in self.model_fields_set


def sections() -> dict[str, type[Section]]:
    """Return the sections of the settings, in the order of the file."""
    return {name: type(section) for name, section in Settings()}


class TerraformOutputs(Section):
    """Hosts read from Terraform outputs."""

    directory: FileName
    """Root module of the environment, relative to `restoops.yaml`."""
    output: OutputName = "hosts"
    """Output that maps a droplet's key to `{public, private}` addresses."""
    address: Literal["public", "private"] = "public"
    """Which of the two addresses to connect to."""
    url: OutputName | None = None
    """Output that holds the address clients use, such as `url`, where `public.url` is not set."""


class Environment(Section):
    """One environment: where its hosts are.

    Beside these keys stands what differs there: any section above, with only the keys that differ.
    """

    connection: Literal["ssh", "local"] = "ssh"
    """`local` uses this machine's own Docker engine, without SSH and without hosts."""
    hosts: Annotated[tuple[HostAddress, ...], Field(max_length=500)] = ()
    """Addresses, or names of `~/.ssh/config`. Or give `terraform`."""
    terraform: TerraformOutputs | None = None
    """Read the hosts from Terraform outputs instead."""
    confirm: bool = False
    """Ask before a deploy as well, or want `--yes`; a rollback always asks."""

    @field_validator("hosts")
    @classmethod
    def _has_different_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not hosts:
            raise ValueError("List should have at least 1 item after validation, not 0")
        names = [host.lower() for host in hosts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"given more than once: {', '.join(twice)}")
        return hosts

    @model_validator(mode="after")
    def _has_one_source_of_hosts(self) -> Self:
        if self.connection == "local" and (self.hosts or self.terraform):
            raise ValueError("`connection: local` takes neither `hosts` nor `terraform`")
        if self.hosts and self.terraform:
            raise ValueError("takes `hosts` or `terraform`, not both")
        if self.connection == "ssh" and not (self.hosts or self.terraform):
            raise ValueError("needs `hosts` or `terraform`, or `connection: local`")
        return self
