"""Every command of `restoops secrets` that the documentation shows works as shown, in its order."""

import shutil
from pathlib import Path

from tests.docs_text import PAGES, PROJECT, shown_commands
from tests.safekeeping.canaries import PASSWORD
from tests.safekeeping.stage import Project

SHOWN = [
    it
    for page in PAGES
    for it in shown_commands(page)
    if it.words[:1] == ["secrets"]
    and it.words[1] not in ("push", "rotate", "status")  # e2e, test_github
]


def test_every_command_that_is_shown_works(project: Project) -> None:
    shutil.copytree(PROJECT / "templates", project.folder, dirs_exist_ok=True)
    project.write("restoops.yaml", "environments: {staging: {hosts: [192.0.2.10]}}\n")
    values = (
        f"DATABASE_URL=postgresql://app:{PASSWORD}@db:5432/app\nREDIS_URL=rediss://:{PASSWORD}@r\n"
    )
    project.write("../home/.config/restoops/restomarket-api/staging.env", values, 0o600)
    project.commit()

    ended = {it.line: project.run(*it.words[1:]) for it in SHOWN}

    assert {line: done.all for line, done in ended.items() if done.status} == {}
    assert len(ended) > 8
    assert (Path(project.folder) / "leaks.sarif").exists()
