"""`doctor`: each thing that can be wrong is found, with the command that helps."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cli.health import clock, file_system_of, room_on
from app.cli.server import bind
from app.cli.started import command
from tests.cli.conftest import Shell
from tests.cli.service import Service, problem, source, sources


async def levels(shell: Shell) -> dict[str, tuple[str, str]]:
    result = await shell.run("doctor", "--json")
    document = json.loads(result.out)
    assert document["ok"] is (result.code == 0)
    return {check["subject"]: (check["level"], check["help"]) for check in document["checks"]}


@pytest.fixture(autouse=True)
def _free_port(shell: Shell) -> None:
    with bind("127.0.0.1", 0, chosen=True) as free:
        shell.env["UNANSWERED_PORT"] = str(free.getsockname()[1])


async def test_a_fresh_machine_is_healthy_and_nothing_is_written(shell: Shell) -> None:
    result = await shell.run("doctor")
    assert result.code == 0
    assert "ok   settings: " in result.out
    assert "warn service: none is running here\n     → " + command("serve") in result.out
    assert list(shell.folder.iterdir()) == []


async def test_after_migrating_everything_is_ok(shell: Shell) -> None:
    await shell.run("migrate")
    found = await levels(shell)
    assert found["migrations"][0] == found["database"][0] == found["data folder"][0] == "ok"


async def test_settings_that_are_wrong(shell: Shell) -> None:
    shell.env |= {"UNANSWERED_HOTS": "x", "UNANSWERED_DEMO": "perhaps"}
    result = await shell.run("doctor")
    assert result.code == 1
    assert result.out.count("fail settings: ") == 2
    assert "UNANSWERED_HOST?" in result.out


async def test_files_others_can_open(shell: Shell) -> None:
    shell.know("http://127.0.0.1:9")
    (shell.data / "secret.key").write_text("k")
    (shell.data / "secret.key").chmod(0o644)
    (shell.data / "cli.json").chmod(0o640)
    shell.data.chmod(0o755)
    found = await levels(shell)
    assert found["key"] == ("fail", f"chmod 600 '{shell.data / 'secret.key'}'")
    assert found["token of the command line"][0] == "fail"
    assert found["data folder"] == ("warn", f"chmod 700 '{shell.data}'")


async def test_databases_that_are_old_new_or_broken(shell: Shell) -> None:
    await shell.run("migrate")
    path = shell.data / "unanswered.db"
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
    assert (await levels(shell))["migrations"][0] == "fail"
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("DELETE FROM alembic_version")
    assert (await levels(shell))["database"][0] == "ok"
    path.write_text("no database" * 100)
    assert (await levels(shell))["database"][0] == "fail"


async def test_a_busy_port(shell: Shell) -> None:
    with bind("127.0.0.1", int(shell.env["UNANSWERED_PORT"]), chosen=True):
        assert (await levels(shell))["port"] == ("fail", command("serve --port N"))


async def test_an_address_others_can_reach(shell: Shell) -> None:
    shell.env |= {"UNANSWERED_HOST": "0.0.0.0", "UNANSWERED_DEMO": "true"}
    found = await levels(shell)
    assert found["reach"][0] == "warn"
    assert found["demo"][0] == "warn"
    shell.env |= {"UNANSWERED_PUBLIC_URL": "https://inbox.example"}
    assert (await levels(shell))["reach"][0] == "ok"


async def test_networks_that_may_name_people(shell: Shell) -> None:
    shell.env["UNANSWERED_PROXY_USER_HEADER"] = "X-Forwarded-User"
    for networks, level in (("10.0.0.2,fd00::2", "ok"), ("10.0.0.0/8", "warn"), ("::/0", "warn")):
        shell.env["UNANSWERED_PROXY_NETWORKS"] = networks
        assert (await levels(shell))["proxy"][0] == level, networks


async def test_a_running_service_and_its_sources(shell: Shell, service: Service) -> None:
    dead = {"code": "auth_failed", "detail": "The token is dead.", "since": None}
    service.on("GET /readyz", {"status": "ok"})
    service.on("GET /sources", sources(source()))
    found = await levels(shell)
    assert found["service"][0] == found["sources"][0] == "ok"
    service.on("GET /sources", sources(source(state="auth_failed", error=dead)))
    found = await levels(shell)
    assert found["source acme"] == ("fail", command("sources reconnect 'acme'"))
    service.on("GET /sources", sources(source(warnings=["Replies are filtered."])))
    assert (await levels(shell))["source acme"][0] == "warn"
    service.on("GET /readyz", problem(503, "unavailable", "Not available", "No poller."))
    assert (await levels(shell))["service"][0] == "fail"


async def test_a_service_whose_token_is_refused(shell: Shell, service: Service) -> None:
    service.on("GET /readyz", {"status": "ok"})
    shell.know(shell.url, "una_old")
    found = await levels(shell)
    assert found["sources"][0] == "fail"
    assert "start the service again" in found["sources"][1]


def test_network_file_systems_are_known_by_the_longest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\nserver:/x /srv/my\\040files nfs4 rw 0 0\nbroken\n"
        "tmpfs /srv/my\\040files/local tmpfs rw 0 0\n"
    )
    assert file_system_of(Path("/home/a.db"), mounts) == "ext4"
    assert file_system_of(Path("/srv/my files/a.db"), mounts) == "nfs4"
    assert file_system_of(Path("/srv/my files/local/a.db"), mounts) == "tmpfs"
    assert file_system_of(Path("/x"), tmp_path / "absent") is None


@pytest.mark.parametrize(("free", "level"), [(99, "fail"), (500, "warn"), (5000, "ok")])
def test_room(free: int, level: str) -> None:
    assert room_on(Path("/"), free * 1024 * 1024).level == level


def test_a_clock_before_this_version_is_wrong() -> None:
    assert clock(datetime(1970, 1, 1, tzinfo=UTC)).level == "fail"
    assert clock(datetime(2030, 1, 1, tzinfo=UTC)).level in {"ok", "warn"}
