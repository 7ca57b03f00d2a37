"""Expressions of GitHub Actions, as far as our workflows use them; any other is an error.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKENS = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<mark>&&|\|\||==|!=|[!().,*]))"
)
_WHOLE = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
_STATUS = re.compile(r"\b(success|failure|always|cancelled)\(\)")

Function = Callable[..., Any]


class UnknownExpression(Exception):
    """Our workflows use something that is not understood here."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may refer to."""

    contexts: Mapping[str, Any]
    functions: Mapping[str, Function] = field(default_factory=dict)

    def value(self, expression: str) -> Any:
        """Return the value of an expression."""
        return _Parser(expression, self).parsed()

    def text(self, template: Any) -> str:
        """Return a value of YAML with its expressions filled in, as a text."""
        return _WHOLE.sub(lambda found: as_text(self.value(found[1])), as_text(template))

    def filled(self, template: Any) -> Any:
        """Return a value of YAML; what is one expression keeps its type."""
        if isinstance(template, Mapping):
            return {name: self.filled(value) for name, value in template.items()}
        if not isinstance(template, str):
            return template
        whole = _WHOLE.fullmatch(template.strip())
        return self.value(whole[1]) if whole else self.text(template)

    def holds(self, condition: Any) -> bool:
        """Return whether an `if:` holds; one that asks for no status wants success as well."""
        if condition is None:
            return is_true(self.value("success()"))
        text = str(condition).strip()
        whole = _WHOLE.fullmatch(text)
        inner = whole[1] if whole else text
        if not _STATUS.search(inner) and not is_true(self.value("success()")):
            return False
        return is_true(self.value(inner))


def as_text(value: Any) -> str:
    """Return a value as it stands in a text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_true(value: Any) -> bool:
    """Return whether a value counts as true: `''`, 0, false and nothing do not."""
    return value not in (None, False, 0, "")


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if type(left) is type(right):
        return bool(left == right)
    return _number(left) == _number(right)


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0
    try:
        return float(value)
    except ValueError:
        return float("nan")


class _Parser:
    def __init__(self, expression: str, scope: Scope) -> None:
        self._expression = expression
        self._scope = scope
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = expression.strip()
        while position < len(text):
            found = _TOKENS.match(text, position)
            if not found or not found.lastgroup:
                raise self._unknown()
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def parsed(self) -> Any:
        value = self._either()
        if self._tokens:
            raise self._unknown()
        return value

    def _unknown(self) -> UnknownExpression:
        return UnknownExpression(self._expression)

    def _next_is(self, *marks: str) -> str:
        if self._tokens and self._tokens[0][1] in marks and self._tokens[0][0] == "mark":
            return self._tokens.pop(0)[1]
        return ""

    def _either(self) -> Any:
        value = self._both()
        while self._next_is("||"):
            other = self._both()
            value = value if is_true(value) else other
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._next_is("&&"):
            other = self._equal()
            value = other if is_true(value) else value
        return value

    def _equal(self) -> Any:
        value = self._not()
        while mark := self._next_is("==", "!="):
            value = _same(value, self._not()) == (mark == "==")
        return value

    def _not(self) -> Any:
        if self._next_is("!"):
            return not is_true(self._not())
        return self._one()

    def _one(self) -> Any:
        if self._next_is("("):
            value = self._either()
            if not self._next_is(")"):
                raise self._unknown()
            return value
        if not self._tokens:
            raise self._unknown()
        kind, text = self._tokens.pop(0)
        match kind:
            case "text":
                return text[1:-1].replace("''", "'")
            case "number":
                return int(text)
            case "name":
                return self._named(text)
        raise self._unknown()

    def _named(self, name: str) -> Any:
        if self._next_is("("):
            return self._called(name)
        if name in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[name]
        if name not in self._scope.contexts:
            raise self._unknown()
        value = self._scope.contexts[name]
        while self._next_is("."):
            value = self._property(value)
        return value

    def _property(self, value: Any) -> Any:
        if self._next_is("*"):
            return list(value.values()) if isinstance(value, Mapping) else list(value or ())
        kind, key = self._tokens.pop(0) if self._tokens else ("", "")
        if kind != "name":
            raise self._unknown()
        if isinstance(value, list):
            return [it.get(key) for it in value]
        return value.get(key) if isinstance(value, Mapping) else None

    def _called(self, name: str) -> Any:
        if name not in self._scope.functions:
            raise self._unknown()
        arguments = []
        while not self._next_is(")"):
            arguments.append(self._either())
            self._next_is(",")
            if not self._tokens:
                raise self._unknown()
        return self._scope.functions[name](*arguments)
