"""The stranger's first command: `python3 run.py`, on every machine it may meet."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import run
from tests.conftest import BASE_PYTHON

ROOT = Path(__file__).resolve().parent.parent
PROBE = """
import json, os, sys, time
print(json.dumps([sys.argv[1:], os.getcwd(), __file__]), flush=True)
if "wait" in sys.argv:
    time.sleep(60)
sys.exit(7 if "fail" in sys.argv else 0)
"""
"""Stands where the CLI stands, and tells how it was started."""

NO_INDEX = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_RETRIES": "0",
    "UV_HTTP_RETRIES": "0",
}
"""Settings with which nothing can be fetched: nobody listens on that port."""

needs_packages = [pytest.mark.network, pytest.mark.usefixtures("package_index")]
network = lambda test: needs_packages[0](needs_packages[1](test))  # noqa: E731 - two marks as one


def path_without(*programs: str) -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    found = (f for f in folders if not any(shutil.which(name, path=f) for name in programs))
    return os.pathsep.join(found)


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PATH": path_without("uv"), **changes}


def start(
    checkout: Path, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASE_PYTHON, str(checkout / "run.py"), *args],
        env=env or environment(),
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=100,
    )


def sentence_of(failed: subprocess.CompletedProcess[str]) -> str:
    """The one line a person sees; the progress line does not count."""
    lines = [line for line in failed.stderr.splitlines() if not line.startswith("Setting up")]
    assert failed.returncode == 1
    assert len(lines) == 1, failed.stderr
    return lines[0]


def stanza(lock: str, name: str) -> str:
    found = re.search(rf"^{name}==.*\n(?:\s.*\n)+", (ROOT / lock).read_text(), re.MULTILINE)
    assert found
    return found.group(0)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """run.py as it is, locks with one small package, and the probe in place of the CLI."""
    folder = tmp_path / "dossier é ü"
    (folder / "app" / "cli").mkdir(parents=True)
    (folder / "app" / "cli" / "__main__.py").write_text(PROBE)
    shutil.copy(ROOT / "run.py", folder)
    (folder / "requirements.lock").write_text(stanza("requirements.lock", "idna"))
    (folder / "requirements-test.lock").write_text(stanza("requirements-test.lock", "uv"))
    return folder


@pytest.fixture
def ready(checkout: Path) -> Path:
    """A checkout that has been set up."""
    venv.create(checkout / ".venv", with_pip=False, symlinks=True)
    write = "import run; run.stamp('run').touch()"
    subprocess.run([BASE_PYTHON, "-c", write], cwd=checkout, check=True)
    return checkout


def test_it_is_short_and_old_pythons_can_read_it() -> None:
    source = (ROOT / "run.py").read_text()
    ast.parse(source, feature_version=(3, 6))
    assert len(source.splitlines()) < 120
    imported = {
        name
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


@pytest.mark.parametrize("version", [(3, 6), (3, 10)])
def test_a_python_too_old_is_named_with_the_line_that_helps(version: tuple[int, int]) -> None:
    with pytest.raises(SystemExit, match=r"3\.11 or newer is needed, this is 3\.\d+\. Run: \S+"):
        run.refuse_old_python(version)
    run.refuse_old_python((3, 11))
    run.refuse_old_python((4, 0))


def test_arguments_folder_and_exit_code_pass_through(ready: Path, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('imported from the user')")
    done = start(ready, "list", "--json", "fail", "ü x", cwd=tmp_path)
    args, folder, program = ast.literal_eval(done.stdout)
    assert args == ["list", "--json", "fail", "ü x"]
    assert Path(folder) == tmp_path
    assert Path(program) == ready / "app" / "cli" / "__main__.py"
    assert (done.returncode, done.stderr) == (7, "")


def test_without_arguments_it_serves(ready: Path) -> None:
    assert ast.literal_eval(start(ready).stdout)[0] == ["serve"]


def test_a_signal_ends_the_service_itself(ready: Path) -> None:
    command = [BASE_PYTHON, str(ready / "run.py"), "wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as service:
        assert service.stdout is not None
        assert service.stdout.readline()
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=10) == -signal.SIGTERM


def test_a_changed_lock_is_not_ready(ready: Path) -> None:
    with (ready / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert "could not be fetched" in sentence_of(start(ready, env=environment(**NO_INDEX)))


def test_no_network_is_one_sentence(checkout: Path) -> None:
    said = sentence_of(start(checkout, env=environment(**NO_INDEX)))
    assert "no network" in said
    assert "HTTPS_PROXY" in said
    assert str(checkout / ".uv" / "setup.log") in said


def test_a_missing_venv_module_is_named_with_its_package(checkout: Path, tmp_path: Path) -> None:
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    (stubs / "ensurepip.py").write_text("raise ImportError('as Debian has it')")
    env = environment(**NO_INDEX, PYTHONPATH=str(stubs))
    assert "apt install python3-venv" in sentence_of(start(checkout, env=env))


@pytest.mark.skipif(os.name == "nt", reason="folders are not made read-only by their mode there")
def test_a_read_only_checkout_is_named_with_the_copy_that_helps(checkout: Path) -> None:
    checkout.chmod(0o555)
    # Root writes wherever it likes unless it gives up that right.
    drop = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    command = [*(drop if os.geteuid() == 0 else []), BASE_PYTHON, str(checkout / "run.py")]
    refused = subprocess.run(
        command, env=environment(), capture_output=True, encoding="utf-8", check=False
    )
    checkout.chmod(0o755)
    assert "cp -r" in sentence_of(refused)
    assert str(checkout) in sentence_of(refused)


def test_pips_settings_are_said_to_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = http://a.test/simple\nextra-index-url =\n  http://b.test/simple\n"
        "  http://c.test/simple\nfind-links = /w1 /w2\n[install]\ntrusted-host = c.test\n"
    )
    for name in [n for n in os.environ if n.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_INDEX_URL", "http://nearer.test/simple")
    monkeypatch.setenv("UV_FIND_LINKS", "/told-to-uv")
    env = run.environment()
    assert env["UV_DEFAULT_INDEX"] == "http://nearer.test/simple"
    assert env["UV_INDEX"].split()[-2:] == ["http://b.test/simple", "http://c.test/simple"]
    assert env["UV_INSECURE_HOST"] == "c.test"
    assert env["UV_FIND_LINKS"] == "/told-to-uv"
    assert Path(env["UV_CACHE_DIR"]).parent == Path(env["PIP_CACHE_DIR"]).parent == run.TOOLS


@network
def test_a_clean_clone_starts_cold_then_warm_and_writes_nothing_outside(tmp_path: Path) -> None:
    clone, home = tmp_path / "dossier é ü", tmp_path / "home"
    home.mkdir(mode=0o555)
    git = ["git", "-c", "safe.directory=*", "clone", "-q", str(ROOT), str(clone)]
    subprocess.run(git, check=True)
    # pip asks rustc for its version, and rustup's rustc makes itself a folder in an empty home.
    path = path_without("uv", "rustc")
    env = environment(PATH=path, HOME=str(home), UNANSWERED_DATA_DIR=str(clone / "data"))
    began = time.monotonic()
    cold = start(clone, "--help", env=env, cwd=tmp_path)
    took = time.monotonic() - began
    assert cold.returncode == 0, cold.stderr
    assert "serve" in cold.stdout
    assert cold.stderr == "Setting up (once, about half a minute) …\n"
    assert took < 30
    warm = start(clone, "--help", env={**env, **NO_INDEX, "PIP_NO_INDEX": "1"}, cwd=tmp_path)
    assert (warm.returncode, warm.stderr, warm.stdout) == (0, "", cold.stdout)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dossier é ü", "home"]
    assert list(home.iterdir()) == []
    status = ["git", "-c", "safe.directory=*", "status", "--porcelain"]
    assert subprocess.run(status, cwd=clone, capture_output=True, check=True).stdout == b""


@pytest.fixture(params=["no uv to be had", "a uv that fails"])
def without_uv(request: pytest.FixtureRequest, checkout: Path, tmp_path: Path) -> Iterator[str]:
    """A path on which, or with which, uv installs nothing."""
    if request.param == "no uv to be had":
        nowhere = "uv==0.0.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
        (checkout / "requirements-test.lock").write_text(nowhere)
        yield path_without("uv")
        return
    broken = tmp_path / "bin" / "uv"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'no such option' >&2\nexit 2\n")
    broken.chmod(0o755)
    yield os.pathsep.join([str(broken.parent), path_without("uv")])


@network
def test_without_uv_pip_installs(checkout: Path, without_uv: str) -> None:
    done = start(checkout, "x", env=environment(PATH=without_uv))
    assert done.returncode == 0, done.stderr
    found = (checkout / ".venv").glob("lib/python*/site-packages/idna")
    assert len(list(found)) == 1


@network
def test_an_interrupted_setup_counts_as_none(checkout: Path) -> None:
    command = [BASE_PYTHON, str(checkout / "run.py")]
    with subprocess.Popen(
        command, env=environment(), stderr=subprocess.DEVNULL, start_new_session=True
    ) as first:
        while not (checkout / ".venv").exists() and first.poll() is None:
            time.sleep(0.002)
        os.killpg(first.pid, signal.SIGKILL)
    assert list((checkout / ".venv").glob("ready-*")) == []
    again = start(checkout, "x")
    assert again.returncode == 0
    assert "Setting up" in again.stderr
    assert start(checkout, "x").stderr == ""


@network
def test_of_two_at_once_one_waits_for_the_other(checkout: Path) -> None:
    command = [BASE_PYTHON, str(checkout / "run.py"), "x"]
    both = [
        subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted(b"Setting up" in err for _, err in said) == [False, True]
