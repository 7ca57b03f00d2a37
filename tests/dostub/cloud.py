"""An imitation DigitalOcean account: a JSON file under a lock, which tests may look into."""

import fcntl
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.dostub.identity import identity
from tests.dostub.rules import ApiError, check

Attributes = dict[str, Any]
"""A resource, as Terraform knows it."""

Resolve = Callable[[Attributes], Attributes]
"""Fills what a plan left open with values that the account chooses."""


class Cloud:
    """The account: `objects[type][id]` is what exists, `log` every change that was asked for.

    `fail` maps `TYPE.create`, `TYPE.update` or `TYPE.delete` to the message it fails with.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._mutex = threading.RLock()

    @contextmanager
    def open(self) -> Iterator[Attributes]:
        """Lend the whole account; what was changed in it is kept."""
        with self._mutex, self.path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            text = file.read()
            account = json.loads(text) if text else new_account()
            yield account
            changed = json.dumps(account, indent=1, sort_keys=True)
            if changed != text:
                file.seek(0)
                file.truncate()
                file.write(changed)

    def create(self, kind: str, planned: Attributes, resolve: Resolve) -> Attributes:
        """Make what was planned, or refuse it as the API would."""
        with self.open() as account:
            self._call(account, kind, "create", planned)
            account["seq"] += 1
            chosen = identity(kind, planned, account["seq"], account["objects"])
            made = resolve(chosen)
            account["objects"].setdefault(kind, {})[made["id"]] = made
            return made

    def read(self, kind: str, which: str) -> Attributes | None:
        """Return an object, or None when it is not there (any more)."""
        with self.open() as account:
            found: Attributes | None = account["objects"].get(kind, {}).get(which)
            return found

    def update(self, kind: str, which: str, planned: Attributes, resolve: Resolve) -> Attributes:
        """Change an object to what was planned; what was chosen at its birth stays."""
        with self.open() as account:
            self._call(account, kind, "update", planned)
            old = account["objects"].get(kind, {}).get(which)
            if old is None:
                raise ApiError(f"404 {kind} {which} not found")
            chosen = identity(kind, planned, account["seq"], account["objects"])
            changed = resolve({**chosen, **old})
            account["objects"][kind][which] = changed
            return changed

    def delete(self, kind: str, which: str) -> None:
        """Remove an object, unless something else needs it."""
        with self.open() as account:
            self._call(account, kind, "delete", {"id": which})
            account["objects"].get(kind, {}).pop(which, None)

    def find(self, kind: str, **wanted: object) -> list[Attributes]:
        """Return the objects of a kind that have these values."""
        with self.open() as account:
            objects = account["objects"].get(kind, {}).values()
            return [it for it in objects if all(it.get(k) == v for k, v in wanted.items())]

    def calls(self) -> list[tuple[str, str, str]]:
        """Return every change that was asked for, in order: what, of which kind, by which name."""
        with self.open() as account:
            return [(op, kind, name) for op, kind, name in account["log"]]

    def forget_calls(self) -> None:
        """Begin a new list of calls."""
        with self.open() as account:
            account["log"] = []

    def fail_on(self, kind: str, operation: str, message: str) -> None:
        """Let an operation fail from now on; with an empty message, no longer."""
        with self.open() as account:
            account["fail"][f"{kind}.{operation}"] = message

    def _call(self, account: Attributes, kind: str, operation: str, attrs: Attributes) -> None:
        names = (attrs.get("name"), attrs.get("id"))
        account["log"].append(
            [operation, kind, next((name for name in names if isinstance(name, str)), "")]
        )
        if message := account["fail"].get(f"{kind}.{operation}"):
            raise ApiError(message)
        check(kind, operation, attrs, account["objects"])


def new_account() -> Attributes:
    """Return an account in which nothing is."""
    return {"objects": {}, "log": [], "fail": {}, "seq": 0}
