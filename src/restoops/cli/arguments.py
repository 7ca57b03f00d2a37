"""What is typed behind a command, read and refused before anything is contacted."""

from __future__ import annotations

import re

from restoops.errors import UsageError

_UNITS_S = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}
_LONGEST_S = 86400


def tag_argument(text: str) -> str:
    """Return the tag that the operator means.

    Raises:
        UsageError: the text cannot be one.
    """
    from restoops.model import tag_of

    try:
        return tag_of(text)
    except ValueError as error:
        raise UsageError(
            str(error), hint="For example `sha-abc1234`, `main-abc1234`, or a Git SHA: `abc1234`."
        ) from error


def release_argument(text: str) -> str:
    """Return the text if it can name a release that was live: a tag, a Git SHA or a digest.

    Which of them it is, the history of the hosts tells: twelve digits may be a SHA or a digest.

    Raises:
        UsageError: the text cannot be one.
    """
    from restoops.model import is_digest

    if text.startswith("sha256:") and not is_digest(text):
        raise UsageError(
            f"{text!r} is no digest",
            hint="`sha256:` and 64 hexadecimal digits, or the first twelve of them.",
        )
    if not is_digest(text):
        tag_argument(text)
    return text


def image_argument(text: str) -> str:
    """Return the tag or the digest that the operator means.

    Raises:
        UsageError: the text cannot be one.
    """
    from restoops.model import Digest

    if not text.startswith("sha256:"):
        return tag_argument(text)
    try:
        return str(Digest(text))
    except ValueError as error:
        hint = "A registry wants all of it: `sha256:` and 64 hexadecimal digits."
        raise UsageError(f"{text!r} is no whole digest", hint=hint) from error


def batch_argument(text: str) -> str:
    """Return the size of a batch as it was given.

    Raises:
        UsageError: it is neither a number of hosts nor a share.
    """
    from restoops.plan.fleet import in_batches

    try:
        in_batches((), text)
    except ValueError as error:
        raise UsageError(
            f"--batch: {error}", hint="For example `2` or `25%`, of the hosts of an environment."
        ) from error
    return text


def wait_argument(text: str) -> float:
    """Return the seconds of `60s`, `5m`, `1h`, or of a number of seconds.

    Raises:
        UsageError: it is none of these, or longer than a day.
    """
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(s|m|min|h|)", text.strip())
    seconds = float(match[1]) * _UNITS_S[match[2]] if match else _LONGEST_S + 1
    if seconds > _LONGEST_S:
        raise UsageError(
            f"--wait: {text[:40]!r} is no length of time up to a day",
            hint="For example `60s`, `5m`, or a number of seconds.",
        )
    return seconds


def age_argument(text: str) -> float:
    """Return the seconds of `12h`, `30d` or `8w`; none for no text.

    A number alone is refused: taken for seconds, it would let younger images go than was meant.

    Raises:
        UsageError: it is none of these.
    """
    from restoops.plan.ages import age_s

    try:
        return age_s(text) if text else 0.0
    except ValueError as error:
        raise UsageError(
            f"--older-than: {error}", hint="For example `12h`, `30d` or `8w`."
        ) from error
