"""`doctor`: each thing that can be wrong is found, with the command that helps."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import insert

from app.cli.failure import Failure
from app.cli.health import (
    clock,
    clocks,
    file_system,
    file_system_of,
    refuse_network_share,
    room,
    room_on,
)
from app.cli.server import bind
from app.cli.started import command
from app.connecting.models import oauth_client
from app.db import open_database
from app.schema import server_time
from app.settings import Settings
from app.team.keys import open_keyring
from app.team.secrets import Place, new_key_line
from tests.cli.conftest import Shell
from tests.cli.service import Service, problem, source, sources
from tests.service import NOON


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


async def test_a_database_outside_of_the_data_folder_that_others_can_open(shell: Shell) -> None:
    elsewhere = shell.folder / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    shell.env["UNANSWERED_DATABASE_URL"] = f"sqlite:///{elsewhere / 'desk.db'}"
    await shell.run("migrate")
    (elsewhere / "desk.db").chmod(0o644)
    wrong = ("fail", f"chmod 600 '{elsewhere / 'desk.db'}'")
    assert (await levels(shell))["database file"] == wrong
    elsewhere.chmod(0o700)
    assert (await levels(shell))["database file"][0] == "ok"


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
    shell.env |= {"UNANSWERED_PUBLIC_URL": "http://inbox.example"}
    assert (await levels(shell))["reach"][0] == "warn"
    shell.env |= {"UNANSWERED_PUBLIC_URL": "https://inbox.example"}
    assert (await levels(shell))["reach"][0] == "ok"


async def test_networks_that_may_name_people(shell: Shell) -> None:
    shell.env["UNANSWERED_PROXY_USER_HEADER"] = "X-Forwarded-User"
    for networks, level in (("10.0.0.2,fd00::2", "ok"), ("10.0.0.0/8", "warn"), ("::/0", "warn")):
        shell.env["UNANSWERED_PROXY_NETWORKS"] = networks
        assert (await levels(shell))["proxy header"][0] == level, networks


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
        "server:/y /srv/büro\u00a0für\\134alle nfs rw 0 0\n",
        encoding="utf-8",
    )
    assert file_system_of(Path("/home/a.db"), mounts) == "ext4"
    assert file_system_of(Path("/srv/my files/a.db"), mounts) == "nfs4"
    assert file_system_of(Path("/srv/my files/local/a.db"), mounts) == "tmpfs"
    assert file_system_of(Path("/srv/büro\u00a0für\\alle/a.db"), mounts) == "nfs"
    assert file_system_of(Path("/x"), tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("kind", "level"), [("nfs4", "fail"), ("fuse.s3fs", "fail"), ("9p", "warn"), ("xfs", "ok")]
)
def test_a_share_below_the_database(tmp_path: Path, kind: str, level: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"share {tmp_path} {kind} rw 0 0\n")
    assert file_system(tmp_path / "desk.db", mounts).level == level


def test_a_database_on_another_disk_needs_room_there_too(tmp_path: Path) -> None:
    here = Settings(data_dir=tmp_path / "not made yet")
    assert len(list(room(here))) == 1
    shared = SecretStr("sqlite:////dev/shm/desk.db")
    there = Settings(data_dir=tmp_path, database_url=shared)
    disks = {path.stat().st_dev for path in (tmp_path, Path("/dev/shm"))}
    assert len(list(room(there))) == len(disks)


@pytest.mark.parametrize(("free", "level"), [(99, "fail"), (500, "warn"), (5000, "ok")])
def test_room(free: int, level: str) -> None:
    assert room_on(Path("/"), free * 1024 * 1024).level == level


def test_a_clock_before_this_version_is_wrong() -> None:
    assert clock(datetime(1970, 1, 1, tzinfo=UTC)).level == "fail"
    assert clock(datetime(2030, 1, 1, tzinfo=UTC)).level in {"ok", "warn"}


async def use(shell: Shell) -> Path:
    """A database as a first start leaves it; its key file."""
    await shell.run("migrate")
    db = open_database(f"sqlite:///{shell.data / 'unanswered.db'}")
    keyring = await open_keyring(db, secret_key=None, data_dir=shell.data, random=os.urandom)
    values = {"platform": "x", "server": "s", "redirect_uri": "r", "client_id": "c"}
    sealed = keyring.seal(b"secret", Place("oauth_client", 1, "sealed"), os.urandom)
    async with db.write() as tx:
        made = insert(oauth_client).values(id=1, created_at=NOON, sealed=sealed, **values)
        await tx.execute(made)
    await db.close()
    return shell.data / "secret.key"


async def test_keys_and_their_rotation(shell: Shell) -> None:
    key = await use(shell)
    assert (await levels(shell))["keys"][0] == "ok"
    first, new = key.read_text(), new_key_line(os.urandom)
    help_of = {
        f"{first}# next\n{new}\n": ("warn", command("secrets rotate")),
        f"{new}\n{first}": ("warn", command("secrets rotate")),
        f"{new}\n": ("fail", "see docs/keys.md"),
    }
    for content, expected in help_of.items():
        key.write_text(content)
        assert (await levels(shell))["keys"] == expected
    key.write_text(f"{new}\n{first}")
    await shell.run("secrets", "rotate")
    done = ("warn", command("secrets rotate --drop-old"))
    assert (await levels(shell))["keys"] == done
    path = shell.data / "unanswered.db"
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE oauth_client SET sealed = replace(sealed, substr(sealed, 4, 16), ?)",
                    ("0123456789abcdef",))  # fmt: skip
    key.write_text(new + "\n")
    assert (await levels(shell))["keys"][0] == "fail"


async def test_settings_at_odds_with_one_another(shell: Shell) -> None:
    shell.data.mkdir(mode=0o700)
    (shell.data / "secret.key").touch(mode=0o600)
    shell.env |= {
        "UNANSWERED_SECRET_KEY": "k" * 43,
        "UNANSWERED_PUBLIC_URL": "https://desk.example",
        "UNANSWERED_TRUSTED_HOSTS": "inbox.example,*.lan",
        "UNANSWERED_ALLOW_NETWORKS": "10.0.0.0/8,0.0.0.0/1",
        "UNANSWERED_LOG_LEVEL": "debug",
    }
    found = await levels(shell)
    assert found["trusted hosts"] == ("fail", "add desk.example to UNANSWERED_TRUSTED_HOSTS")
    assert found["networks"][0] == "fail"
    assert found["logs"][0] == "warn"
    assert found["proxy networks"] == ("warn", "set UNANSWERED_PROXY_NETWORKS=127.0.0.1")
    shell.env["UNANSWERED_PROXY_NETWORKS"] = "10.0.0.2,::/0"
    assert (await levels(shell))["proxy networks"][0] == "fail"
    assert (await shell.run("doctor")).out.count("is used, ") == 1
    shell.env |= {
        "UNANSWERED_TRUSTED_HOSTS": "*.example",
        "UNANSWERED_ALLOW_NETWORKS": "10.0.0.0/8,gitlab.lan",
        "UNANSWERED_PROXY_NETWORKS": "127.0.0.1",
    }
    found = await levels(shell)
    assert "trusted hosts" not in found
    assert not {"networks", "proxy networks"} & found.keys()


async def test_a_secret_in_a_file_that_everybody_can_open(shell: Shell) -> None:
    file = shell.folder / "token"
    file.write_text("s" * 40)
    shell.env["UNANSWERED_BOOTSTRAP_TOKEN_FILE"] = str(file)
    for mode, expected in ((0o644, ("warn", f"chmod o= '{file}'")), (0o640, None)):
        file.chmod(mode)
        assert (await levels(shell)).get("secret file") == expected


async def test_a_public_address_that_leads_elsewhere(shell: Shell, service: Service) -> None:
    service.on("GET /readyz", {"status": "ok"})
    service.on("GET /sources", sources(source()))
    service.on("GET /tokens", {"items": [], "next_cursor": None})
    shell.env["UNANSWERED_PUBLIC_URL"] = shell.url
    assert (await levels(shell))["proxy"][0] == "ok"
    for elsewhere in (f"{shell.url}/no", "http://127.0.0.1:1"):
        shell.env["UNANSWERED_PUBLIC_URL"] = elsewhere
        assert (await levels(shell))["proxy"] == ("warn", "see docs/proxy.md")


async def test_tokens_and_credentials_that_end_soon(shell: Shell, service: Service) -> None:
    now = datetime.now(UTC)
    in_three_days, later = (
        (now + timedelta(days=days, hours=1)).isoformat().replace("+00:00", "Z")
        for days in (3, 300)
    )
    service.on("GET /readyz", {"status": "ok"})
    ending = source(credential_expires_at=in_three_days)
    service.on("GET /sources", sources(ending, source(name="fine", credential_expires_at=later)))
    tokens = [
        {"name": name, "role": "agent", "expires_at": at}
        for name, at in (("desk", in_three_days), ("wall", later), ("old", "2026-01-01T00:00:00Z"))
    ]
    service.on("GET /tokens", {"items": tokens, "next_cursor": None})
    result = await shell.run("doctor")
    assert "warn source acme: its credential ends in 3 days" in result.out
    assert "warn token desk: ends in 3 days" in result.out
    assert "warn token old: has ended" in result.out
    assert "token wall" not in result.out
    assert "source fine" not in result.out


def test_the_clock_of_the_database(postgres_url: str) -> None:
    there = server_time(postgres_url)
    assert clocks(there, there + timedelta(seconds=59)).level == "ok"
    assert clocks(there, there - timedelta(seconds=61)).level == "warn"


@pytest.mark.parametrize(("kind", "refused"), [("nfs4", True), ("9p", False), ("ext4", False)])
def test_a_service_does_not_start_on_a_network_share(
    tmp_path: Path, *, kind: str, refused: bool
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"share {tmp_path} {kind} rw 0 0\n")
    settings = Settings(data_dir=tmp_path)
    if refused:
        with pytest.raises(Failure, match="a network share, where SQLite loses data"):
            refuse_network_share(settings, mounts)
    else:
        refuse_network_share(settings, mounts)
    elsewhere = Settings(data_dir=tmp_path, database_url=SecretStr("postgresql://u@h/d"))
    refuse_network_share(elsewhere, mounts)
