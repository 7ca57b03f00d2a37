"""How long it takes, and how much memory, to tell a large plan in short."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import RESTOOPS, Row, Series, repeated, timed
from tests.infra.stage import stage

RESOURCES = 2_000
TIMES = 5
BLOCKS = 50
HEAD = """\
terraform {
  required_providers {
    digitalocean = { source = "digitalocean/digitalocean" }
  }
}
"""
BLOCK = """
resource "digitalocean_droplet" "web%(number)s" {
  for_each = toset([for it in range(%(each)s) : tostring(it)])

  name   = "web-%(number)s-${each.key}"
  image  = "ubuntu-24-04-x64"
  region = "nyc3"
  size   = "s-1vcpu-1gb"
  tags   = ["web"]
}
"""
# Terraform itself takes minutes for 2,000 instances of one resource.
MAIN = HEAD + "".join(
    BLOCK % {"number": number, "each": RESOURCES // BLOCKS} for number in range(BLOCKS)
)


def rows() -> Iterator[Row]:
    """Yield the figures for the summary of a plan, as text, as JSON and as Markdown."""
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), MAIN) as project:
        project.good("init", "dev")
        project.good("plan", "dev", "--out", "dev.plan")
        show = ("terraform", "show", "-json", str(project.folder / "dev.plan"))
        env = project.variables({})
        reading = repeated(TIMES, lambda _: timed(show, project.root, env))
        for form in ((), ("--json",), ("--markdown",)):
            argv = (RESTOOPS, "infra", "plan", "dev", "--saved", "dev.plan", *form)
            whole = repeated(TIMES, lambda _, argv=argv: timed(argv, project.folder, env))  # type: ignore[misc]
            yield _row(" ".join(form), whole, reading)


def _row(form: str, whole: Series, reading: Series) -> Row:
    """Return one figure, from Enter to exit; memory is that of the larger of the two programs."""
    return Row(
        f"summary of a plan with {RESOURCES:,} resources{f', {form}' if form else ''}",
        f"{whole}, {whole.peak_mib:.0f} MiB",
        "2 s, 200 MiB",
        f"{whole.note}; {reading.seconds:.2f} s of it terraform reading its plan",
    )


if __name__ == "__main__":
    for row in rows():
        print(row)
