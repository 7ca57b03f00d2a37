"""The wheel has what `restoops init` brings and nothing else, and is what CI tests."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import restoops
from tests.docs_shell import lines, typed
from tests.docs_text import PROJECT

CARRIED = ("ansible", "docker", "templates", "terraform")
SECRET = "made up in a test: 8c1f\n"


def git(folder: Path, *words: str, when: str = "2026-01-01T00:00:00Z") -> str:
    names = {f"GIT_{role}_{what}": "a@example.com" for role in ("AUTHOR", "COMMITTER")
             for what in ("NAME", "EMAIL")}  # fmt: skip
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    argv = ["git", "-C", str(folder), *words]
    env = {**os.environ, **names, **dates}
    return subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout


def build(source: Path, target: str, out: Path) -> Path:
    argv = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(out)]
    subprocess.run(argv, cwd=source, check=True, capture_output=True, timeout=120)
    (built,) = out.iterdir()
    return built


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def sources() -> list[str]:
    return [
        name
        for name in git(
            PROJECT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"
        ).split("\0")
        if name
    ]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean repository of the sources as they are now, at the tag of a version."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in sources():
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((PROJECT / name).read_bytes())
            (folder / name).chmod((PROJECT / name).stat().st_mode)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")
    git(folder, "tag", "v9.8.7")
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of `checkout`, which has by then what work leaves behind there."""
    for name in ("terraform/environments/dev/.terraform/providers/x", "docker/node_modules/x/x.js",
                 "terraform/environments/dev/terraform.tfvars", "docker/.env.development",
                 "terraform/environments/dev/terraform.tfstate", "docker/apps/api/dist/main.js",
                 "terraform/environments/dev/.terraform.lock.hcl", "ansible/.env"):  # fmt: skip
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(SECRET)
    return build(checkout, "wheel", tmp_path_factory.mktemp("wheel"))


def test_the_wheel_carries_what_git_has_and_nothing_that_lies_around(wheel: Path) -> None:
    prefix = "restoops/assets/"
    carried = {name.removeprefix(prefix) for name in names_in(wheel) if name.startswith(prefix)}

    assert carried == {name for name in sources() if name.split("/")[0] in CARRIED}
    assert {PurePosixPath(name).parts[0] for name in names_in(wheel)} == {
        "restoops", "restoops-9.8.7.dist-info",
    }  # fmt: skip


def test_the_version_is_that_of_the_tag(wheel: Path) -> None:
    assert wheel.name == "restoops-9.8.7-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        assert '__version__ = "9.8.7"' in archive.read("restoops/_version.py").decode()


def test_a_wheel_of_the_same_commit_is_the_same_to_the_byte(
    checkout: Path, wheel: Path, tmp_path: Path
) -> None:
    (checkout / "README.md").touch()

    assert build(checkout, "wheel", tmp_path / "again").read_bytes() == wheel.read_bytes()


