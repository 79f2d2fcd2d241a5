"""The settings as the documentation tells them."""

from __future__ import annotations

from app.environment import PREFIX
from app.settings import Settings


def settings_table() -> list[tuple[str, str, str, str]]:
    """Rows for the documentation: name, type, default, description."""
    rows = []
    for name, field in Settings.model_fields.items():
        row = (f"{PREFIX}{name.upper()}", _type_word(name), _default_word(name), field.description)
        rows.append(tuple(str(cell) for cell in row))
        if name in Settings.secrets:
            told = f"A file whose content is `{PREFIX}{name.upper()}`."
            rows.append((f"{PREFIX}{name.upper()}_FILE", "path", "not set", told))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


_TYPE_WORDS = {
    "data_dir": "path",
    "host": "address",
    "public_url": "URL",
    "log_format": "`auto`, `pretty`, `json`",
    "log_level": "`debug`, `info`, `warning`, `error`",
}


def _type_word(name: str) -> str:
    annotation = str(Settings.model_fields[name].annotation)
    if name in _TYPE_WORDS:
        return _TYPE_WORDS[name]
    if name in Settings.secrets:
        return "secret"
    words = {"bool": "true or false", "int": "whole number", "float": "number", "tuple": "list"}
    return next((word for sign, word in words.items() if sign in annotation), "text")


def _default_word(name: str) -> str:
    field = Settings.model_fields[name]
    if name == "data_dir":
        return "the platform's folder for user data"
    if field.default is None:
        return "not set"
    if field.default == ():
        return "empty"
    return f"`{str(field.default).lower()}`"
