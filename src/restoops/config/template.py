"""Render the commented `restoops.yaml` that `restoops init` writes."""

from __future__ import annotations

import textwrap

from restoops.config.described import Key, keys, summary
from restoops.config.schema import sections
from restoops.config.section import Section

_HEAD = """\
# Configuration of restoops; docs/configuration.md describes every key.
#
# What is commented out is the default. To change it, remove the `#` in front of the key.
# Any key can also be set by a variable: RESTOOPS_HEALTH__TIMEOUT_S=30.
"""

_ENVIRONMENTS = """\
# Where to deploy to. An environment has its hosts, and any section from above with the keys
# that differ there.
environments:
  # This machine's own Docker engine, without SSH.
  local:
    connection: local

  # Hosts by address, or by a name of ~/.ssh/config.
  #dev:
    #hosts: [192.0.2.10]
    #container:
      #environment:
        #LOG_LEVEL: debug

  # Hosts from Terraform outputs: a map of droplet keys to public and private addresses.
  #staging:
    #terraform:
      #directory: terraform/environments/staging

  #production:
    #terraform:
      #directory: terraform/environments/production
      #address: private
    #health:
      #timeout_s: 120
"""


def render() -> str:
    """Return a file that sets nothing but the environment `local`."""
    parts = [_HEAD, *(_section(name, model) for name, model in sections().items()), _ENVIRONMENTS]
    return "\n".join(parts)


def _section(name: str, model: type[Section]) -> str:
    lines = [*_comment(summary(model), ""), f"{name}:"]
    for key in keys(model):
        lines += [*_comment(key.meaning, "  "), f"  #{_setting(key)}"]
    return "\n".join(lines) + "\n"


def _setting(key: Key) -> str:
    return f"{key.name}: {key.default or 'null'}"


def _comment(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    return textwrap.wrap(
        text, 95, initial_indent=start, subsequent_indent=start, break_on_hyphens=False
    )
