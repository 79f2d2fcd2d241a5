"""`serve` and `migrate` up to the application: settings, data folder, database, port."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from app.cli.server import bind
from tests.cli.conftest import Shell


@pytest.mark.parametrize("word", ["serve", "migrate"])
async def test_settings_that_cannot_be_used_stop_it(shell: Shell, word: str) -> None:
    shell.env |= {"UNANSWERED_PROT": "1", "UNANSWERED_DATABASE_URL": "mysql://u:geheim@h/d"}
    result = await shell.run(word)
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines()[0] == "These settings cannot be used:"
    assert "Did you mean UNANSWERED_PORT?" in result.err
    assert "geheim" not in result.err
    assert not shell.data.exists()


async def test_migrate_makes_the_folder_and_the_database_once(shell: Shell) -> None:
    first = await shell.run("migrate")
    assert first.code == 0
    assert first.out.startswith("The database went from empty to ")
    assert shell.data.stat().st_mode & 0o777 == 0o700
    second = await shell.run("migrate", "--json")
    revisions = second.json()
    assert revisions["before"] == revisions["after"] is not None


async def test_a_database_from_the_future_is_refused(shell: Shell) -> None:
    await shell.run("migrate")
    with closing(sqlite3.connect(shell.data / "unanswered.db")) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
    for words in (["migrate"], ["serve"], ["serve", "--no-migrate"]):
        result = await shell.run(*words)
        assert result.code == 1
        assert "from-the-future" in result.err
        assert "Traceback" not in result.err


async def test_a_database_from_before_is_refused_without_migrating(shell: Shell) -> None:
    result = await shell.run("serve", "--no-migrate")
    assert result.code == 1
    assert "unanswered migrate" in result.err


async def test_a_database_that_does_not_answer(shell: Shell) -> None:
    with bind("127.0.0.1", 0, chosen=True) as closed:
        port = closed.getsockname()[1]
    shell.env["UNANSWERED_DATABASE_URL"] = f"postgresql://u:geheim@127.0.0.1:{port}/d"
    result = await shell.run("migrate")
    assert result.code == 1
    assert result.err.startswith("The database cannot be used: ")
    assert "geheim" not in result.err
    assert "Traceback" not in result.err


async def test_a_file_that_is_no_database(shell: Shell) -> None:
    shell.data.mkdir()
    (shell.data / "unanswered.db").write_text("this is a letter, not a database" * 100)
    result = await shell.run("migrate")
    assert (result.code, "file is not a database" in result.err) == (1, True)


async def test_a_data_folder_that_cannot_be_made(shell: Shell) -> None:
    (shell.folder / "file").write_text("")
    shell.env["UNANSWERED_DATA_DIR"] = str(shell.folder / "file" / "data")
    for word in ("serve", "migrate"):
        result = await shell.run(word)
        assert result.code == 1
        assert "cannot be made" in result.err
        assert "UNANSWERED_DATA_DIR" in result.err


@pytest.mark.parametrize("by", ["option", "setting"])
async def test_a_chosen_port_that_is_busy(shell: Shell, by: str) -> None:
    with bind("127.0.0.1", 0, chosen=True) as taken:
        port = str(taken.getsockname()[1])
        shell.env |= {"UNANSWERED_PORT": port} if by == "setting" else {}
        result = await shell.run("serve", *(["--port", port] if by == "option" else []))
    assert result.code == 1
    (sentence,) = [line for line in result.err.splitlines() if not line.startswith("{")]
    assert sentence.startswith(f"Port {port} on 127.0.0.1 is busy")


async def test_a_dotenv_others_can_read_is_warned_about(shell: Shell) -> None:
    file = shell.folder / ".env"
    file.write_text("UNANSWERED_LOG_LEVEL=error\n")
    file.chmod(0o644)
    result = await shell.run("migrate")
    assert (result.code, "chmod 600 .env" in result.err) == (0, True)


async def test_serve_refuses_words_it_does_not_know(shell: Shell) -> None:
    for words in (["--port", "99999"], ["--prot", "1"], ["extra"]):
        assert (await shell.run("serve", *words)).code == 2
