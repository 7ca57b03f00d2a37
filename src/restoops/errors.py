"""Every failure an operator can meet: message, hint, exit status.

```
RestoopsError                   status
├── StepFailed                  1    what served before still serves
│   └── CommandFailed           1    a program on a host failed
├── Unhealthy                   1    `health` found an environment degraded or down
├── Refused                     1    no such release, nothing to go back to, not confirmed
├── UsageError                  2    arguments or configuration; nothing was contacted
├── NeedsAttention              3    hosts differ, or nobody can say where traffic goes
├── Locked                      4    another run holds the lock
├── Unreachable                 5    a host or registry cannot be reached or refused us
│   ├── HostKeyRefused          5    the host key is unknown or has changed
│   └── DeputyGone              5    the process of ours that led a host has ended
├── CheckRefused                6    policy, drift, scan
└── Interrupted                 130  a signal; the state is safe
```
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class RestoopsError(Exception):
    """A failure with a message (what, where) and a hint (what to do now)."""

    status = 1

    def __init__(self, message: str, *, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details
        """Lines shown above the error, such as the last log lines of a container."""

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Callable[..., RestoopsError], tuple[Any, ...], dict[str, Any]]:
        """Let it be copied, and told to another process, whatever its class is made with."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class StepFailed(RestoopsError):
    """A step failed; what served before still serves."""


class CommandFailed(StepFailed):
    """A program ended with a status other than 0."""

    def __init__(self, message: str, *, exit_code: int, output: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint, details=output)
        self.exit_code = exit_code


class Unhealthy(RestoopsError):
    """An environment is degraded or down, or still was when the time was up."""


class Refused(RestoopsError):
    """What was asked for is not possible or was not confirmed; nothing changed."""


class UsageError(RestoopsError):
    """Arguments or configuration are wrong; nothing was contacted."""

    status = 2


class NeedsAttention(RestoopsError):
    """A person must look: hosts differ or traffic is unclear."""

    status = 3


class Locked(RestoopsError):
    """Another run holds the lock of a host."""

    status = 4


class Unreachable(RestoopsError):
    """Something could not be reached or refused us; what was asked for was not begun."""

    status = 5


class HostKeyRefused(Unreachable):
    """The SSH host key is unknown or differs from the one on record."""


class DeputyGone(Unreachable):
    """The second process of a large fleet has ended; nobody can say how far its hosts have come."""


class CheckRefused(RestoopsError):
    """A check (policy, drift, scan) said no."""

    status = 6


class Interrupted(RestoopsError):
    """A signal ended the run between two steps; the state is safe."""

    status = 130
