"""Routes of the team."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from app.team.schemas import Me
from app.web.auth import Permission, Principal, needs

router = APIRouter(tags=["team"])


@router.get("/me", summary="Who am I, and what may I do?")
async def get_me(principal: Annotated[Principal, Depends(needs(Permission.READ))]) -> Me:
    sources = principal.scope.sources
    return Me(
        kind=principal.kind,
        id=principal.id,
        name=principal.name,
        role=principal.role,
        permissions=sorted(principal.permissions),
        rights=sorted(principal.rights),
        source_ids=None if sources is None else sorted(sources),
        expires_at=principal.expires_at,
    )
