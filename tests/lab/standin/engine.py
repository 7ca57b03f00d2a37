"""The calls of the Docker engine's API that restoops makes, on what a stand-in remembers."""

import hashlib
import json
import re
from datetime import UTC, datetime
from urllib.parse import unquote

from tests.lab.standin.machine import IMAGE_BYTES, Container, Machine
from tests.lab.standin.web import Question, Reply

_VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
_PREFIX = re.compile(r"^/v\d+\.\d+")


class Engine:
    """Answers requests to `/var/run/docker.sock`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._timing = machine.timing

    def answer(self, question: Question) -> Reply:
        """Do what is asked. It is done at once; the answer comes when an engine's would."""
        kind, *rest = unquote(_PREFIX.sub("", question.path)).strip("/").split("/")
        match kind:
            case "version":
                return self._quick(_VERSION)
            case "info":
                return self._quick({"DockerRootDir": "/var/lib/docker"})
            case "containers":
                return self._containers(question, rest)
            case "images":
                return self._images(question, rest)
            case "networks":
                return self._networks(question)
        return _missing(f"page {question.path}")

    def _quick(self, content: object) -> Reply:
        return Reply(200, content, self._timing.ask_ms)

    def _containers(self, question: Question, rest: list[str]) -> Reply:
        if rest == ["json"]:
            return self._list(json.loads(question.query.get("filters", "{}")).get("label", []))
        if rest == ["create"]:
            return self._create(question.query["name"], question.json())
        found = self._machine.containers.get(rest[0])
        if found is None:
            return _missing(f"container {rest[0]}")
        match question.method, rest[1:]:
            case "GET", ["json"]:
                return self._quick(_inspected(found))
            case "GET", ["logs"]:
                return self._quick(b"")
            case "DELETE", []:
                del self._machine.containers[found.id]
                return Reply(204, after_ms=self._timing.remove_ms)
        return self._act(found, rest[-1])

    def _act(self, found: Container, verb: str) -> Reply:
        match verb:
            case "start":
                return self._start(found)
            case "stop" if found.status != "running":
                return Reply(304, after_ms=self._timing.ask_ms)
            case "stop" | "kill":
                found.status = "exited"
                return Reply(204, after_ms=self._timing.stop_ms)
            case "wait":
                return self._quick({"StatusCode": 0})
            case "update":
                return self._quick({"Warnings": None})
        return _missing(f"page {verb}")

    def _list(self, wanted: list[str]) -> Reply:
        pairs = [label.split("=", 1) for label in wanted]
        return self._quick([
            {"Id": one.id, "Names": [f"/{one.name}"], "Labels": one.labels, "State": one.status}
            for one in self._machine.containers.values()
            if all(key in one.labels and one.labels[key] in (value or [one.labels[key]])
                   for key, *value in pairs)
        ])  # fmt: skip

    def _create(self, name: str, wish: dict[str, object]) -> Reply:
        image, labels = str(wish["Image"]), wish["Labels"]
        assert isinstance(labels, dict)
        if self._image(image) is None:
            return _missing(f"image {image}")
        if any(one.name == name for one in self._machine.containers.values()):
            return Reply(409, {"message": f"The name {name} is already in use by container x"})
        made = hashlib.sha256(f"{self._machine.name} {name} {datetime.now(UTC)}".encode())
        container = Container(made.hexdigest(), name, image, labels)
        self._machine.containers[container.id] = container
        return Reply(201, {"Id": container.id, "Warnings": []}, self._timing.create_ms)

    def _start(self, found: Container) -> Reply:
        found.status = "running"
        found.started_at = datetime.now(UTC).isoformat()
        match found.labels.get("restoops.role"):
            case "check":  # it has nothing to say against any configuration
                found.status = "exited"
            case "proxy":
                line = (self._machine.files or {}).get("proxy/live.map", b"live none")
                self._machine.route = line.decode().split()[-1]
        return Reply(204, after_ms=self._timing.start_ms)

    def _images(self, question: Question, rest: list[str]) -> Reply:
        images = self._machine.images
        if rest == ["json"]:
            return self._quick([_image(key, names) for key, names in images.items()])
        if rest == ["create"]:
            return self._pull(question.query["fromImage"], question.query.get("tag", "latest"))
        name = "/".join(rest).removesuffix("/json")
        key = self._image(name)
        if key is None:
            return _missing(f"image {name}")
        if question.method == "DELETE":
            images[key].discard(name)
            if key == name or not images[key]:
                del images[key]
            return self._quick([{"Deleted": key}])
        return self._quick(_image(key, images[key]))

    def _image(self, name: str) -> str | None:
        images = self._machine.images
        return next((key for key in images if key == name or name in images[key]), None)

    def _pull(self, repository: str, tag: str) -> Reply:
        is_digest = tag.startswith("sha256:")
        name = f"{repository}@{tag}" if is_digest else f"{repository}:{tag}"
        key = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
        self._machine.images.setdefault(key, set()).add(name)
        return Reply(200, {"status": f"Downloaded {name}"}, self._timing.pull_ms)

    def _networks(self, question: Question) -> Reply:
        networks = self._machine.networks
        if question.method == "POST":
            made = question.json()
            networks[name := str(made["Name"])] = made["IPAM"]
            return Reply(201, {"Id": name, "Warning": ""}, self._timing.create_ms)
        wanted = json.loads(question.query.get("filters", "{}")).get("name", [""])
        found = [name for name in networks if any(re.search(one, name) for one in wanted)]
        return self._quick([{"Name": it, "Id": it, "IPAM": networks[it]} for it in found])


def _missing(what: str) -> Reply:
    return Reply(404, {"message": f"No such {what}"})


def _inspected(found: Container) -> dict[str, object]:
    return {
        "Id": found.id,
        "Name": f"/{found.name}",
        "RestartCount": 0,
        "Config": {"Labels": found.labels, "Tty": False},
        "State": {"Status": found.status, "ExitCode": 0, "StartedAt": found.started_at},
    }


def _image(key: str, names: set[str]) -> dict[str, object]:
    digests = sorted(name for name in names if "@" in name)
    tags = sorted(names - {*digests})
    return {"Id": key, "RepoDigests": digests, "RepoTags": tags, "Size": IMAGE_BYTES}
