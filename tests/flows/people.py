"""Somebody at the terminal, who answers what a rollback asks."""

from __future__ import annotations

from collections.abc import Callable

from restoops.errors import Refused
from restoops.model import Release

Question = tuple[Release, Release | None]


class Person:
    """Somebody at the terminal; keeps what was asked, does something meanwhile, and answers."""

    def __init__(
        self, *answers: bool, meanwhile: Callable[[], object] = lambda: None, hosts: object = ()
    ) -> None:
        self.asked: list[Question] = []
        self.locked: list[bool] = []
        self._answers = list(answers)
        self._meanwhile = meanwhile
        self._hosts = hosts

    def __call__(self, to: Release, now: Release | None) -> None:
        self.asked.append((to, now))
        assert isinstance(self._hosts, tuple)
        self.locked += [host.holder is not None for host in self._hosts]
        if len(self.asked) == 1:
            self._meanwhile()
        if not self._answers.pop(0):
            raise Refused("not confirmed")
