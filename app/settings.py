"""Every setting of the service: its type, default and meaning, and how it is read."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.environment import ENV_FILE, PREFIX, UnreadableEnvFile, default_data_dir, read_names
from app.setting_values import (
    ChosenToken,
    DatabaseUrl,
    HeaderName,
    Host,
    HostNames,
    IpNetworks,
    Issuer,
    LongSecret,
    MailDomains,
    Origins,
    OwnApps,
    Reachable,
    WebAddress,
    Word,
)

_SECRET_BYTES = 64 * 1024

ELSEWHERE = frozenset({"URL", "TOKEN", "TOKEN_FILE", "TEST_POSTGRES_URL", "TEST_RECORDINGS"})
"""Names that belong to the command line's client and to the tests: known, ignored here."""


class SettingsError(Exception):
    """Settings that cannot be used. `problems` are sentences, one for each thing to repair."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Settings(BaseSettings):
    """What the service was told, frozen. Build it with `load_settings`.

    Also usable directly in tests: `Settings(data_dir=tmp_path)` reads nothing from outside.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=False)
    secrets: ClassVar[frozenset[str]] = frozenset(
        {"database_url", "secret_key", "bootstrap_token", "oauth_clients", "oidc_client_secret"}
    )

    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder for the database, the key and the command line's token. Made, for "
        "its owner only, when first needed.",
    )
    database_url: DatabaseUrl | None = Field(
        None,
        description="Where the inbox lives: `sqlite:////absolute/path.db` or "
        "`postgresql://user:password@host/database`. Not set: `unanswered.db` in the data folder.",
    )
    host: Host = Field(
        "127.0.0.1", description="Address to listen on. `0.0.0.0` and `::` mean everywhere."
    )
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        description="Port to listen on; 0 takes any free one. Not set and busy: the next free "
        "one, with a notice.",
    )
    public_url: WebAddress | None = Field(
        None, description="The address under which people reach the service, behind a proxy."
    )
    demo: bool | None = Field(
        None,
        description="The demo source. Not set: added at the first start on an empty database, on "
        "a loopback address only. `false` pauses one that exists.",
    )
    secret_key: LongSecret | None = Field(
        None,
        description="Key that encrypts stored credentials, at least 32 characters. Not set: "
        "generated at the first start and kept in the data folder.",
    )
    bootstrap_token: ChosenToken | None = Field(
        None,
        description="Becomes the first admin token while no token exists: 32 to 200 visible "
        "ASCII characters. Ignored later.",
    )
    allow_networks: Reachable = Field(
        (),
        description="Addresses, networks and host names, comma-separated, that may be reached "
        "although they are not public (`127.0.0.0/8,gitlab.lan`).",
    )
    oauth_clients: OwnApps | None = Field(
        None,
        description="Your apps on platforms that want one, `x=ID:SECRET,youtube=ID:SECRET`, in a "
        "file one a line. Not set: asked for when an account is connected.",
    )
    trusted_hosts: HostNames = Field(
        (),
        description="Host names, comma-separated, that requests may be addressed to (`*.lan`, "
        "`*`). Not set: derived from the address bound and the public one.",
    )
    cors_origins: Origins = Field(
        (),
        description="Origins, comma-separated, whose pages may call the API from a browser "
        "(`https://desk.example`).",
    )
    passwords: bool = Field(
        default=True, description="People sign in with a password; `false`: in other ways only."
    )
    session_idle_hours: float = Field(
        12, gt=0, le=24 * 365, description="Hours after which a session that is not used ends."
    )
    session_days: float = Field(
        7, gt=0, le=365, description="Days after which a session ends although it is used."
    )
    proxy_networks: IpNetworks = Field(
        (),
        description="Addresses and networks, comma-separated, of the proxies before the service: "
        "only from there `X-Forwarded-For` says who calls (`10.0.0.2,fd00::/8`).",
    )
    proxy_user_header: HeaderName | None = Field(
        None,
        description="Header in which these proxies name the person they have signed in "
        "(`X-Forwarded-User`). Needs `UNANSWERED_PROXY_NETWORKS`.",
    )
    oidc_client_id: str | None = Field(
        None, min_length=1, max_length=500, description="What an OpenID Connect service calls us."
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="The secret to it. Not set: a public client."
    )
    oidc_issuer: Issuer | None = Field(
        None,
        description="People also sign in through this OpenID Connect service. Needs "
        "`UNANSWERED_OIDC_CLIENT_ID` and `UNANSWERED_PUBLIC_URL`.",
    )
    oidc_name: str | None = Field(
        None,
        min_length=1,
        max_length=60,
        description="What that service is called on the page. Not set: its host.",
    )
    oidc_domains: MailDomains = Field(
        (),
        description="Domains, comma-separated, whose verified addresses are newcomers there.",
    )
    newcomers_role: Annotated[Literal["viewer", "agent"], Word] | None = Field(
        None,
        description="Role of who comes through that service (from its domains) or the proxies and "
        "is not in the team yet. Not set: they don't come in.",
    )
    max_body_bytes: int = Field(
        1024 * 1024, ge=1024, description="Largest request body that is accepted, in bytes."
    )
    rate_limit: int | None = Field(
        None,
        ge=0,
        description="Requests a minute that one token or session may make; 0 is no limit. Not set: "
        "6000 where other machines can reach the service, else no limit.",
    )
    failure_limit: int | None = Field(
        None,
        ge=0,
        description="Requests a minute without a valid credential that one network may make; 0 is "
        "no limit. Not set: 60 where other machines can reach the service, else no limit.",
    )
    migrate: bool = Field(default=True, description="`serve` brings the database up to date.")
    poll: bool = Field(default=True, description="`serve` polls the platforms.")
    poll_concurrency: int = Field(
        20, ge=1, le=200, description="Sources polled at the same time, at most."
    )
    tick_seconds: float = Field(
        0.5, ge=0.05, le=60, description="Pause between two looks for sources that are due."
    )
    requests_per_second: float = Field(
        5.0, gt=0, le=1000, description="Requests that one platform host gets in a second, at most."
    )
    streams_per_token: int = Field(
        20, ge=1, le=10_000, description="Streams of live events that one token keeps open."
    )
    events_kept_days: int | None = Field(
        None,
        ge=1,
        description="Days after which events, and with them the history of items, are deleted. "
        "Not set: never.",
    )
    deliveries_kept_days: int = Field(30, ge=1, description="Days that finished deliveries stay.")
    audit_kept_days: int = Field(400, ge=90, description="Days that the audit trail is kept.")
    worker_name: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Name of this process in leases and logs. Not set: host name and process id.",
    )
    log_format: Annotated[Literal["auto", "pretty", "json"], Word] = Field(
        "auto", description="`auto` is `pretty` on a terminal and `json` elsewhere."
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Word] = Field(
        "info", description="The least important records that are written."
    )

    @field_validator("proxy_user_header")
    @classmethod
    def _has_networks(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not info.data.get("proxy_networks"):
            raise ValueError("it needs UNANSWERED_PROXY_NETWORKS: from anywhere, anybody could lie")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _has_client(cls, value: str | None, info: ValidationInfo) -> str | None:
        for name in ("oidc_client_id", "public_url"):
            if value is not None and info.data.get(name) is None:
                raise ValueError(f"it needs {PREFIX}{name.upper()}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: `load_settings` reads the environment, so that tests need not."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @property
    def database(self) -> str:
        """The database as a URL for `sqlalchemy.make_url`. Holds a password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        path = self.data_dir.absolute() / "unanswered.db"
        return "sqlite:///" + quote(str(path), safe="/\\:")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host.lower().rstrip(".") == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def port_chosen(self) -> bool:
        """Whether somebody asked for this very port."""
        return "port" in self.model_fields_set

    def make_data_dir(self) -> Path:
        """The data folder, made for its owner only where it is missing."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.data_dir


def known_names() -> tuple[str, ...]:
    """Every name that may be set, without prefix, in upper case."""
    files = [f"{name.upper()}_FILE" for name in Settings.secrets]
    return tuple(sorted({*map(str.upper, Settings.model_fields), *files, *ELSEWHERE}))


def load_settings(
    env: Mapping[str, str] | None = None,
    env_file: Path | None = ENV_FILE,
    **overrides: Any,
) -> Settings:
    """Reads `UNANSWERED_*` from `env` (default: the environment), then from `env_file`.

    `overrides` (field names) beat both. Raises `SettingsError` naming everything that is wrong.
    """
    try:
        names = read_names(env, env_file)
    except UnreadableEnvFile as trouble:
        raise SettingsError([str(trouble)]) from trouble
    problems = [_unknown(name) for name in sorted(names) if name not in known_names()]
    values = _values(names, problems) | overrides
    try:
        settings = Settings(**values)
    except ValidationError as refusal:
        problems += [_sentence(error) for error in refusal.errors(include_url=False)]
        raise SettingsError(problems) from None  # pydantic's text would repeat the values
    if problems:
        raise SettingsError(problems)
    return settings


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, known_names(), n=1, cutoff=0.6)
    meant = f" Did you mean {PREFIX}{close[0]}?" if close else " Known names: docs/settings.md."
    return f"{PREFIX}{name} is not a setting.{meant}"


def _values(names: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        given, file = names.get(name.upper()), None
        if name in Settings.secrets:
            file = names.get(f"{name.upper()}_FILE")
        if given is not None and file is not None:
            problems.append(f"Set {PREFIX}{name.upper()} or {PREFIX}{name.upper()}_FILE, not both.")
        elif file is not None:
            given = _read_secret(f"{PREFIX}{name.upper()}_FILE", Path(file).expanduser(), problems)
        if given is not None:
            values[name] = Path(given).expanduser() if name == "data_dir" else given
    return values


def _read_secret(name: str, path: Path, problems: list[str]) -> str | None:
    try:
        with path.open(encoding="utf-8") as opened:
            text = opened.read(_SECRET_BYTES).strip()
    except UnicodeDecodeError:
        problems.append(f"{name}: {path} is not text in UTF-8.")
    except OSError as trouble:
        problems.append(f"{name}: {path} cannot be read ({trouble.strerror}).")
    else:
        if text:
            return text
        problems.append(f"{name}: {path} is empty.")
    return None


def _sentence(error: Any) -> str:
    name = str(error["loc"][0])
    said = error["msg"].removeprefix("Value error, ")
    given = error.get("input")
    shown = "" if name in Settings.secrets or "'" in said else f" (given: {given!r})"
    return f"{PREFIX}{name.upper()}: {said[:1].lower()}{said[1:]}{shown}."
