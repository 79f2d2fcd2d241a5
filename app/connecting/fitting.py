"""What a platform's way in needs of the settings before an account is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import create_model

from app.connectors.base import Platform
from app.connectors.oauth import OAuth
from app.connectors.registry import PLATFORMS
from app.errors import Conflict, NotFound
from app.sources.connecting import read_settings_as


def named(name: str) -> Platform:
    """A platform that is offered; `NotFound` for any other."""
    found = PLATFORMS.get(name)
    if found is None or found.hidden:
        known = ", ".join(sorted(each.name for each in PLATFORMS.values() if not each.hidden))
        raise NotFound(f"There is no platform of that name. There are: {known}.")
    return found


def with_oauth(name: str) -> tuple[Platform, OAuth]:
    """The same with its way in; `Conflict` where it has none."""
    platform = named(name)
    if platform.oauth is None:
        raise Conflict(
            f"{platform.title} has no page of its own to allow it on. Connect it with a "
            "credential: POST /api/v1/sources."
        )
    return platform, platform.oauth


def partial_settings(platform: Platform, settings: Mapping[str, Any], chosen: Sequence[str]) -> Any:
    """The settings as the platform's model; what comes with the account may be left out, and is
    `None`. Raises `InvalidRequest` naming each wrong field.
    """
    left_out = [name for name in chosen if name not in settings]
    if not left_out:
        return read_settings_as(platform.settings, platform, settings)
    # Fields with a default are not validated, so that the model's own rules don't see `None`.
    optional: dict[str, Any] = dict.fromkeys(left_out, (Any, None))
    return read_settings_as(
        create_model("Partial", __base__=platform.settings, **optional), platform, settings
    )
