"""A stand-in for GitHub's REST API over real HTTP: secrets, variables, deployments.

It holds the key pair that secrets are sealed for, and opens the boxes as GitHub does.
https://docs.github.com/en/rest
"""

import base64
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from tests.lab.service import Service

REPOSITORY = "menu/restomarket"
_NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*", re.IGNORECASE)
_MOST_BYTES = 48 * 1024
_STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with."""

    status: int
    content: object = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Kept:
    """A secret or a variable."""

    value: str
    created_at: str
    updated_at: str


@dataclass(slots=True)
class Place:
    """The repository itself, or one environment of it."""

    key: PrivateKey = field(default_factory=PrivateKey.generate)
    key_id: str = field(default_factory=lambda: str(secrets.randbelow(10**18)))
    secrets: dict[str, Kept] = field(default_factory=dict)
    variables: dict[str, Kept] = field(default_factory=dict)

    def values(self) -> dict[str, str]:
        """Return the secrets as a workflow would see them."""
        return {name: it.value for name, it in self.secrets.items()}


class Github(Service):
    """One repository; what a test has not set up is answered as GitHub does."""

    def __init__(self, *environments: str) -> None:
        super().__init__()
        self.token = f"ghp_{secrets.token_hex(18)}"
        self.repository = Place()
        self.environments = {name: Place() for name in environments}
        self.deployments: list[dict[str, Any]] = []
        """Each with its `statuses`, oldest first."""
        self.may_not: set[str] = set()
        """Permissions that the token lacks: `secrets`, `variables`, `environments`, `deployments`,
        each for writing."""
        self.page = 100
        self._seconds = 0

    def now(self) -> str:
        """Return a time that is a second later than the last one."""
        self._seconds += 1
        moment = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=self._seconds)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def edit_by_hand(self, place: Place, name: str, value: str) -> None:
        """Change a secret as a person does in the settings."""
        with self._lock:
            _keep(place.secrets, name, value, self.now())

    # How it works

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        found = self._answer(request, body)
        self.say(request, found.status, found.content, found.headers)

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(401, {"message": "Bad credentials"})
        url = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        below = url.path.removeprefix(f"/api/repos/{REPOSITORY}")
        if below == url.path:
            return _not_found()
        parts = [unquote(it) for it in below.strip("/").split("/")]
        if parts == [""]:
            return Answer(200, {"id": 1, "full_name": REPOSITORY})
        if lacking := self._lacking(request.command, parts):
            headers = {"x-accepted-github-permissions": f"{lacking}=write"}
            return Answer(403, {"message": "Resource not accessible by integration"}, headers)
        try:
            wish = json.loads(body or b"{}")
        except ValueError:
            return Answer(400, {"message": "Problems parsing JSON"})
        return self._route(request.command, parts, query, wish)

    def _lacking(self, method: str, parts: list[str]) -> str:
        kind = "environments" if parts[0] == "environments" else parts[-1 if len(parts) < 3 else 1]
        kind = parts[0] if parts[0] in ("environments", "deployments") else kind
        return kind if method != "GET" and kind in self.may_not else ""

    def _route(
        self, method: str, parts: list[str], query: dict[str, str], wish: dict[str, Any]
    ) -> Answer:
        match parts:
            case ["environments"] if method == "GET":
                rows = [{"name": it} for it in self.environments]
                return self._list("environments", rows, query)
            case ["environments", name] if name in self.environments:
                return Answer(200, {"name": name})
            case ["actions", "secrets" | "variables" as kind, *rest]:
                return self._kept(method, (kind, *rest), self.repository, query, wish)
            case ["environments", name, "secrets" | "variables" as kind, *rest]:
                if name in self.environments:
                    place = self.environments[name]
                    return self._kept(method, (kind, *rest), place, query, wish)
            case ["deployments", *rest]:
                return self._deployments(method, rest, query, wish)
        return _not_found()

    def _kept(
        self,
        method: str,
        parts: tuple[str, ...],
        place: Place,
        query: dict[str, str],
        wish: dict[str, Any],
    ) -> Answer:
        kind, *rest = parts
        kept = place.secrets if kind == "secrets" else place.variables
        name = rest[0].upper() if rest else ""
        match method, kind:
            case "GET", _ if not name:
                shown = [_shown(it, kept[it], kind) for it in sorted(kept)]
                return self._list(kind, shown, query)
            case "GET", "secrets" if name == "PUBLIC-KEY":
                key = base64.b64encode(bytes(place.key.public_key)).decode()
                return Answer(200, {"key_id": place.key_id, "key": key})
            case "GET", _ if name in kept:
                return Answer(200, _shown(name, kept[name], kind))
            case "PUT", "secrets" if name:
                return self._seal(place, name, wish)
            case "POST", "variables" if not name:
                return self._set_variable(kept, str(wish.get("name", "")).upper(), wish)
            case "PATCH", "variables" if name in kept:
                _keep(kept, name, str(wish["value"]), self.now())
                return Answer(204)
            case "DELETE", _ if name in kept:
                del kept[name]
                return Answer(204)
        return _not_found()

    def _seal(self, place: Place, name: str, wish: dict[str, Any]) -> Answer:
        if not _NAME.fullmatch(name):
            return _unfit("Secret names can only contain alphanumeric characters")
        if wish.get("key_id") != place.key_id:
            return _unfit("The key_id is not that of the current public key")
        try:
            sealed = base64.b64decode(str(wish.get("encrypted_value")), validate=True)
            value = SealedBox(place.key).decrypt(sealed)
        except (CryptoError, ValueError):
            return _unfit("Validation Failed")
        if len(value) > _MOST_BYTES:
            return _unfit("Secret value is too large")
        is_new = name not in place.secrets
        _keep(place.secrets, name, value.decode(), self.now())
        return Answer(201, {}) if is_new else Answer(204)

    def _set_variable(self, kept: dict[str, Kept], name: str, wish: dict[str, Any]) -> Answer:
        if not _NAME.fullmatch(name):
            return _unfit("Variable names can only contain alphanumeric characters")
        if len(str(wish.get("value", ""))) > _MOST_BYTES:
            return _unfit("Variable value is too large")
        if name in kept:
            return Answer(409, {"message": "Already exists - Variable already exists"})
        _keep(kept, name, str(wish["value"]), self.now())
        return Answer(201, {})

    def _deployments(
        self, method: str, rest: list[str], query: dict[str, str], wish: dict[str, Any]
    ) -> Answer:
        known = {str(it["id"]): it for it in self.deployments}
        match method, rest:
            case "GET", []:
                keys = [it for it in ("environment", "ref", "sha", "task") if it in query]
                found = [it for it in reversed(self.deployments)
                         if all(it.get(key) == query[key] for key in keys)]  # fmt: skip
                return self._list("", [_without_statuses(it) for it in found], query)
            case "POST", []:
                return self._deploy(wish)
            case "GET", [number] if number in known:
                return Answer(200, _without_statuses(known[number]))
            case "GET", [number, "statuses"] if number in known:
                return self._list("", known[number]["statuses"][::-1], query)
            case "POST", [number, "statuses"] if number in known:
                return self._add_status(known[number], wish)
        return _not_found()

    def _deploy(self, wish: dict[str, Any]) -> Answer:
        if not wish.get("ref"):
            return _unfit("Validation Failed: ref is missing")
        made = {
            "environment": "production",
            "task": "deploy",
            "payload": {},
            "description": None,
            **wish,
            "id": 1000 + len(self.deployments),
            "sha": wish["ref"],
            "created_at": self.now(),
            "statuses": [],
        }
        self.deployments.append(made)
        return Answer(201, _without_statuses(made))

    def _add_status(self, deployment: dict[str, Any], wish: dict[str, Any]) -> Answer:
        if wish.get("state") not in _STATES:
            return _unfit(f"Validation Failed: no such state: {wish.get('state')}")
        if len(wish.get("description") or "") > 140:
            return _unfit("Validation Failed: description is too long (maximum is 140 characters)")
        number = sum(len(it["statuses"]) for it in self.deployments)
        made = {"environment": deployment["environment"], **wish, "id": 5000 + number,
                "created_at": self.now()}  # fmt: skip
        deployment["statuses"].append(made)
        if wish["state"] == "success" and wish.get("auto_inactive", True):
            for other in self.deployments:
                is_before = other["environment"] == deployment["environment"]
                states = [it["state"] for it in other["statuses"]]
                if other is not deployment and is_before and "success" in states[-1:]:
                    other["statuses"].append({"state": "inactive", "created_at": self.now()})
        return Answer(201, made)

    def _list(self, key: str, rows: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        size = min(int(query.get("per_page", "30")), self.page)
        page = int(query.get("page", "1"))
        here = rows[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(rows):
            path = urlsplit(self.requests[-1][1]).path
            more = "".join(
                f"&{name}={value}"
                for name, value in query.items()
                if name not in ("per_page", "page")
            )
            after = f"http://{self.host}{path}?per_page={size}&page={page + 1}{more}"
            headers["link"] = f'<{after}>; rel="next"'
        return Answer(200, {"total_count": len(rows), key: here} if key else here, headers)


def _keep(kept: dict[str, Kept], name: str, value: str, now: str) -> None:
    before = kept.get(name)
    kept[name] = Kept(value, before.created_at if before else now, now)


def _shown(name: str, kept: Kept, kind: str) -> dict[str, str]:
    """Return what GitHub tells: the value of a variable, and never that of a secret."""
    value = {"value": kept.value} if kind == "variables" else {}
    return {"name": name, **value, "created_at": kept.created_at, "updated_at": kept.updated_at}


def _without_statuses(deployment: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in deployment.items() if key != "statuses"}


def _unfit(message: str) -> Answer:
    return Answer(422, {"message": message})


def _not_found() -> Answer:
    return Answer(404, {"message": "Not Found"})
