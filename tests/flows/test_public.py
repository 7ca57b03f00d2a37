"""The address that clients use, from settings or from Terraform's state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from restoops.config.load import Loaded, load
from restoops.errors import UsageError
from restoops.flows.public import outside_of, public_url

HOSTS = {"a": {"public": "192.0.2.1"}}


def loaded(folder: Path, url: object, settings: str = "") -> Loaded:
    """Settings whose hosts and address are in a state of Terraform, as an apply leaves it."""
    state = {
        "version": 4, "terraform_version": "1.6.0", "serial": 1, "lineage": "a",
        "outputs": {"url": {"value": url, "type": "string" if isinstance(url, str) else "bool"}},
        "resources": [],
    }  # fmt: skip
    (folder / "tf").mkdir()
    (folder / "tf" / "terraform.tfstate").write_text(json.dumps(state))
    (folder / "restoops.yaml").write_text(
        f"environments: {{staging: {{terraform: {{directory: tf, url: url}}{settings}}}}}"
    )
    return load("staging", start=folder, environ={}, terraform_outputs=lambda *_: HOSTS)


def test_terraform_s_output_is_the_address(tmp_path: Path) -> None:
    assert public_url(loaded(tmp_path, "https://api.example.com")) == "https://api.example.com"


def test_an_address_in_the_settings_wins(tmp_path: Path) -> None:
    own = ", public: {url: 'https://own.example.com'}"
    assert public_url(loaded(tmp_path, True, own)) == "https://own.example.com"


def test_an_output_that_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Terraform output `url` of tf should be an address") as it:
        public_url(loaded(tmp_path, "https://me:secret@a.example"))
    assert "secret" not in it.value.message + it.value.hint


def test_without_smoke_checks_a_deploy_does_not_ask_for_it(tmp_path: Path) -> None:
    assert not outside_of(loaded(tmp_path, True), lambda _: None).is_asked
