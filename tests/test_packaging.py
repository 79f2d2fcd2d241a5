"""What is shipped: locks, wheel, image and compose file, checked without a Docker daemon."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import run
from tests.conftest import BASE_PYTHON
from tests.locks import compile_locks

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-test.lock")
PREFIX = "/opt/unanswered"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of the Dockerfile, continuation lines joined."""

    word: str
    text: str


def stages() -> list[list[Instruction]]:
    """The Dockerfile's stages; each begins with its FROM."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    joined = "\n".join(line for line in lines if line and not line.startswith("#"))
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", "", joined).splitlines():
        word, _, text = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append(Instruction(word, text.strip()))
    return found


def texts(stage: list[Instruction], word: str) -> list[str]:
    return [instruction.text for instruction in stage if instruction.word == word]


def copy_sources(folder: Path, *names: str) -> None:
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def requirements(lock: str) -> Iterator[str]:
    """Each requirement with its hashes, as one line."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE)
    yield from text.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()
    pinned = list(requirements(lock))
    assert len(pinned) > 15
    assert [line for line in pinned if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", line)] == []


@pytest.mark.network
@pytest.mark.usefixtures("package_index")
def test_the_locks_are_in_step_with_the_project_file(tmp_path: Path) -> None:
    copy_sources(tmp_path, "pyproject.toml", *LOCKS)
    compile_locks(tmp_path)
    for lock in LOCKS:
        assert (tmp_path / lock).read_text() == (ROOT / lock).read_text(), "python3 run.py lock"


@pytest.mark.network
@pytest.mark.usefixtures("package_index")
def test_the_wheel_holds_the_package_with_its_migrations_and_nothing_else(tmp_path: Path) -> None:
    copy_sources(tmp_path, "pyproject.toml", "README.md", "LICENSE", "app", "migrations", "tests")
    build = [sys.executable, "-m", "uv", "build", "--wheel", "--quiet", "--out-dir", "dist"]
    subprocess.run(
        [*build, "--python", BASE_PYTHON], cwd=tmp_path, env=run.environment(), check=True
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "app/_migrations/env.py" in names
    assert "app/cli/__init__.py" in names
    assert {n.split("/")[0] for n in names if ".dist-info/" not in n} == {"app"}


def test_the_dockerfile_has_no_known_fault() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_runs_without_rights_and_can_be_asked_how_it_is() -> None:
    build, final = stages()
    images = [texts(stage, "FROM")[0].split()[0] for stage in (build, final)]
    assert images[0] == images[1]
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", images[0])
    assert texts(final, "USER") == ["10001:10001"]
    assert texts(final, "VOLUME") == ["/data"]
    assert texts(final, "STOPSIGNAL") == ["SIGTERM"]
    assert "/healthz" in texts(final, "HEALTHCHECK")[0]
    assert texts(final, "ENTRYPOINT") == ['["unanswered"]']
    (settings,) = texts(final, "ENV")
    assert {"UNANSWERED_DATA_DIR=/data", "UNANSWERED_DEMO=false"} <= set(settings.split())


def test_what_the_image_copies_is_not_ignored() -> None:
    wanted = {text.split()[0].strip("/") for text in texts(stages()[0], "COPY")}
    allowed = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert wanted == allowed


@pytest.mark.network
@pytest.mark.timeout(600)  # it installs every package, over the network and beside other tests
@pytest.mark.usefixtures("package_index")
def test_the_build_steps_of_the_image_work_in_a_clean_folder(tmp_path: Path) -> None:
    """Follows the first stage line by line, in folders below `tmp_path`."""
    prefix, build, path = tmp_path / "opt", tmp_path / "build", tmp_path / "bin"
    build.mkdir()
    path.mkdir()
    for name, command in {"python": BASE_PYTHON, "pip": f"{BASE_PYTHON} -m pip"}.items():
        (path / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (path / name).chmod(0o755)
    env = {**run.environment(), "PATH": f"{path}:/usr/bin:/bin"}
    for instruction in stages()[0]:
        if instruction.word == "COPY":
            source, target = instruction.text.split()
            destination = build / target / ("" if (ROOT / source).is_dir() else source)
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, destination)
        elif instruction.word == "RUN":
            script = instruction.text.replace(PREFIX, str(prefix))
            subprocess.run(["sh", "-ec", script], cwd=build, env=env, check=True)
    clean = {"PATH": f"{prefix}/bin", "HOME": str(tmp_path), "UNANSWERED_DATA_DIR": str(tmp_path)}
    asked = subprocess.run(
        ["unanswered", "--help"],
        executable=prefix / "bin" / "unanswered",
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "serve" in asked.stdout
    site = next(prefix.glob("lib/python*/site-packages"))
    assert (site / "app" / "_migrations" / "env.py").is_file()
    assert list(site.glob("pip*")) == []


@pytest.fixture
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return parsed


def test_compose_starts_one_service_unless_postgres_is_asked_for(compose: dict[str, Any]) -> None:
    profiles = {name: part.get("profiles") for name, part in compose["services"].items()}
    postgres = ["postgres"]
    expected = {"unanswered": None, "unanswered-postgres": postgres, "database": postgres}
    assert profiles == expected


def test_compose_publishes_on_loopback_only(compose: dict[str, Any]) -> None:
    published = [port for part in compose["services"].values() for port in part.get("ports", ())]
    assert published == ["127.0.0.1:8000:8000"] * 2


def test_compose_waits_for_the_database_and_keeps_its_secrets_in_files(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    waits = services["unanswered-postgres"]["depends_on"]
    assert waits == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in services["database"]
    assert re.fullmatch(r"postgres:\d+\.\d+-[a-z]+", services["database"]["image"])
    for part in services.values():
        for name in part.get("secrets", ()):
            assert compose["secrets"][name]["file"].startswith("./secrets/")
            assert f"/run/secrets/{name}" in part["environment"].values()
        for volume in part["volumes"]:
            assert volume.split(":")[0] in compose["volumes"]
