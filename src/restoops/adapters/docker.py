"""The Docker engine of a host: the calls we use, with our types and errors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

import docker
import docker.errors
import requests
import urllib3
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, Mount

from restoops.adapters.connection import Stream
from restoops.adapters.container import Blueprint, Service, describe, releases_among
from restoops.adapters.dial import connect
from restoops.errors import StepFailed, Unreachable
from restoops.model import Container, Digest, ImageName, Login

_FAULTS = (
    docker.errors.DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    EOFError,
)


class Engine:
    """The engine of one host, over one HTTP connection that `dial` makes."""

    def __init__(
        self,
        host: str,
        dial: Callable[[], Stream],
        ask_why: Callable[[], str] = lambda: "",
        *,
        answer_timeout_s: float = 60,
    ) -> None:
        self.host = host
        self._dial = dial
        self._answer_timeout_s = answer_timeout_s
        self._ask_why = ask_why  # scripts/docker.sh
        self._client: Any = None  # docker-py's types do not fit its own use

    @property
    def client(self) -> Any:
        """The client, connected at first use."""
        if self._client is None:
            with self.faults("the Docker engine does not answer"):
                self._client = connect(self._dial, self._answer_timeout_s)
        return self._client

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def containers(self, app: str) -> tuple[Container, ...]:
        """Return the containers of `app` in the two slots, running or not."""
        return releases_among(self.services({"restoops.app": app}))

    def inspect(self, container_id: str) -> Container:
        """Return one container with its restarts and exit code."""
        with self.faults("cannot inspect the container"):
            entry = self.client.inspect_container(container_id)
        state = entry["State"]
        return describe(
            entry["Id"],
            entry["Config"]["Labels"],
            state["Status"],
            restarts=entry["RestartCount"],
            exit_code=state["ExitCode"],
            started_at=state["StartedAt"],
        )

    def images(self, image: ImageName) -> dict[Digest, str]:
        """Return the digests of `image` that are on the host, each with the image's id."""
        return {digest: str(entry["Id"]) for digest, entry in self._images(image)}

    def image_sizes(self, image: ImageName) -> dict[Digest, int]:
        """Return the digests of `image` that are on the host, each with its size unpacked."""
        return {digest: int(entry.get("Size", 0)) for digest, entry in self._images(image)}

    def _images(self, image: ImageName) -> Iterator[tuple[Digest, dict[str, Any]]]:
        with self.faults("cannot list images"):
            found = self.client.images()
        for entry in found:
            for reference in entry.get("RepoDigests") or ():
                if reference.startswith(f"{image}@"):
                    yield Digest(reference.removeprefix(f"{image}@")), entry

    def directory(self) -> str:
        """Return where the engine keeps its images on the host."""
        with self.faults("cannot ask about the engine"):
            return str(self.client.info()["DockerRootDir"])

    def has_image(self, reference: str) -> bool:
        """Return whether the image is on the host."""
        with self.faults("cannot inspect an image"):
            try:
                self.client.inspect_image(reference)
            except docker.errors.ImageNotFound:
                return False
        return True

    def pull(self, reference: str, login: Login | None, on_progress: Callable[[str], None]) -> None:
        """Fetch an image, by digest when `reference` has one.

        Raises:
            StepFailed: the registry refused it, or it could not be stored.
        """
        auth = {"username": login.username, "password": login.password.reveal()} if login else {}
        with self.faults(f"pull of {reference} failed", pulled=reference):
            for line in self.client.pull(reference, stream=True, decode=True, auth_config=auth):
                if "error" in line:
                    raise self._pull_failed(reference, str(line["error"]))
                on_progress(str(line.get("status", "")))

    def ensure_network(self, name: str, subnet: str, labels: Mapping[str, str]) -> None:
        """Make the bridge unless it is there; one of ours with other addresses is made anew.

        Raises:
            StepFailed: it has other addresses and something uses it, or it is not ours.
        """
        found = self.subnet_of(name)
        if found == subnet:
            return
        with self.faults(f"cannot make network {name} ({subnet})"):
            if found is not None:
                self._remove_network(name, found, labels)
            pool = IPAMPool(subnet=subnet)
            self.client.create_network(
                name, driver="bridge", ipam=IPAMConfig(pool_configs=[pool]), labels=dict(labels)
            )

    def subnet_of(self, name: str) -> str | None:
        """Return the addresses of the bridge; None when it is not there."""
        with self.faults("cannot list networks"):
            found = self.client.networks(names=[f"^{name}$"])
        pools = found[0]["IPAM"]["Config"] or [{}] if found else []
        return str(pools[0].get("Subnet", "")) if pools else None

    def _remove_network(self, name: str, subnet: str, labels: Mapping[str, str]) -> None:
        entry = self.client.inspect_network(name)
        if entry["Containers"] or not labels.items() <= (entry["Labels"] or {}).items():
            raise StepFailed(
                f"{self.host}: network {name} has the addresses {subnet} and is in use: "
                "`network.subnet` cannot change",
                hint=f"Set it back to {subnet}. To change it, take the application off the host "
                f"first: `docker rm -f $(docker ps -aq -f label=restoops.app={name})` there ends "
                "it, and the next deploy makes all anew.",
            )
        self.client.remove_network(name)

    def start(self, image: str, blueprint: Blueprint) -> str:
        """Create and start a container on its fixed address; return its id."""
        with self.faults(f"cannot start {blueprint.name}"):
            made = self.client.create_container(
                image,
                name=blueprint.name,
                labels=dict(blueprint.labels),
                environment=dict(blueprint.environment),
                host_config=self._host_config(blueprint),
                networking_config=self.client.create_networking_config(
                    {blueprint.network: EndpointConfig("1.40", ipv4_address=blueprint.address)}
                ),
            )
            self.client.start(made["Id"])
        return str(made["Id"])

    def create_once(self, image: str, blueprint: Blueprint, argv: Sequence[str]) -> str:
        """Create a container for one run of `argv` in place of the entrypoint; return its id.

        It has whatever address is free, and is not started again when it has ended.
        """
        with self.faults(f"cannot make {blueprint.name}"):
            made = self.client.create_container(
                image,
                name=blueprint.name,
                entrypoint=argv[0],
                command=list(argv[1:]),
                labels=dict(blueprint.labels),
                environment=dict(blueprint.environment),
                host_config={**self._host_config(blueprint), "RestartPolicy": {"Name": "no"}},
            )
        return str(made["Id"])

    def run_once(self, container_id: str, on_line: Callable[[str], None]) -> int:
        """Start a container, hand over each line that it writes, and return its exit code."""
        with self.faults("cannot start a container"):
            self.client.start(container_id)
        told = 0
        for line in self.follow(container_id, "all"):
            on_line(line)
            told += 1
        status = self.wait(container_id, timeout_s=60)
        # Docker may end the stream before the last words of a program that ends at once.
        for line in islice(self.follow(container_id, "all"), told, None):
            on_line(line)
        return status

    def services(self, labels: Mapping[str, str]) -> tuple[Service, ...]:
        """Return the containers with all of `labels`, whatever their state."""
        wanted = [f"{key}={value}" for key, value in labels.items()]
        with self.faults("cannot list containers"):
            found = self.client.containers(all=True, filters={"label": wanted})
        return tuple(
            Service(e["Id"], e["Names"][0].removeprefix("/"), e["State"], e["Labels"])
            for e in found
        )

    def start_service(
        self, image: str, name: str, argv: list[str], options: Mapping[str, Any]
    ) -> str:
        """Create and start a container on the host's own network; return its id."""
        with self.faults(f"cannot start {name}"):
            made = self.client.create_container(
                image,
                name=name,
                entrypoint=argv[0],
                command=argv[1:],
                user=options["user"],
                labels=dict(options["labels"]),
                host_config=self.client.create_host_config(
                    network_mode="host",
                    binds=list(options["binds"]),
                    restart_policy=options["restart_policy"],
                    cap_drop=["ALL"],
                    security_opt=["no-new-privileges"],
                    read_only=True,
                ),
            )
            self.client.start(made["Id"])
        return str(made["Id"])

    def wait(self, container_id: str, timeout_s: float) -> int:
        """Wait until a container has ended and return its exit code."""
        with self.faults("cannot wait for a container"):
            return int(self.client.wait(container_id, timeout=timeout_s)["StatusCode"])

    def let_end(self, service: Service, signal: str, name: str) -> None:
        """Ask a container to end by itself and not to be started again; then it has `name`."""
        with self.faults("cannot signal a container"), _gone_is_fine():
            self.client.update_container(service.id, restart_policy={"Name": "no"})
            self.client.kill(service.id, signal)
            self.client.rename(service.id, name)

    def stop(self, container_id: str, grace_s: int) -> None:
        """Send SIGTERM, then after `grace_s` seconds SIGKILL; a stopped container is left alone."""
        with self.faults("cannot stop a container"), _gone_is_fine():
            self.client.stop(container_id, timeout=grace_s)

    def remove(self, container_id: str) -> None:
        """Remove a container with its anonymous volumes; one that is gone is no error."""
        with self.faults("cannot remove a container"), _gone_is_fine():
            self.client.remove_container(container_id, v=True, force=True)

    def remove_image(self, image_id: str, reference: str) -> None:
        """Take `reference` off an image, and the image with its last; one in use is left alone."""
        with self.faults("cannot remove an image"), _gone_is_fine():
            try:
                entry = self.client.inspect_image(image_id)
                names = (entry.get("RepoTags") or []) + (entry.get("RepoDigests") or [])
                self.client.remove_image(reference if len(names) > 1 else image_id)
            except docker.errors.APIError as error:
                if error.status_code != requests.codes.conflict:
                    raise

    def state(self, container_id: str) -> tuple[str, int]:
        """Return status and number of restarts of any container; `gone` when there is none."""
        with self.faults("cannot inspect a container"):
            try:
                entry = self.client.inspect_container(container_id)
            except docker.errors.NotFound:
                return "gone", 0
        return entry["State"]["Status"], entry["RestartCount"]

    def logs(self, container_id: str, lines: int) -> list[str]:
        """Return the last lines that a container wrote."""
        with self.faults("cannot read logs"):
            text = self.client.logs(container_id, tail=lines, stdout=True, stderr=True)
        return [line.rstrip() for line in text.decode(errors="replace").splitlines()]

    def follow(self, container_id: str, lines: int | Literal["all"]) -> Iterator[str]:
        """Yield the last lines of a container and then each new one, until it ends."""
        with self.faults("cannot follow logs"):
            rest = b""
            for chunk in self.client.logs(container_id, tail=lines, stream=True, follow=True):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line.decode(errors="replace").rstrip() for line in whole)
            if rest:
                yield rest.decode(errors="replace").rstrip()

    def _host_config(self, blueprint: Blueprint) -> dict[str, Any]:
        limits: dict[str, Any] = {}
        if blueprint.memory_mb:
            limits["mem_limit"] = blueprint.memory_mb * 1024 * 1024
        if blueprint.cpus:
            limits["nano_cpus"] = int(blueprint.cpus * 1e9)
        return dict(
            self.client.create_host_config(
                binds=list(blueprint.volumes),
                # Unlike a bind it is refused when there is no such directory.
                mounts=[
                    Mount(place, source, type="bind", read_only=True)
                    for source, place in blueprint.read_only.items()
                ],
                init=blueprint.init,
                restart_policy={"Name": "unless-stopped"},
                network_mode=blueprint.network,
                log_config={"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
                **limits,
            )
        )

    def _pull_failed(self, reference: str, reason: str) -> StepFailed:
        if "no space left" in reason:
            hint = "The disk of the host is full: `docker system df` there shows by what."
        elif "not found" in reason or "unknown" in reason:
            hint = "`restoops rollback --list` shows what can be had; was the tag deleted?"
        else:
            hint = "Does the host reach the registry, and are the credentials right?"
        return StepFailed(f"{self.host}: pull of {reference} failed: {reason}", hint=hint)

    @contextlib.contextmanager
    def faults(self, what: str, *, pulled: str = "") -> Iterator[None]:
        """Turn the errors of the client into ours; `what` says what did not work."""
        try:
            yield
        except docker.errors.APIError as error:
            reason = str(error.explanation or error)
            if pulled:
                raise self._pull_failed(pulled, reason) from error
            raise StepFailed(f"{self.host}: {what}: {reason}", hint=_hint(reason)) from error
        except _FAULTS as error:
            raise self._no_answer(what) from error

    def _no_answer(self, what: str) -> Unreachable:
        match self._ask_why().split():
            case ["absent"]:
                reason = "Docker is not installed"
                hint = "On the host: `sudo apt-get install docker.io`."
            case ["forbidden", user]:
                reason = f"{user} may not use Docker"
                hint = f"On the host: `sudo usermod -aG docker {user}`."
            case ["stopped"]:
                reason = "the Docker engine does not run"
                hint = (
                    "On the host: `sudo systemctl start docker`; `journalctl -u docker` says why."
                )
            case _:
                reason = f"{what}: no answer from Docker"
                hint = "On the host: `systemctl status docker`. `restoops doctor` checks it all."
        return Unreachable(f"{self.host}: {reason}", hint=hint)


@contextlib.contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except docker.errors.NotFound:
        return


def _hint(reason: str) -> str:
    if "no space left" in reason:
        return "The disk of the host is full: `docker system df` there shows by what."
    if "Pool overlaps" in reason:
        return "Another network has these addresses: set `network.subnet` to a free one."
    if "does not belong to any of this network" in reason:
        return "The network was made for other addresses: set `network.subnet` back to those."
    if "is already in use by container" in reason:
        return "It is not ours: rename it there (`docker rename`) or remove it."
    if "exec: " in reason:
        return "Is the program in the image? `release.command` names it, or the image's entrypoint."
    return "`restoops doctor` checks the host."
