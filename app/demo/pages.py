"""The two pages of the fake platform that a person reads: plain text, so nothing in it can run."""

from __future__ import annotations

from datetime import datetime

from app.demo import views
from app.demo.endpoints import find_standing
from app.demo.model import SHOP, SUPPORT, Kept, World

FRONT = """\
This is the demo platform of Unanswered: made up, on this machine only.

{shop} (@{shop_handle}) is read with the token    {shop_token}
{support} (@{support_handle}) is read with the token    {support_token}

The second token expires now and then, as tokens do; the one that is valid stands here.
"""


def front(world: World, now: datetime, _kept: Kept, _args: tuple[str, ...]) -> str:
    """What this is, and the tokens that are valid now."""
    shop, support = world.accounts[SHOP], world.accounts[SUPPORT]
    return FRONT.format(
        shop=shop.name,
        shop_handle=shop.handle,
        shop_token=world.token(SHOP, now).text,
        support=support.name,
        support_handle=support.handle,
        support_token=world.token(SUPPORT, now).text,
    )


def item(world: World, now: datetime, kept: Kept, args: tuple[str, ...]) -> str:
    """One message as a person reads it. Direct messages are shown, too: all of it is made up."""
    found = find_standing(world, args[0], now, kept)
    shown = views.message(found, None, now, kept)
    lines = [
        f"{found.author.name} (@{found.author.handle}), {found.created_at:%Y-%m-%d %H:%M} UTC",
        "" if found.stars is None else "★" * found.stars,
        shown["text"],
        "" if shown["owner_answer"] is None else f"Answer: {shown['owner_answer']['text']}",
    ]
    return "\n\n".join(line for line in lines if line) + "\n"