def test_a_wheel_can_be_made_of_the_sdist_without_git(
    checkout: Path, wheel: Path, tmp_path: Path
) -> None:
    sdist = build(checkout, "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
        assert not [name for name in archive.getnames() if name.endswith((".tfvars", ".tfstate"))]
    (source,) = (tmp_path / "unpacked").iterdir()

    made = build(source, "wheel", tmp_path / "wheel")

    assert made.name == wheel.name
    assert names_in(made) == names_in(wheel)


def test_a_checkout_without_git_has_a_version(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "worktree", "add", "--detach", "--quiet", str(tmp_path / "plain"))
    (tmp_path / "plain/.git").unlink()

    made = build(tmp_path / "plain", "wheel", tmp_path / "wheel")

    assert made.name == "restoops-0.1.dev0-py3-none-any.whl"


def test_the_tests_run_against_what_they_should() -> None:
    """CI sets RESTOOPS_INSTALL, see `.ci/run`: then it is the wheel, with what it carries."""
    package = Path(restoops.__file__).parent
    installed = Path(sysconfig.get_path("purelib")) / "restoops"
    wanted = (
        installed if os.environ.get("RESTOOPS_INSTALL") == "wheel" else PROJECT / "src/restoops"
    )

    assert package == wanted
    assert (package / "assets").is_dir() == (wanted == installed)
    assert "export RESTOOPS_INSTALL=wheel\n" in (PROJECT / ".ci/run").read_text()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `restoops` of a fresh environment with the wheel; what it needs is lent by .venv."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, timeout=120)
    (site,) = folder.glob("lib/python3*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin/restoops"


def run(argv: list[str | Path], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more
    return subprocess.run(
        argv, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_installed_command_brings_everything(installed: Path, tmp_path: Path) -> None:
    assert run([installed, "--version"], tmp_path).stdout == "restoops 9.8.7\n"

    done = run([installed, "init"], tmp_path)

    assert done.returncode == 0, done.stderr
    for name in ("ansible/playbooks/update-api.yml", "terraform/modules/redis/main.tf"):
        assert (tmp_path / name).read_bytes() == (PROJECT / name).read_bytes()
    assert run([installed, "init"], tmp_path).stdout.count("same") == done.stdout.count("written")


def test_ansible_finds_its_module_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    """From an empty directory: the playbook and the module are those of the wheel."""
    argv: list[str | Path] = [installed, "deploy", "sha-abc1234", "local", "--via", "ansible"]
    nowhere = {"RESTOOPS_REGISTRY__HOST": "127.0.0.1:9", "RESTOOPS_IMAGE__REPOSITORY": "no/thing"}
    done = run([*argv, "--dry-run"], tmp_path, **nowhere)

    assert "is not installed for" not in done.stdout + done.stderr
    assert "registry 127.0.0.1:9 does not answer" in done.stdout + done.stderr


@pytest.fixture
def published(wheel: Path, tmp_path: Path) -> dict[str, str]:
    """Variables with which pip finds the wheel, and everything else where it finds it always."""
    (index := tmp_path / "published").mkdir()
    shutil.copy(wheel, index)
    before = os.environ.get("PIP_FIND_LINKS", "")
    return {"PIP_FIND_LINKS": f"{before} {index}".strip()}


def next_version(checkout: Path, folder: Path) -> Path:
    """Build a wheel of the commit after `checkout`, which is tagged v9.8.8."""
    git(folder, "clone", "--quiet", str(checkout), "next")
    git(folder / "next", "commit", "--quiet", "--allow-empty", "--message", "Next")
    git(folder / "next", "tag", "v9.8.8")
    return build(folder / "next", "wheel", folder / "next-wheel")


@pytest.mark.full
@pytest.mark.timeout(900)
def test_pipx_installs_it_with_all_that_it_needs_and_upgrades_it(
    checkout: Path, published: dict[str, str], tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    pip: list[str | Path] = [tmp_path / "venv/bin/pip", "install", "-qq", "pipx"]
    assert run(pip, tmp_path).returncode == 0
    programs = tmp_path / "bin"
    home = {
        "PIPX_HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(programs),
        "PATH": f"{programs}:{tmp_path / 'venv/bin'}:{os.environ['PATH']}",
        "PYTHONPATH": "",
    }
    [install], [inject] = lines("pipx install"), lines("pipx inject")
    [upgrade], [from_here] = lines("pipx upgrade"), lines("pipx install here")

    typed(install, tmp_path, **home, **published)

    restoops = programs / "restoops"
    assert run([restoops, "--version"], tmp_path).stdout == "restoops 9.8.7\n"
    assert run([restoops, "init"], tmp_path).returncode == 0
    assert (tmp_path / "terraform/modules/redis/main.tf").is_file()
    asked = run([restoops, "doctor", "local"], tmp_path)
    assert "restoops itself failed" not in asked.stdout + asked.stderr

    typed(inject, tmp_path, **home, **published)
    beside = tmp_path / "home/venvs/restoops/bin/ansible-playbook"  # where restoops looks for it
    assert run([beside, "--version"], tmp_path).returncode == 0

    shutil.copy(next_version(checkout, tmp_path), tmp_path / "published")
    typed(upgrade, tmp_path, **home, **published)
    assert run([restoops, "--version"], tmp_path).stdout == "restoops 9.8.8\n"

    typed("pipx uninstall restoops", tmp_path, **home)
    typed(from_here, checkout, **home)
    assert run([restoops, "--version"], tmp_path).stdout.startswith("restoops 9.8.")


@pytest.mark.full
@pytest.mark.timeout(900)
def test_pip_installs_what_is_shown(published: dict[str, str], tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    path = f"{tmp_path / 'venv/bin'}:{os.environ['PATH']}"

    for line in lines("pip"):
        typed(line, tmp_path, PATH=path, PYTHONPATH="", **published)

    told = typed("restoops --version && ansible-playbook --version", tmp_path, PATH=path)
    assert told.startswith("restoops 9.8.7\nansible-playbook [core 2.")
