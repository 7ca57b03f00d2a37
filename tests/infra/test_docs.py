"""Every command of `restoops infra` that the documentation shows works as shown, in its order."""

from pathlib import Path

from tests.docs_text import PAGES, shown_commands
from tests.infra.s3 import serving
from tests.infra.stage import MAIN, Stage, stage

FINAL_MAIN = MAIN.replace("terraform {\n", 'terraform {\n  backend "s3" {}\n', 1).replace(
    '"dev', '"staging'
)
# Those that need droplets are run in tests/e2e.
SHOWN = [
    it
    for page in PAGES
    for it in shown_commands(page)
    if it.words[:1] == ["infra"] and it.words[1] != "provision"
]


def test_every_command_that_is_shown_works(tmp_path: Path) -> None:
    with serving() as server, stage(tmp_path, FINAL_MAIN, "staging") as project:
        project.env.update(
            AWS_ENDPOINT_URL_S3=server.url,
            SPACES_ACCESS_KEY_ID="spaces-key",
            SPACES_SECRET_ACCESS_KEY="spaces-secret-0123456789",
        )
        # The page has them in the order of an environment's life.
        ended = {it.line: run_shown(project, it.words[1:]) for it in SHOWN}

    assert {line: said for line, said in ended.items() if said} == {}
    assert len(ended) > 25


def run_shown(project: Stage, words: list[str]) -> str:
    """Run a command at a terminal where somebody says yes; return what it said if it failed."""
    done = project.run(*words, typed="y\n")
    return "" if done.status == 0 else f"status {done.status}\n{done.all}"
