"""Examples of signing in for the OpenAPI document."""

from __future__ import annotations

from app.team.entering.schemas import OidcWay, SessionState, SignInLink, Ways
from app.team.schemas import Me, PersonOut

ME = Me(
    kind="session",
    id=12,
    name="Mira",
    user=PersonOut(id=3, name="mira", display_name="Mira"),
    role="agent",
    permissions=["read", "reply", "triage"],
    rights=[],
    source_ids=None,
    expires_at="2026-11-30T14:02:11.000Z",
)
STATE = SessionState(
    signed_in=ME,
    set_up_needed=False,
    ways=Ways(password=True, oidc=OidcWay(name="Our directory", url="/auth/oidc"), proxy=False),
)
LINK = SignInLink(
    url="https://desk.example/#setup=q3tZ1b0nN8v5mD2Jc7XyR4kLw9Ps6TgUeHfAiVoBxKM",
    expires_at="2026-11-30T14:02:11.000Z",
)
SIGN_IN = {"name": "mira", "password": "correct horse battery staple"}
SET_UP = {
    "ticket": "q3tZ1b0nN8v5mD2Jc7XyR4kLw9Ps6TgUeHfAiVoBxKM",
    "name": "mira",
    "display_name": "Mira",
    "password": "correct horse battery staple",
}
CHANGE = {"current": "correct horse battery staple", "new": "a river between two hills"}
