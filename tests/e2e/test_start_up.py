"""What a start refuses, and what it says then."""

from __future__ import annotations

import secrets
import sqlite3
from base64 import b64encode
from contextlib import closing, suppress

from app.cli.server import PortBusy, bind
from tests.e2e.house import House, until


def told(err: str) -> str:
    return "\n".join(line for line in err.splitlines() if not line.startswith("{"))


def sealed(house: House) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(house.database)) as raw:
        return list(raw.execute("select id, name, credential from source order by id"))


def test_a_wrong_key_is_refused_and_nothing_is_destroyed(house: House) -> None:
    with house.serve() as first:
        until(lambda: len(house.sources()) == 2, "the demo's sources")
        first.kill()
    before, key = sealed(house), (house.data / "secret.key").read_text()
    (house.data / "secret.key").write_text(b64encode(secrets.token_bytes(32)).decode() + "\n")
    wrong = house.cli("serve", "--port", "0")
    assert (wrong.code, wrong.out) == (1, "")
    assert "is not the one this database was used with" in told(wrong.err)
    (house.data / "secret.key").unlink()
    missing = house.cli("serve", "--port", "0")
    assert missing.code == 1
    assert f"The key file {house.data / 'secret.key'} is missing" in told(missing.err)
    assert not (house.data / "secret.key").exists()
    assert sealed(house) == before
    (house.data / "secret.key").write_text(key)
    with house.serve() as again:
        check = house.cli("sources", "check", "demo")
        assert check.code == 0, check.err
        again.kill()


def test_a_busy_default_port_gives_way_to_the_next_free_one(house: House) -> None:
    with suppress(PortBusy), bind("127.0.0.1", 8000, chosen=True):
        serve_beside(house)
        return
    serve_beside(house)


def serve_beside(house: House) -> None:
    with house.serve("--no-demo", port="") as serving:
        port = int(serving.url.rpartition(":")[2])
        assert port > 8000
        assert serving.said() == f"Port 8000 is busy; using {port}."
        assert house.cli("counts").code == 0


def test_a_database_newer_than_the_code_is_refused_with_what_helps(house: House) -> None:
    house.cli("migrate")
    with closing(sqlite3.connect(house.database)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    refused = house.cli("serve", "--port", "0")
    assert (refused.code, refused.out) == (1, "")
    assert "9999" in told(refused.err)
    assert "git pull" in told(refused.err) or "newer version" in told(refused.err)
