"""Values as Terraform sends them, and the schema as it wants it."""

import json
from typing import Any

import msgpack
from tf.gen import tfplugin_pb2 as pb

Attributes = dict[str, Any]

UNKNOWN = msgpack.ExtType(0, b"\0")
"""A value that is known only after apply."""

NESTING = {"list": "LIST", "set": "SET", "single": "SINGLE", "map": "MAP", "group": "GROUP"}
FLAGS = ("required", "optional", "computed", "sensitive", "deprecated", "description")


def unpack(sent: Any) -> Any:
    """Return a value that Terraform sent, or None for none."""
    if sent.json:
        return json.loads(sent.json)
    if not sent.msgpack:
        return None
    return msgpack.unpackb(sent.msgpack, ext_hook=lambda *_: UNKNOWN, strict_map_key=False)


def pack(value: object) -> Any:
    """Return a value in the form in which Terraform takes it."""
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def has_unknown(value: object) -> bool:
    """Say whether anything in a value is known only after apply."""
    if value == UNKNOWN:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(has_unknown, inner))


def zero(kind: Any) -> object:
    """Return the empty value of a type, as Go has it."""
    if isinstance(kind, str):
        return {"string": "", "number": 0, "bool": False}[kind]
    return {} if kind[0] == "map" else []


def to_block(block: Attributes) -> Any:
    """Return a block of `terraform providers schema -json` in the form of the protocol."""
    return pb.Schema.Block(
        attributes=[_to_attribute(*item) for item in sorted(block.get("attributes", {}).items())],
        block_types=[_to_nested(*item) for item in sorted(block.get("block_types", {}).items())],
    )


def _to_attribute(name: str, attribute: Attributes) -> Any:
    flags = {flag: attribute[flag] for flag in FLAGS if flag in attribute}
    return pb.Schema.Attribute(name=name, type=json.dumps(attribute["type"]).encode(), **flags)


def _to_nested(name: str, nested: Attributes) -> Any:
    return pb.Schema.NestedBlock(
        type_name=name,
        block=to_block(nested["block"]),
        nesting=NESTING[nested["nesting_mode"]],
        min_items=nested.get("min_items", 0),
        max_items=nested.get("max_items", 0),
    )


def deprecation(path: str) -> Any:
    """Return the warning that Terraform shows for a deprecated argument."""
    step = pb.AttributePath.Step(attribute_name=path.split(".")[0])
    return pb.Diagnostic(
        severity=pb.Diagnostic.WARNING,
        summary="Argument is deprecated",
        detail=f"{path} is deprecated",
        attribute=pb.AttributePath(steps=[step]),
    )


def error(text: str, attribute: str = "", summary: str = "") -> Any:
    """Return an error that Terraform shows, at the attribute it is about."""
    steps = [pb.AttributePath.Step(attribute_name=attribute)] if attribute else []
    return pb.Diagnostic(
        severity=pb.Diagnostic.ERROR,
        summary=summary or text,
        detail=text,
        attribute=pb.AttributePath(steps=steps),
    )
