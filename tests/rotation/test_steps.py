"""The steps of a rotation from the shell, on both databases: what they do, and what they refuse."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select, update

from app.connecting.models import oauth_client
from app.db import Database
from app.errors import Conflict
from app.rotation.steps import SETTLED_SECONDS, drop_old, keys_told, prepare, rotate
from app.settings import Settings
from app.team.keys import KEY_FILE, open_keyring
from app.team.secrets import Keyring, Place, WrongKey, new_key_line, parse_keys
from tests.service import NOON, settings_for

SECRET = b"the app's secret"


def place(row_id: int) -> Place:
    return Place("oauth_client", row_id, "sealed")


async def keyring_of(db: Database, settings: Settings) -> Keyring:
    key = settings.secret_key
    return await open_keyring(
        db,
        secret_key=None if key is None else key.get_secret_value(),
        data_dir=settings.data_dir,
        random=secrets.token_bytes,
    )


async def fill(db: Database, keyring: Keyring, rows: int, first: int = 1) -> None:
    made = [
        {
            "id": number,
            "platform": "mastodon",
            "server": f"https://{number}.example",
            "redirect_uri": "https://desk.example/",
            "client_id": "ours",
            "created_at": NOON,
            "sealed": keyring.seal(SECRET, place(number), secrets.token_bytes),
        }
        for number in range(first, first + rows)
    ]
    async with db.write() as tx:
        await tx.execute(insert(oauth_client), made)


async def opened(db: Database, keyring: Keyring) -> list[bytes]:
    rows = await db.rows(select(oauth_client.c.id, oauth_client.c.sealed))
    return [keyring.open(row.sealed, place(row.id)) for row in rows]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path / "data")


@pytest.fixture
async def used(db: Database, settings: Settings) -> Keyring:
    """A database with 250 secrets, and the keyring of a process that runs."""
    running = await keyring_of(db, settings)
    await fill(db, running, 250)
    return running


def grow_old(settings: Settings) -> None:
    path = settings.data_dir / KEY_FILE
    at = path.stat().st_mtime - SETTLED_SECONDS - 1
    os.utime(path, (at, at))


async def roles(db: Database, settings: Settings) -> dict[str, tuple[str, int]]:
    return {key.id: (key.role, key.envelopes) for key in await keys_told(db, settings)}


async def test_everything_is_sealed_anew_and_the_old_key_can_go(
    db: Database, settings: Settings, used: Keyring
) -> None:
    old = used.current.id
    done = await rotate(db, settings)
    assert (done.made, done.sealed, done.unreadable) == (True, 251, ())
    assert await roles(db, settings) == {done.key_id: ("seals", 251), old: ("opens", 0)}
    assert await opened(db, used) == [SECRET] * 250
    with pytest.raises(Conflict, match="Try again in"):
        await drop_old(db, settings)
    grow_old(settings)
    assert (await drop_old(db, settings)).dropped == (old,)
    assert await roles(db, settings) == {done.key_id: ("seals", 251)}
    after = await keyring_of(db, settings)
    assert after.find(old) is None
    assert await opened(db, after) == [SECRET] * 250
    assert (await drop_old(db, settings)).told == ("There is no old key.",)


async def test_an_interrupted_rotation_is_finished_before_another_begins(
    db: Database, settings: Settings, used: Keyring
) -> None:
    first = await rotate(db, settings)
    stale = parse_keys((settings.data_dir / KEY_FILE).read_text()).old[0]
    await fill(db, Keyring(stale), 120, first=1000)  # as if it had been cut off here
    again = await rotate(db, settings)
    assert (again.made, again.sealed, again.key_id) == (False, 120, first.key_id)
    assert (await rotate(db, settings)).made


async def test_a_prepared_key_opens_everywhere_before_it_seals(
    db: Database, settings: Settings, used: Keyring, tmp_path: Path
) -> None:
    ready = await prepare(db, settings)
    assert ready.key_id == used.current.id
    with pytest.raises(Conflict, match="prepared already"):
        await prepare(db, settings)
    other = settings.model_copy(update={"data_dir": tmp_path / "another machine"})
    (other.make_data_dir() / KEY_FILE).write_text((settings.data_dir / KEY_FILE).read_text())
    elsewhere = await keyring_of(db, other)
    done = await rotate(db, settings)
    assert done.key_id not in {ready.key_id, elsewhere.current.id}
    assert await opened(db, elsewhere) == [SECRET] * 250
    await fill(db, elsewhere, 1, first=2000)
    assert (await roles(db, settings))[ready.key_id] == ("opens", 1)


async def test_a_key_of_the_setting_is_changed_by_its_lines(
    db: Database, settings: Settings
) -> None:
    lines = [new_key_line(secrets.token_bytes) for _ in range(2)]

    def told(*given: str) -> Settings:
        return settings.model_copy(update={"secret_key": SecretStr("\n".join(given))})

    await fill(db, await keyring_of(db, told(lines[0])), 3)
    await fill(db, await keyring_of(db, told(lines[0], lines[1])), 3, first=10)
    both = told(lines[1], lines[0])
    assert (await rotate(db, both)).sealed == 7
    assert (await rotate(db, both)).sealed == 0
    assert "leave them out" in (await drop_old(db, both)).told[0]
    with pytest.raises(Conflict, match="only you can change"):
        await prepare(db, both)
    assert await opened(db, await keyring_of(db, told(lines[1]))) == [SECRET] * 6
    assert not (settings.data_dir / KEY_FILE).exists()


async def test_what_no_key_opens_is_told_and_left_as_it_is(
    db: Database, settings: Settings, used: Keyring
) -> None:
    foreign = Keyring(parse_keys(new_key_line(secrets.token_bytes)).current)
    swapped = used.seal(SECRET, place(9), secrets.token_bytes)
    lost = foreign.seal(SECRET, place(7), secrets.token_bytes)
    async with db.write() as tx:
        for row_id, sealed in ((7, lost), (8, swapped)):
            await tx.execute(
                update(oauth_client).where(oauth_client.c.id == row_id).values(sealed=sealed)
            )
    done = await rotate(db, settings)
    assert done.unreadable == ("oauth_client.sealed of 7", "oauth_client.sealed of 8")
    rows = await db.rows(
        select(oauth_client.c.sealed).where(oauth_client.c.id.in_((7, 8))).order_by("id")
    )
    assert [row.sealed for row in rows] == [lost, swapped]
    assert (await roles(db, settings))[foreign.current.id] == ("is missing", 1)
    grow_old(settings)
    with pytest.raises(Conflict, match="still needed for 1 envelopes"):
        await drop_old(db, settings)
    assert len(parse_keys((settings.data_dir / KEY_FILE).read_text()).old) == 1


async def test_a_wrong_key_file_stops_every_step_and_changes_nothing(
    db: Database, settings: Settings, used: Keyring
) -> None:
    path = settings.data_dir / KEY_FILE
    path.write_text(new_key_line(secrets.token_bytes))
    before = (path.read_bytes(), await db.rows(select(oauth_client)))
    for step in (rotate, prepare, drop_old, keys_told):
        with pytest.raises(WrongKey, match="not the one this database was used with"):
            await step(db, settings)
    assert (path.read_bytes(), await db.rows(select(oauth_client))) == before


async def test_before_the_first_start_there_is_nothing_to_rotate(
    db: Database, settings: Settings
) -> None:
    with pytest.raises(Conflict, match="start the service once"):
        await rotate(db, settings)
    assert not settings.data_dir.exists()
