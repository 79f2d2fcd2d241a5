"""Ties a way to the browser of whoever began it: what comes back in another one is refused.

The answer to the beginning sets a cookie. A browser that did not begin (a command line did) gets it
from a page of ours, which says what is about to happen; the address of that page is a ticket.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from app.connecting.keeping import Proof
from app.team.tokens import hash_of

COOKIE_SECONDS = 600


def name_of(way_id: int, *, secure: bool) -> str:
    """The prefix makes browsers take it from this host by https only (RFC 6265bis, 4.1.3)."""
    return f"{'__Host-' if secure else ''}way-{way_id}"


def ticket_of(proof: Proof) -> str:
    """Opens the page that sets the cookie; the cookie cannot be told from it."""
    return hash_of(f"ticket:{proof.browser}")


def is_ticket(given: str, proof: Proof) -> bool:
    return bool(proof.browser) and hmac.compare_digest(given.encode(), ticket_of(proof).encode())


def is_bound(cookies: Mapping[str, str], way_id: int, proof: Proof, *, secure: bool) -> bool:
    """Whether the browser that these cookies come from is the one that began."""
    given = cookies.get(name_of(way_id, secure=secure), "")
    return bool(proof.browser) and hmac.compare_digest(given.encode(), proof.browser.encode())
