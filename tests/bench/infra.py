"""How long it takes, and how much memory, to tell a large plan in short."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import RESTOOPS, repeated, timed
from tests.bench.samples import Limit, Samples
from tests.bench.stage import Stage
from tests.infra.stage import stage as staged

RESOURCES = 2_000
TIMES = 5
BLOCKS = 50
FORMS = {"text": "text", "json": "JSON", "markdown": "Markdown"}
ABOUT = f"""\
`infra plan --saved` of a plan with {RESOURCES:,} droplets that the real terraform made,
against an imitation of DigitalOcean's API. Each from Enter to exit; memory is that of the
larger of the two programs."""
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


def measure(stage: Stage) -> Iterator[Samples]:
    """Summarise one plan as text, as JSON and as Markdown."""
    times = stage.times(TIMES)
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder), MAIN) as project:
        project.good("init", "dev")
        project.good("plan", "dev", "--out", "dev.plan")
        show = ("terraform", "show", "-json", str(project.folder / "dev.plan"))
        env = project.variables({})
        reading = repeated(times, lambda _: timed(show, project.root, env))
        yield reading.seconds("terraform", "terraform reading its plan, part of each of the others")
        for form in ("text", "json", "markdown"):
            options = () if form == "text" else (f"--{form}",)
            argv = (RESTOOPS, "infra", "plan", "dev", "--saved", "dev.plan", *options)
            whole = repeated(times, lambda _, argv=argv: timed(argv, project.folder, env))  # type: ignore[misc]
            end = f"{RESOURCES:,} resources, as {FORMS[form]}"
            yield whole.seconds(form, f"summary of a plan with {end}", Limit(2))
            yield whole.memory(
                f"{form}_memory", f"peak memory for a plan with {end}", Limit(200, "largest")
            )
