"""The secrets of an application on one host: a directory for each release, and what is noted of it.

A directory has one file for each secret, which only the user of the release's image can read. A
container sees its directory, read-only, as `/run/secrets`, and is told of each file by a variable
`NAME_FILE`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from restoops.adapters.clock import Clock
from restoops.adapters.container import Blueprint
from restoops.adapters.files import Files
from restoops.adapters.secret_index import INDEX, dump_index, parse_index
from restoops.adapters.shell import Shell
from restoops.errors import CommandFailed, StepFailed
from restoops.handover import Handed, SecretSet
from restoops.masking import learn
from restoops.model import ImageName, Placed, Release, Secret, Value

if TYPE_CHECKING:
    from restoops.adapters.docker import Engine

_SEEN_AS = "/run/secrets"


@dataclass(frozen=True, slots=True)
class SecretsWish:
    """For which application secrets are kept, where, and what they are."""

    app: str
    image: ImageName
    directory: str
    """Directory of the application on the host."""
    current: Callable[[], Handed] | None = None
    """Reads them, when they are needed; None: releases are given none."""


@dataclass
class SecretStore:
    """Keeps the secrets of one application on one host; whoever changes them holds the lock."""

    engine: Callable[[], Engine]
    files: Files
    shell: Shell
    clock: Clock
    wish: SecretsWish
    run: str = ""
    """Id of the run that is open: what it makes is known by it."""
    sets: tuple[SecretSet, ...] = field(default=())

    def remember(self, files: Mapping[str, str], host: str) -> tuple[SecretSet, ...]:
        """Take in what the host has noted, and return it."""
        self.sets = parse_index(files.get(INDEX, ""), f"{host}: {self.wish.directory}")
        return self.sets

    def given(self, blueprint: Blueprint, release: Release, secrets: str = "") -> Blueprint:
        """Return a blueprint with secrets: those of the set `secrets`, or else those of today.

        Those of today are written to the host first, once in a run.

        Raises:
            StepFailed: they cannot be written, or are not there.
            UsageError: those of today cannot be read from their source.
        """
        if secrets:
            found = self._set(secrets)
            return _with(blueprint, self._directory(secrets), found, self._plain(found))
        if self.wish.current is None:
            return blueprint
        handed = self.wish.current()
        found = self._provide(release, handed)
        plain = {it: handed.values[it].secret.reveal() for it in found.environment}
        return _with(blueprint, self._directory(found.id), found, plain)

    def update(self, values: Mapping[str, Value], used: Sequence[str]) -> None:
        """Replace these values for each release that was given them; it comes to the same twice.

        Where the image is gone nothing can be written, and what was replaced may have been revoked:
        but for what is `used`, a rollback that pulls the image again gets the secrets of its day.
        """
        here = {it.id for it in self.sets if self.engine().has_image(self._image(it))}
        self.forget(frozenset(it.id for it in self.sets if it.id not in here), used)
        for it in self.sets:
            changed = {
                name: value
                for name, value in values.items()
                if name in it.placed and it.placed[name].fingerprint != value.fingerprint
            }
            if it.is_complete and changed and it.id in here:
                self._fill(it, changed, "update")
                placed = {**it.placed, **self._placed(changed)}
                self._note(replace(it, placed=placed))

    def forget(self, sets: frozenset[str], used: Sequence[str]) -> None:
        """Remove these sets, except those that a container was given."""
        gone = sorted(sets - set(used))
        if gone:
            self._clear()
            self._call("forget", *gone)
            self._write(tuple(it for it in self.sets if it.id not in gone))

    def _provide(self, release: Release, handed: Handed) -> SecretSet:
        """Return the set of this run for a release; it is made unless it is there."""
        number = f"{release.digest.short}-{self.run}"
        made = next((it for it in self.sets if it.id == number and it.is_complete), None)
        if made:
            return made
        now = self.clock.now()
        placed, environment = self._placed(handed.values), handed.environment & set(handed.values)
        made = SecretSet(
            number, release.digest, self.run, now, handed.spec, is_complete=False,
            placed=placed, environment=environment,
        )  # fmt: skip
        self._note(made)
        self._fill(made, handed.values, "place")
        made = replace(made, is_complete=True)
        self._note(made)
        return made

    def _fill(self, it: SecretSet, values: Mapping[str, Value], then: str) -> None:
        """Write files beside the directory of a set, and then put them into it."""
        from restoops.adapters.archive import idle

        self._clear()
        self._call("make", it.id)
        place = f"{self._directory(it.id)}.new"
        with idle(self.engine(), self._image(it), self._labels, place) as helper:
            helper.write({name: value.secret.reveal() for name, value in values.items()})
        self._call(then, it.id)

    def _plain(self, it: SecretSet) -> dict[str, str]:
        """Read back from the host what a release gets as plain variables."""
        if not it.environment:
            return {}
        from restoops.adapters.archive import idle

        place = self._directory(it.id)
        with idle(self.engine(), self._image(it), self._labels, place) as helper:
            found = {name: helper.read(name) for name in sorted(it.environment)}
        learn(*map(Secret, found.values()))  # a rollback need not have read the source
        return found

    def _placed(self, values: Mapping[str, Value]) -> dict[str, Placed]:
        """Return what is noted of values that are put here now: since when this host has each."""
        now = self.clock.now()
        known = {
            (name, one.fingerprint): one.since
            for it in reversed(self.sets)
            if it.is_complete
            for name, one in it.placed.items()
        }
        return {
            name: Placed(it.fingerprint, known.get((name, it.fingerprint), now))
            for name, it in values.items()
        }

    def _set(self, number: str) -> SecretSet:
        found = next((it for it in self.sets if it.id == number and it.is_complete), None)
        if found is None:
            raise StepFailed(
                f"{self.engine().host}: the secrets {number} are gone",
                hint="Do the same again: then those of today are used.",
            )
        return found

    def _image(self, it: SecretSet) -> str:
        return self.wish.image.at(it.digest)

    def _directory(self, number: str) -> str:
        return f"{self.wish.directory}/secrets/{number}"

    @property
    def _labels(self) -> dict[str, str]:
        return {"restoops.app": self.wish.app, "restoops.role": "secrets"}

    def _clear(self) -> None:
        """Remove the container that a run which was cut off has left."""
        for left in self.engine().services(self._labels):
            self.engine().remove(left.id)

    def _note(self, it: SecretSet) -> None:
        if any(one.id == it.id for one in self.sets):
            self._write(tuple(it if one.id == it.id else one for one in self.sets))
        else:
            self._write((*self.sets, it))

    def _write(self, sets: tuple[SecretSet, ...]) -> None:
        self.files.write({INDEX: dump_index(sets)})
        self.sets = sets

    def _call(self, *words: str) -> None:
        try:
            self.shell.run("secrets", self.wish.directory, *words)
        except CommandFailed as error:
            raise StepFailed(
                f"{self.engine().host}: cannot keep secrets in {self.wish.directory}: "
                f"{error.details or error.message}",
                hint="Is the disk full (`df -h` there), or the directory another user's?",
            ) from error


def _with(
    blueprint: Blueprint, directory: str, it: SecretSet, plain: Mapping[str, str]
) -> Blueprint:
    files = {f"{name}_FILE": f"{_SEEN_AS}/{name}" for name in it.placed.keys() - it.environment}
    spec = f"{blueprint.labels.get('restoops.spec', '')}+{it.spec}"
    return replace(
        blueprint,
        environment={**blueprint.environment, **files, **plain},
        read_only={directory: _SEEN_AS},
        labels={**blueprint.labels, "restoops.secrets": it.id, "restoops.spec": spec},
    )
