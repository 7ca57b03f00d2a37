"""Forms of text that settings can have.

Every text of `restoops.yaml` passes one of these, so that no setting can be read as an option,
as a path that leaves its directory, or as a line of somebody's configuration file.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Form:
    """A text of one form; a fault says `meaning`, never the value and never an expression."""

    meaning: str
    is_met_by: Callable[[str], object]

    def check(self, text: str) -> str:
        """Return `text`, or raise `ValueError` with what it should be."""
        if not self.is_met_by(text):
            raise ValueError(f"Input should be {self.meaning}")
        return text

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"form": self.meaning}


def matching(expression: str, meaning: str) -> Form:
    """Return the form of texts that match `expression` as a whole."""
    return Form(meaning, re.compile(expression).fullmatch)


def _is_host(text: str) -> bool:
    if ":" in text or re.fullmatch(r"[0-9.]+", text):
        return _is_address(text)
    return bool(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", text))


def _is_address(text: str) -> bool:
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _is_subnet(text: str) -> bool:
    ranges = (ipaddress.IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return network.prefixlen <= 27 and any(network.subnet_of(range_) for range_ in ranges)


def _is_registry(text: str) -> bool:
    match = re.fullmatch(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:([0-9]{1,5}))?", text)
    return bool(match) and 1 <= int((match and match[3]) or 443) <= 65535


def _is_public_url(text: str) -> bool:
    match = re.fullmatch(
        r"https?://(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+?)(:([0-9]{1,5}))?(/[A-Za-z0-9._~-]+)*", text
    )
    if not match:
        return False
    return _is_host(match[1].strip("[]")) and 1 <= int(match[3] or 443) <= 65535


def _is_json_path(text: str) -> bool:
    import jmespath

    try:
        return bool(jmespath.compile(json_path(text)))
    except jmespath.exceptions.JMESPathError:
        return False


def json_path(text: str) -> str:
    """Return a path as JMESPath writes it: without the `$` that JSONPath has for the root."""
    return re.sub(r"^\$\.?(?=.)", "", text)


@dataclass(frozen=True, slots=True)
class Argv:
    """A program and its arguments: a list, or one line that is split as a shell would."""

    meaning: str = "list of a program and its arguments, or both on one line"

    @property
    def _wish(self) -> str:
        return f'Input should be a {self.meaning}, such as `["npm", "run", "migrate"]`'

    def split(self, value: object) -> object:
        """Return the words of a line; a list is left as it is."""
        if isinstance(value, list | tuple):
            return value
        if not isinstance(value, str):
            raise ValueError(self._wish)  # noqa: TRY004  pydantic takes no TypeError
        try:
            words = shlex.split(value)
        except ValueError:
            raise ValueError("has a quote or a backslash that is not closed") from None
        if any(word in _SHELL_WORDS or re.search(r"[$`;]", word) for word in words):
            raise ValueError(
                'no shell runs it: give a list, `["sh", "-c", "first && second"]` if the line '
                "is meant for a shell"
            )
        if not words:
            raise ValueError(self._wish)
        return words

    def check(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return `argv`, or raise `ValueError` when its program has no name."""
        if argv and not re.fullmatch(r"[^\x00-\x1f\x7f]+", argv[0]):
            raise ValueError(self._wish)
        return argv

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        words = core_schema.no_info_before_validator_function(self.split, handler(source))
        return core_schema.no_info_after_validator_function(self.check, words)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"form": self.meaning}


_SHELL_WORDS = {"&&", "||", "|", "&", ">", ">>", "<", "2>", "2>&1", "!"}

HOST = Form("a host name or an IP address, without user or port", _is_host)

NAME = matching(
    r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
    "lower-case letters, digits and `-` between them, at most 40",
)
KEY = matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "letters, digits, `.`, `_` and `-`, at most 63")

