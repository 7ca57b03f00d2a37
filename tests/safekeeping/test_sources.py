"""Where secrets are kept: files, age, a password store. Values are in no output of any of them."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pyrage
import pytest

from restoops.adapters.source_age import AgeSource
from restoops.adapters.source_command import CommandSource
from restoops.adapters.source_file import FileSource
from restoops.errors import RestoopsError, Unreachable, UsageError
from restoops.flows.secrets_sources import Writable
from restoops.model import Secret
from restoops.plan.fingerprints import KEY_NAME
from tests.docs_shell import lines, typed
from tests.safekeeping.canaries import PASSWORD
from tests.safekeeping.stage import Project

SETTINGS = "app: {name: menu}\nenvironments: {staging: {hosts: [192.0.2.10]}}\n"
TEXT = f"# a comment\nSESSION_KEY={PASSWORD}\n\n# another\nOTHER=1\n"
HOSTILE = "a'b\"c\\d\\'e $F `g` #h\nsecond line\n ü "


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def age(tmp_path: Path, identity: pyrage.x25519.Identity) -> AgeSource:
    """An encrypted file, and the key to it."""
    key, path = tmp_path / "age.key", tmp_path / "staging.env.age"
    key.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    key.chmod(0o600)
    path.write_bytes(pyrage.encrypt(TEXT.encode(), [identity.to_public()]))
    return AgeSource(path, key, [str(identity.to_public())])


@pytest.fixture
def file(tmp_path: Path) -> FileSource:
    path = tmp_path / "staging.env"
    path.write_text(TEXT)
    path.chmod(0o600)
    return FileSource(path)


def command(*argv: str, names: Sequence[str] = ("A", "B"), timeout_s: float = 60) -> CommandSource:
    return CommandSource(argv, names, timeout_s, Path())


def revealed(source: Writable | CommandSource) -> dict[str, str]:
    return {name: it.reveal() for name, it in source.read().items()}


def assert_shows_nothing(error: RestoopsError) -> None:
    assert PASSWORD not in f"{error.message} {error.hint} {error.details}"


@pytest.mark.parametrize("kind", ["file", "age"])
def test_a_new_value_is_stored_whole_and_nothing_else_changes(
    kind: str, request: pytest.FixtureRequest
) -> None:
    source: FileSource | AgeSource = request.getfixturevalue(kind)
    assert isinstance(source, Writable)

    source.write({"SESSION_KEY": Secret(HOSTILE), "NEW": Secret("n")})
    source.write({"NEW": Secret("m")})

    assert revealed(source) == {"SESSION_KEY": HOSTILE, "OTHER": "1", "NEW": "m"}
    assert source.path.stat().st_mode & 0o777 == 0o600
    assert [it.name for it in source.path.parent.iterdir() if it.name.startswith(".")] == []


def test_age_itself_and_restoops_read_what_the_other_wrote(tmp_path: Path) -> None:
    """The lines that the guide shows, as they stand, with a key in the place of each `age1…`."""
    make_key, encrypt = lines("age")
    key = tmp_path / ".config" / "restoops" / "age.key"
    key.parent.mkdir(parents=True)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "staging.env").write_text(TEXT)

    typed(make_key, tmp_path)
    public = typed(f"age-keygen -y {key}", tmp_path).strip()
    typed(encrypt.replace("age1…", public), tmp_path)
    source = AgeSource(tmp_path / "secrets" / "staging.env.age", key, [public])

    assert revealed(source) == {"SESSION_KEY": PASSWORD, "OTHER": "1"}
    assert not (tmp_path / "staging.env").exists()
    source.write({"SESSION_KEY": Secret("new")})
    assert typed(f"age -d -i {key} {source.path}", tmp_path) == TEXT.replace(PASSWORD, "'new'")


def test_comments_and_order_of_a_file_stay(file: FileSource) -> None:
    file.write({"SESSION_KEY": Secret("new")})

    assert file.path.read_text() == TEXT.replace(PASSWORD, "'new'")


def test_a_file_that_is_a_link_stays_one(file: FileSource, tmp_path: Path) -> None:
    link = tmp_path / "link.env"
    link.symlink_to(file.path)

    FileSource(link).write({"OTHER": Secret("2")})

    assert link.is_symlink()
    assert revealed(file)["OTHER"] == "2"


def test_age_encrypts_for_all_recipients_and_for_nobody_else(age: AgeSource) -> None:
    other, stranger = (pyrage.x25519.Identity.generate() for _ in range(2))
    recipients = [*age.recipients, str(other.to_public())]

    AgeSource(age.path, age.identity, recipients).write({"OTHER": Secret("2")})

    data = age.path.read_bytes()
    assert PASSWORD.encode() not in data
    assert PASSWORD.encode() in pyrage.decrypt(data, [other])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(data, [stranger])


def test_a_key_of_age_that_others_can_read_is_refused(age: AgeSource) -> None:
    age.identity.chmod(0o640)

    with pytest.raises(UsageError, match="can be read by other users") as told:
        age.read()

    assert f"chmod 600 {age.identity}" in told.value.hint


def test_what_is_wrong_with_age_is_told_without_a_word_of_the_key(age: AgeSource) -> None:
    def fault() -> UsageError:
        with pytest.raises(UsageError) as told:
            age.read()
        assert_shows_nothing(told.value)
        return told.value

    age.identity.write_text(f"# a key\n{PASSWORD}\n")
    assert "line 2 of" in fault().message
    age.identity.write_text(str(pyrage.x25519.Identity.generate()))
    assert "cannot be decrypted with the key in" in fault().message
    age.path.write_bytes(b"not age at all")
    assert "cannot be decrypted" in fault().message
    age.path.unlink()
    assert "secrets.age_file" in fault().hint


@pytest.mark.parametrize("recipients", [[], ["age1nonsense"], ["ssh-rsa nonsense"]])
def test_age_without_a_good_recipient_keeps_what_was(age: AgeSource, recipients: list[str]) -> None:
    before = age.path.read_bytes()

    with pytest.raises(UsageError, match=r"nobody is named|no public key"):
        AgeSource(age.path, age.identity, recipients).write({"OTHER": Secret("2")})

    assert age.path.read_bytes() == before


def test_age_in_the_repository_serves_a_check(
    project: Project, age: AgeSource, identity: pyrage.x25519.Identity
) -> None:
    project.write("apps/api/.env.example", "SESSION_KEY=<key>\n\nOTHER=<other>\n")
    project.write(
        "restoops.yaml", f"{SETTINGS}secrets: {{source: age, age_identity: {age.identity}}}\n"
    )
    path = project.write("secrets/staging.env.age", "")
    age.write({KEY_NAME: Secret("k" * 32)})
    path.write_bytes(age.path.read_bytes())

    done = project.run("check", "staging")

    assert (done.status, done.err) == (0, "")
    assert "secrets/staging.env.age is as" in done.out
    assert PASSWORD not in done.all
    assert str(identity) not in done.all


def test_a_key_of_age_within_the_repository_is_refused(project: Project) -> None:
    project.write("apps/api/.env.example", "A=<a>\n")
    project.write("restoops.yaml", f"{SETTINGS}secrets: {{source: age, age_identity: age.key}}\n")

    done = project.run("check", "staging")

    assert done.status == 2
    assert "name it with `secrets.age_identity`" in done.err


def test_a_store_is_asked_for_each_variable_by_name() -> None:
    script = "test $1 = B && exit 1; printf 'of %s\\nmore\\n' $1"

    found = revealed(command("sh", "-c", script, "sh", "{name}"))

    assert found == {"A": "of A\nmore"}


def test_a_store_can_print_all_at_once() -> None:
    assert revealed(command("printf", "A=1\nB='2 3'\n")) == {"A": "1", "B": "2 3"}


def test_a_name_is_no_part_of_a_shell() -> None:
    assert revealed(command("echo", "$(id);{name}", names=["A"])) == {"A": "$(id);A"}


@pytest.mark.parametrize("words", [("all",), ("{name}",)])
def test_a_store_that_fails_is_told_and_nothing_that_it_said(words: tuple[str, ...]) -> None:
    script = f"echo {PASSWORD} >&2; echo {PASSWORD}; exit 7"

    with pytest.raises(Unreachable, match="ended with status 7") as told:
        command("sh", "-c", script, *words).read()

    assert told.value.status == 5
    assert_shows_nothing(told.value)


def test_lines_that_are_none_are_told_by_number_only() -> None:
    with pytest.raises(UsageError, match="no NAME=value: 2") as told:
        command("printf", f"A=1\n{PASSWORD}\n").read()

    assert_shows_nothing(told.value)


def test_a_store_that_waits_for_somebody_is_given_up() -> None:
    with pytest.raises(Unreachable, match=r"took longer than 0.1 s") as told:
        command(sys.executable, "-c", "import time; time.sleep(600)", timeout_s=0.1).read()

    assert "secrets.command_timeout_s" in told.value.hint


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="no-such-store is not installed") as told:
        command("no-such-store", "{name}").read()

    assert "secrets.command" in told.value.hint


def test_a_command_serves_a_check(project: Project) -> None:
    project.write("apps/api/.env.example", "SESSION_KEY=<key>\n\n# optional\nNOTE=\n")
    store = 'case "$0" in menu/staging/S*_KEY) echo $STORED$STORED;; *) exit 1;; esac'
    argv = f"['sh', '-c', '{store}', '{{app}}/{{environment}}/{{name}}']"
    project.write("restoops.yaml", f"{SETTINGS}secrets:\n  source: command\n  command: {argv}\n")

    done = project.run("check", "staging", env={"STORED": PASSWORD})

    assert (done.status, done.err) == (0, "")
    assert PASSWORD not in done.all


def test_a_source_without_a_command_is_told(project: Project) -> None:
    project.write("apps/api/.env.example", "A=<a>\n")
    project.write("restoops.yaml", f"{SETTINGS}secrets: {{source: command}}\n")

    done = project.run("check", "staging")

    assert done.status == 2
    assert "`secrets.command` is empty" in done.err


@pytest.mark.parametrize(
    ("key", "told"),
    [("", "SECRETS_FINGERPRINT_KEY is missing"), ("k" * 31, "is shorter than 32 characters")],
)
def test_without_a_key_for_fingerprints_nothing_is_handed_over(
    project: Project, key: str, told: str
) -> None:
    """Where there is no section `secrets`, and so nothing was checked before."""
    project.write("apps/api/.env.example", "SESSION_KEY=<key>\n\nOTHER=<other>\n")
    place = "../home/.config/restoops/menu/staging.env"
    project.write(place, f"{TEXT}SECRETS_FINGERPRINT_KEY={key}\n", 0o600)
    project.write("restoops.yaml", SETTINGS)

    done = project.run("push", "staging", "--to", "hosts", "--yes")

    assert project.run("check", "staging").status == 0
    assert done.status == 2
    assert told in done.err
    assert "openssl rand -hex 32" in done.err
