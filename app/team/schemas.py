"""Wire format of the team."""

from __future__ import annotations

from pydantic import ConfigDict

from app.web.principal import Permission, Right, Role
from app.web.wire import Model, Time


class Me(Model):
    """Who is calling."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "token",
                    "id": 1,
                    "name": "wall display",
                    "role": "viewer",
                    "permissions": ["read"],
                    "rights": ["direct"],
                    "source_ids": None,
                    "expires_at": "2027-03-01T09:30:00.000Z",
                }
            ]
        }
    )

    kind: str
    id: int
    name: str
    role: Role
    permissions: list[Permission]
    rights: list[Right]
    source_ids: list[int] | None
    """The only sources it may see; null: all."""
    expires_at: Time | None