Name = Annotated[str, NAME]
# A label of DNS-safe parts; also what Docker accepts as a repository path.
# https://github.com/distribution/reference (v0.6.0, regexp.go)
Repository = Annotated[
    str,
    Field(max_length=200),
    matching(
        r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
        "a path such as `owner/name`: lower-case letters, digits, and `.`, `_`, `-` between them",
    ),
]
RegistryHost = Annotated[
    str, Field(max_length=253), Form("`host` or `host:port`, without `https://`", _is_registry)
]
ImageName = Annotated[
    str,
    Field(max_length=300),
    matching(
        r"[a-z0-9][a-zA-Z0-9._:/-]*(@sha256:[0-9a-f]{64})?",
        "an image such as `docker.io/library/haproxy:3.2.4-alpine`",
    ),
]
HostAddress = Annotated[str, Field(max_length=253), HOST]
UserName = Annotated[
    str, matching(r"[a-z_][a-z0-9_-]{0,31}", "a user name: lower-case letters, digits, `_` and `-`")
]
VariableName = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_]*", "the name of a variable: letters, digits and `_`, no digit first"
    ),
]
NoControl = Annotated[str, matching(r"[^\x00-\x1f\x7f]*", "one line without control characters")]
# Other letters have no encoding that every server and proxy would read in the same way.
HeaderText = Annotated[
    str,
    Field(max_length=4000),
    matching(r"[\x20-\x7e]*", "one line of ASCII: letters, digits and signs"),
]
Argument = Annotated[
    str,
    Field(max_length=100_000),  # Linux: at most 128 KiB each (`man 2 execve`)
    matching(r"[^\x00-\x08\x0b-\x1f\x7f]*", "text without control characters"),
]
Command = Annotated[tuple[Argument, ...], Field(max_length=1000), Argv()]
FileName = Annotated[
    str, Field(max_length=1000), matching(r"[^\x00-\x1f\x7f]+", "a path without control characters")
]
EnvFile = Annotated[
    str,
    Field(max_length=1000),
    matching(
        r"([^\x00-\x1f\x7f{}]|\{app\}|\{environment\})+",
        "a path without control characters, and without braces other than `{app}` and "
        "`{environment}`",
    ),
]
# Nothing that a shell or haproxy.cfg would read as more than a part of a path.
UrlPath = Annotated[
    str,
    Field(max_length=1000),
    matching(
        r"/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*", "a path that starts with `/`, percent-encoded, no `#`"
    ),
]
Volume = Annotated[
    str,
    Field(max_length=1000),
    matching(
        r"(/[^:\x00-\x1f\x7f]*|[a-zA-Z0-9][a-zA-Z0-9_.-]+):/[^:\x00-\x1f\x7f]*(:(ro|rw))?",
        "`volume:/path` or `/directory:/path`, with `:ro` to keep the release from writing",
    ),
]
Directory = Annotated[
    str,
    # A Unix socket below it may have a path of 107 bytes (`man 7 unix`).
    Field(max_length=48),
    matching(
        r"(/(?!\.\.?(/|$))[A-Za-z0-9._][A-Za-z0-9._-]*)+",
        "an absolute path of letters, digits, `.`, `_` and `-`, without `..` or a `/` at its end",
    ),
]
SecretPlace = Annotated[
    str,
    Field(max_length=1024),
    Form(
        "the name of an environment variable, or a file with a `/` in its path; a URL that is a "
        "secret stays out of here",
        lambda text: (
            re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text)
            or ("/" in text and ":" not in text and text.isprintable())
        ),
    ),
]
ReportUrl = Annotated[
    str,
    Field(max_length=1024),
    matching(r"https?://[A-Za-z0-9][^\s<>|\"'`]*", "a URL, `https://...`, perhaps with `{run}`"),
]
OutputName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_-]*", "the name of a Terraform output")]
Subnet = Annotated[
    str, Form("a private IPv4 network of /27 or larger, such as `172.30.0.0/24`", _is_subnet)
]
TagPattern = Annotated[
    str,
    matching(
        r"([A-Za-z0-9_.*?-]|<sha>|<semver>|<branch>){1,128}",
        "a tag, or a pattern of tags such as `v*`, `<semver>`, `main-<sha>`",
    ),
]
PUBLIC_URL = Form(
    "an address such as `https://api.example.com`, without user, query or `/` at its end",
    _is_public_url,
)
PublicUrl = Annotated[str, Field(max_length=300), PUBLIC_URL]
CheckName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9/]([A-Za-z0-9 ._/-]{0,58}[A-Za-z0-9._/-])?",
        "letters, digits, `.`, `_`, `/`, `-` and spaces between them, at most 60",
    ),
]
# RFC 9110, section 5.6.2. What frames a request is not for the operator to say.
HeaderName = Annotated[
    str,
    Field(max_length=100),
    matching(
        r"(?!(?i:content-length|transfer-encoding|connection|x-restoops-slot)$)"
        r"[A-Za-z0-9!#$%&'*+.^_`|~-]+",
        "the name of a header, such as `content-type`",
    ),
]
JsonPath = Annotated[
    str,
    Field(max_length=300),
    Form("a path into JSON, such as `services.database.status` or `items[0].name`", _is_json_path),
]
GithubRepository = Annotated[
    str,
    Field(max_length=140),
    matching(
        r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.\.?$)[A-Za-z0-9._-]+",
        "a repository on GitHub, `owner/name`",
    ),
]
GithubEnvironment = Annotated[
    str,
    Field(max_length=255),
    matching(
        r"([^\x00-\x1f\x7f{}\s]|\{environment\})+",
        "a name without blanks and without braces other than `{environment}`",
    ),
]
# A token goes there.
ApiUrl = Annotated[
    str,
    Field(max_length=300),
    matching(
        r"(https://[a-zA-Z0-9.-]+(:[0-9]{1,5})?|http://(127\.[0-9.]+|localhost)(:[0-9]{1,5})?)"
        r"(/[A-Za-z0-9._~-]+)*",
        "an address such as `https://api.github.com`, with `https://` and no `/` at its end",
    ),
]
