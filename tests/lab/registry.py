"""A real registry with a password, for pushing from this machine and pulling from droplets."""

import base64
import http.client
import json
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from docker import DockerClient

from tests.lab import network
from tests.lab.oci import Bundle
from tests.lab.ports import free_port

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
READY_TIMEOUT_S = 60.0


class RegistryFailed(Exception):
    """The registry did not start, or refused what the lab asked of it."""


class Registry:
    """A docker-registry process whose images last until it is closed; `stop` is an outage.

    It listens on all addresses: this machine uses `local`, droplets use `host`. An open one asks
    for no password.
    """

    def __init__(
        self, port: int | None = None, username: str = "restoops", *, is_open: bool = False
    ) -> None:
        self.port = port or free_port()
        self.username = username
        self.password = secrets.token_hex(16)
        self.local = f"127.0.0.1:{self.port}"
        self.host = f"{network.GATEWAY}:{self.port}"
        self._home = Path(tempfile.mkdtemp(prefix="restoops-lab-registry-"))
        self.log = self._home / "registry.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._write_configuration(is_open=is_open)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process and wait until it answers; nothing happens when it runs.

        Raises:
            RegistryFailed: it did not answer in time; the message carries its log.
        """
        if self._process:
            return
        argv = ["docker-registry", "serve", str(self._home / "config.yml")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RegistryFailed(f"docker-registry did not start:\n{self.log.read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the process; the images stay for the next `start`."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def close(self) -> None:
        """Stop the process and throw the images away."""
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def push(self, engine: DockerClient, image: str, repository: str, tag: str) -> str:
        """Push the local `image` as `repository:tag` and return its digest.

        Raises:
            RegistryFailed: the engine or the registry said no.
        """
        name = f"{self.local}/{repository}"
        engine.images.get(image).tag(name, tag)
        login = {"username": self.username, "password": self.password}
        try:
            for told in engine.api.push(name, tag, stream=True, decode=True, auth_config=login):
                if "error" in told:
                    raise RegistryFailed(f"push of {repository}:{tag} failed: {told['error']}")
                if "Digest" in (told.get("aux") or {}):
                    return str(told["aux"]["Digest"])
        finally:
            engine.images.remove(f"{name}:{tag}")
        raise RegistryFailed(f"push of {repository}:{tag} told no digest")

    def put(self, bundle: Bundle, repository: str, *tags: str) -> str:
        """Store an image that was made of nothing, and let `tags` point to it."""
        for digest, content in bundle.blobs.items():
            headers, _ = self._ask("POST", f"/v2/{repository}/blobs/uploads/")
            place = headers["Location"].partition(f":{self.port}")[2]
            self._ask("PUT", f"{place}&digest={digest}", content, "application/octet-stream")
        *parts, top = bundle.manifests.items()
        for digest, (kind, body) in parts:
            self._ask("PUT", f"/v2/{repository}/manifests/{digest}", body, kind)
        for name in tags or (bundle.digest,):
            self._ask("PUT", f"/v2/{repository}/manifests/{name}", top[1][1], top[1][0])
        return bundle.digest

    def digest(self, repository: str, tag: str) -> str:
        """Return the digest that `repository:tag` stands for now."""
        return self._manifest(repository, tag)[0]

    def tags(self, repository: str) -> list[str]:
        """Return the tags of `repository`, sorted."""
        _, body = self._ask("GET", f"/v2/{repository}/tags/list")
        return sorted(json.loads(body)["tags"] or [])

    def move_tag(self, repository: str, tag: str, to: str) -> None:
        """Let `repository:tag` stand for what the tag or digest `to` stands for."""
        _, manifest = self._manifest(repository, to)
        self._ask("PUT", f"/v2/{repository}/manifests/{tag}", manifest)

    def delete(self, repository: str, digest: str) -> None:
        """Delete the image `digest`, and with it all tags that stand for it."""
        self._ask("DELETE", f"/v2/{repository}/manifests/{digest}")

    def _manifest(self, repository: str, reference: str) -> tuple[str, bytes]:
        headers, body = self._ask("GET", f"/v2/{repository}/manifests/{reference}")
        return headers["Docker-Content-Digest"], body

    def _ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = MANIFEST
    ) -> tuple[http.client.HTTPMessage, bytes]:
        login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Accept": kind, "Content-Type": kind}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise RegistryFailed(f"{method} {path}: {answer.status} {text.decode()}")
        return answer.headers, text

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/v2/")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _write_configuration(self, *, is_open: bool) -> None:
        made = subprocess.run(
            ["htpasswd", "-Bin", "-C", "4", self.username],
            check=True, capture_output=True, text=True, input=self.password,
        )  # fmt: skip
        passwords = self._home / "htpasswd"
        passwords.write_text(made.stdout)
        configuration = {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {
                "filesystem": {"rootdirectory": str(self._home / "images")},
                "delete": {"enabled": True},
            },
            "http": {"addr": f"0.0.0.0:{self.port}", "secret": secrets.token_hex(16)},
            "auth": {"htpasswd": {"realm": "restoops-lab", "path": str(passwords)}},
        }
        if is_open:
            del configuration["auth"]
        # docker-registry reads YAML, which JSON is a part of.
        (self._home / "config.yml").write_text(json.dumps(configuration))
