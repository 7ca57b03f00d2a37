"""The tables of inputs and outputs in the READMEs of Terraform modules.

`python -m tests.terraform.tables` writes them anew, between `<!-- inputs -->` or `<!-- outputs -->`
and `<!-- end -->`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
from hcl2 import SerializationOptions

from tests.terraform.estate import ENVIRONMENTS, MODULES, TREE

FOLDERS = (
    *(TREE / "modules" / name for name in MODULES),
    *(TREE / "environments" / name for name in ENVIRONMENTS),
)
GENERATED = re.compile(r"(<!-- (inputs|outputs) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
PLAIN = SerializationOptions(with_comments=False, strip_string_quotes=True)
Block = dict[str, Any]


def blocks(folder: Path, kind: str) -> Iterator[tuple[str, Block]]:
    """Yield the blocks of a kind in a module, in the order of their files."""
    for file in sorted(folder.glob("*.tf")):
        text = file.read_text()
        for labelled in hcl2.loads(text, serialization_options=PLAIN).get(kind, []):
            yield from labelled.items()


def source_of(folder: Path, name: str, attribute: str) -> str:
    """Return what a variable's attribute is, as it is written."""
    text = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
    block = re.search(rf'^variable "{name}" {{\n(.*?)^}}', text, re.DOTALL | re.MULTILINE)
    assert block, f"{folder.name}: no variable {name}"
    found = re.search(rf"^  {attribute} += (.*?)(?=^  \S|\Z)", block[1], re.DOTALL | re.MULTILINE)
    closed = re.search(rf"^  {attribute} += (.*?^  [}})\]]+)$", block[1], re.DOTALL | re.MULTILINE)
    opened = found and re.search(r"[({\[]$", found[1].splitlines()[0])
    chosen = closed if opened else found
    return in_one_line(chosen[1]) if chosen else ""


def in_one_line(source: str) -> str:
    """Return an expression that stands in several lines, with commas where it had their ends."""
    lines = [" ".join(line.split()) for line in source.strip().splitlines()]
    ends = ["" if line[-1] in "({[," else "," for line in lines]
    pairs = zip(lines, ends, [*lines[1:], ""], strict=True)
    return " ".join(
        line + ("" if not following or following[0] in ")}]" else end)
        for line, end, following in pairs
    )


def inputs(folder: Path) -> str:
    """Return the table of a module's variables."""
    lines = ["| input | type | default | what |", "| --- | --- | --- | --- |"]
    for name, variable in blocks(folder, "variable"):
        default = source_of(folder, name, "default")
        shown = f"`{default}`" if default else "required"
        kind = source_of(folder, name, "type")
        secret = " Secret." if variable.get("sensitive") else ""
        lines.append(f"| `{name}` | `{kind}` | {shown} | {variable['description']}{secret} |")
    return "\n".join(lines) + "\n"


def outputs(folder: Path) -> str:
    """Return the table of a module's outputs."""
    lines = ["| output | what |", "| --- | --- |"]
    for name, output in blocks(folder, "output"):
        secret = " Secret." if output.get("sensitive") else ""
        lines.append(f"| `{name}` | {output['description']}{secret} |")
    return "\n".join(lines) + "\n"


def renewed(folder: Path, text: str) -> str:
    """Return a README with its tables as they should be."""
    tables = {"inputs": inputs(folder), "outputs": outputs(folder)}
    return GENERATED.sub(lambda found: found[1] + tables[found[2]] + found[4], text)


if __name__ == "__main__":
    for folder in FOLDERS:
        path = folder / "README.md"
        path.write_text(renewed(folder, path.read_text()))
