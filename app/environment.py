"""Reads the `UNANSWERED_*` names from the environment and `.env`, and finds the data folder.

Knows only the standard library until asked for more: the command line starts with this.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

PREFIX = "UNANSWERED_"
ENV_FILE = Path(".env")


class UnreadableEnvFile(Exception):
    """A `.env` that cannot be understood; the message is a sentence for a person."""


def read_names(
    env: Mapping[str, str] | None = None, env_file: Path | None = ENV_FILE
) -> dict[str, str]:
    """The values set for this service, by name without prefix, in upper case (`PORT`).

    The environment beats the file. An empty value counts as not set, as in a compose file that
    passes a variable on. Raises `UnreadableEnvFile`.
    """
    found = dict(_read_file(env_file)) if env_file is not None and env_file.is_file() else {}
    for name, value in (os.environ if env is None else env).items():
        if name.upper().startswith(PREFIX) and value.strip():
            found[name.upper().removeprefix(PREFIX)] = value
    return found


def _read_file(path: Path) -> dict[str, str]:
    from dotenv.parser import parse_stream  # noqa: PLC0415  # only where there is such a file

    found = {}
    try:
        with path.open(encoding="utf-8-sig") as lines:
            bindings = list(parse_stream(lines))
    except (OSError, UnicodeDecodeError) as trouble:
        raise UnreadableEnvFile(f"{path} cannot be read: {trouble}") from trouble
    for binding in bindings:
        if binding.error:
            line = binding.original.line
            raise UnreadableEnvFile(f"{path}, line {line}, is not of the form NAME=value.")
        name, value = (binding.key or "").upper(), binding.value or ""
        if name.startswith(PREFIX) and value.strip():
            found[name.removeprefix(PREFIX)] = value
    return found


def env_file_warning(env_file: Path = ENV_FILE) -> str | None:
    """A sentence when others on this machine can read a `.env` with our names in it."""
    if os.name != "posix" or not env_file.is_file():
        return None
    if not stat.S_IMODE(env_file.stat().st_mode) & 0o077 or not _read_file(env_file):
        return None
    return f"{env_file} can be read by other users of this machine. Run: chmod 600 {env_file}"


def default_data_dir() -> Path:
    """The platform's folder for a user's data of this service; not created here."""
    from platformdirs import user_data_path  # noqa: PLC0415  # not needed where the folder is given

    return user_data_path("unanswered", appauthor=False)


def data_dir(names: Mapping[str, str]) -> Path:
    """The data folder that `read_names` leads to."""
    given = names.get("DATA_DIR")
    return Path(given).expanduser() if given else default_data_dir()
