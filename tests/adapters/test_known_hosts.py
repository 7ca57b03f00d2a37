"""Keys of hosts are read as OpenSSH reads them."""

import subprocess
from pathlib import Path

import paramiko
import pytest

from restoops.adapters.known_hosts import keys_of
from restoops.errors import HostKeyRefused

HOST = "[10.0.0.1]:2222"


@pytest.fixture(scope="module")
def keys() -> list[paramiko.PKey]:
    """Three keys, two of one kind and one of another."""
    return [paramiko.ECDSAKey.generate(bits=bits) for bits in (256, 256, 384)]


def line(names: str, key: paramiko.PKey) -> str:
    return f"{names} {key.get_name()} {key.get_base64()} a comment\n"


def test_the_first_line_of_the_first_file_is_right(
    tmp_path: Path, keys: list[paramiko.PKey]
) -> None:
    first, second, other = keys
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_text("# known\n\n" + line(f"db,{HOST}", first) + line(HOST, second))
    theirs.write_text(line(HOST, second) + line(HOST, other) + line("elsewhere", second))

    found = keys_of(HOST, [str(ours), str(tmp_path / "missing"), str(theirs)])

    assert found == {first.get_name(): first, other.get_name(): other}
    assert found.keys() == [first.get_name(), other.get_name()]
    assert keys_of("10.0.0.1", [str(ours), str(theirs)]) == {}, "on another port"


def test_names_that_ssh_has_hashed_are_found(tmp_path: Path, keys: list[paramiko.PKey]) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(line(HOST, keys[0]) + line("db", keys[1]))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    assert HOST not in file.read_text()

    assert keys_of(HOST, [str(file)]) == {keys[0].get_name(): keys[0]}


def test_lines_of_which_paramiko_knows_nothing_are_passed_over(
    tmp_path: Path, keys: list[paramiko.PKey]
) -> None:
    file = tmp_path / "known_hosts"
    new = f"{HOST} ssh-new-kind AAAAB3NzaC1yc2E=\n"
    file.write_text(
        new + f"{HOST}\n" + line(f"@cert-authority {HOST}", keys[1]) + line(HOST, keys[0])
    )

    assert keys_of(HOST, [str(file)]) == {keys[0].get_name(): keys[0]}


def test_a_key_that_is_revoked_is_not_known(tmp_path: Path, keys: list[paramiko.PKey]) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_text(line(HOST, keys[0]) + line(HOST, keys[2]))
    theirs.write_text(line("@revoked *", keys[0]))

    assert keys_of(HOST, [str(ours), str(theirs)]) == {keys[2].get_name(): keys[2]}


def test_a_file_that_has_changed_is_read_again(tmp_path: Path, keys: list[paramiko.PKey]) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(line(HOST, keys[0]))
    assert keys_of(HOST, [str(file)]) == {keys[0].get_name(): keys[0]}

    file.write_text(line(HOST, keys[1]))
    assert keys_of(HOST, [str(file)]) == {keys[0].get_name(): keys[1]}


def test_a_line_that_is_cut_off_is_told(tmp_path: Path, keys: list[paramiko.PKey]) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"{HOST} {keys[0].get_name()} AAAAB3NzaC1yc2EAAA\n")

    with pytest.raises(HostKeyRefused, match="known_hosts cannot be read"):
        keys_of(HOST, [str(file)])
