"""Settings: defaults, sources and their order, secrets in files, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from app.environment import data_dir, env_file_warning, read_names
from app.settings import Settings, SettingsError, known_names, load_settings
from app.settings_told import settings_table
from tests.documents import DOCS, settings_page


def load(env_file: Path | None = None, **names: str) -> Settings:
    return load_settings({f"UNANSWERED_{name}": value for name, value in names.items()}, env_file)


def problems(env_file: Path | None = None, **names: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(env_file, **names)
    return refused.value.problems


def test_nothing_is_required() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.port_chosen) == ("127.0.0.1", 8000, False)
    assert settings.demo is None
    assert settings.loopback
    assert make_url(settings.database).database == str(settings.data_dir / "unanswered.db")


def test_importing_and_loading_write_nothing(tmp_path: Path) -> None:
    code = "import app.settings as s; s.load_settings()"
    env = {**os.environ, "UNANSWERED_DATA_DIR": str(tmp_path / "d"), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    assert list(tmp_path.iterdir()) == []


def test_the_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    made = load(DATA_DIR=str(tmp_path / "a" / "b")).make_data_dir()
    assert made.stat().st_mode & 0o777 == 0o700


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load().port = 1  # type: ignore[misc]  # that it is refused is the point


@pytest.mark.parametrize("folder", ["a b", "ü", "50%", "a#b", "a?b=c", "100%20"])
def test_any_folder_name_survives_the_database_url(tmp_path: Path, folder: str) -> None:
    settings = load(DATA_DIR=str(tmp_path / folder))
    assert make_url(settings.database).database == str(tmp_path / folder / "unanswered.db")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://u:p@h:5/d", "postgresql://u:p@h:5/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
        ("sqlite:///relative.db", "sqlite:///relative.db"),
        ("sqlite:////abs/x.db", "sqlite:////abs/x.db"),
    ],
)
def test_database_urls_that_are_understood(given: str, kept: str) -> None:
    assert load(DATABASE_URL=given).database == kept


@pytest.mark.parametrize("given", ["mysql://u:geheim@h/d", "sqlite://", "sqlite:///:memory:", "x"])
def test_other_databases_are_refused_without_showing_the_url(given: str) -> None:
    (sentence,) = problems(DATABASE_URL=given)
    assert sentence.startswith("UNANSWERED_DATABASE_URL: ")
    assert "geheim" not in sentence


def test_environment_beats_file_and_options_beat_both(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("UNANSWERED_PORT=1\nUNANSWERED_HOST='::1'\nOTHER=x\nexport UNANSWERED_DEMO=0\n")
    settings = load(file, PORT="2")
    assert (settings.port, settings.host, settings.demo) == (2, "::1", False)
    assert load_settings({"UNANSWERED_PORT": "2"}, file, port=3).port == 3


def test_an_empty_value_counts_as_not_set(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("UNANSWERED_PORT=9\n")
    assert load(file, PORT="").port == 9


def test_no_value_of_the_file_is_expanded(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("UNANSWERED_BOOTSTRAP_TOKEN=${HOME}$HOME-and-thirty-two-characters\n")
    token = load(file).bootstrap_token
    assert token is not None
    assert token.get_secret_value() == "${HOME}$HOME-and-thirty-two-characters"


@pytest.mark.parametrize("content", [b'UNANSWERED_PORT="1\n', b"\xff\xfeU\x00"])
def test_a_broken_file_is_told_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    (sentence,) = problems(file)
    assert str(file) in sentence


def test_a_file_others_can_read_is_warned_about(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert env_file_warning(file) is None
    file.write_text("UNANSWERED_PORT=1\n")
    file.chmod(0o644)
    assert "chmod 600" in (env_file_warning(file) or "")
    file.chmod(0o600)
    assert env_file_warning(file) is None


def test_everything_wrong_is_told_at_once_with_suggestions() -> None:
    told = problems(
        DATBASE_URL="x", TICKSECONDS="1", ZZZ="1", PORT="70000", HOST="a b", LOG_LEVEL="loud"
    )
    text = "\n".join(told)
    assert len(told) == 6
    assert "UNANSWERED_DATBASE_URL is not a setting. Did you mean UNANSWERED_DATABASE_URL?" in told
    assert "Did you mean UNANSWERED_TICK_SECONDS?" in text
    assert "UNANSWERED_ZZZ is not a setting. Known names: docs/settings.md." in told
    assert "UNANSWERED_PORT: " in text
    assert "'a b' is neither an address nor a host name" in text


def test_unknown_names_in_the_file_are_told_too(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("UNANSWERED_HOTS=1\n")
    assert "UNANSWERED_HOST?" in problems(file)[0]


def test_a_name_in_lower_case_is_not_silently_ignored() -> None:
    assert load_settings({"unanswered_port": "7"}, None).port == 7


def test_names_of_the_client_and_the_tests_are_known() -> None:
    load(URL="http://x", TOKEN="t", TEST_POSTGRES_URL="x", TEST_RECORDINGS="y")


@pytest.mark.parametrize("name", sorted(Settings.secrets))
def test_every_secret_can_come_from_a_file_and_is_masked(tmp_path: Path, name: str) -> None:
    secret = "postgresql://u:a-secret-of-more-than-32-characters@h/d"
    if name == "oauth_clients":
        secret = "x=app-1:a-secret-of-more-than-32-characters\nyoutube=app-2"
    file = tmp_path / "secret"
    file.write_text(f"{secret}\n")
    settings = load_settings({f"UNANSWERED_{name.upper()}_FILE": str(file)}, None)
    assert getattr(settings, name).get_secret_value() == secret
    assert (
        "a-secret" not in repr(settings) + str(settings.model_dump()) + settings.model_dump_json()
    )


def test_secret_files_that_cannot_be_used(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text(" \n")
    binary.write_bytes(b"\xff\xfe")
    token = "x" * 32
    assert "is empty" in problems(SECRET_KEY_FILE=str(empty))[0]
    assert "UTF-8" in problems(SECRET_KEY_FILE=str(binary))[0]
    assert "cannot be read" in problems(SECRET_KEY_FILE=str(tmp_path / "absent"))[0]
    both = problems(BOOTSTRAP_TOKEN=token, BOOTSTRAP_TOKEN_FILE=str(empty))
    assert both == ("Set UNANSWERED_BOOTSTRAP_TOKEN or UNANSWERED_BOOTSTRAP_TOKEN_FILE, not both.",)


@pytest.mark.parametrize(
    "token", ["x" * 31, "x" * 201, "x" * 32 + " ", "ü" * 32, "x" * 16 + "\t" * 16]
)
def test_a_bootstrap_token_is_visible_ascii_and_never_shown(token: str) -> None:
    (sentence,) = problems(BOOTSTRAP_TOKEN=token)
    assert sentence.startswith("UNANSWERED_BOOTSTRAP_TOKEN: it must be 32 to 200")
    assert token not in sentence


def test_lists_are_split_at_commas() -> None:
    settings = load(
        ALLOW_NETWORKS="127.0.0.0/8, ::1,gitlab.lan,10.0.0.7/8",
        CORS_ORIGINS="https://a.example,http://localhost:3000/",
        TRUSTED_HOSTS="*.lan,[::1]",
    )
    assert settings.allow_networks == ("127.0.0.0/8", "::1", "gitlab.lan", "10.0.0.7/8")
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert settings.trusted_hosts == ("*.lan", "[::1]")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOW_NETWORKS", "10.0.0.0/99"),
        ("ALLOW_NETWORKS", "*.lan"),
        ("CORS_ORIGINS", "https://a.example/path"),
        ("CORS_ORIGINS", "*"),
        ("TRUSTED_HOSTS", "a/b"),
        ("PUBLIC_URL", "inbox.example"),
        ("PUBLIC_URL", "https://u:p@inbox.example"),
        ("PUBLIC_URL", "https://inbox.example:99999"),
        ("HOST", "*"),
        ("PORT", "-1"),
        ("TICK_SECONDS", "0"),
        ("POLL_CONCURRENCY", "0"),
        ("DEMO", "perhaps"),
        ("LOG_FORMAT", "xml"),
        ("SECRET_KEY", "short"),
    ],
)
def test_values_out_of_range_are_refused_by_name(name: str, value: str) -> None:
    (sentence,) = problems(None, **{name: value})
    assert sentence.startswith(f"UNANSWERED_{name}: ")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.8.0.1", True), ("::1", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.2", False), ("inbox.lan", False)],
)  # fmt: skip
def test_loopback_is_known(host: str, *, loopback: bool) -> None:
    assert load(HOST=host).loopback is loopback


def test_words_in_upper_case_are_understood() -> None:
    settings = load(LOG_LEVEL="WARNING", LOG_FORMAT="JSON", PUBLIC_URL="https://x.example/in/ ")
    assert (settings.log_level, settings.log_format) == ("warning", "json")
    assert settings.public_url == "https://x.example/in"


def test_the_data_folder_is_found_without_the_settings(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"UNANSWERED_DATA_DIR={tmp_path / 'x'}\n")
    names: dict[str, Any] = read_names({}, file)
    assert data_dir(names) == load(file).data_dir == tmp_path / "x"
    assert data_dir({}) == load().data_dir


def test_the_page_of_settings_is_current() -> None:
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings_page()


def test_every_known_name_is_on_the_page() -> None:
    page = settings_page()
    assert all(f"`UNANSWERED_{name}`" in page for name in known_names())
    assert all(all(row) for row in settings_table())
