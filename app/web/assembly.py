"""The layers around the routes, in the one order that works."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from app.clock import monotonic
from app.web.headers import EXPOSED, AccessLog, Cors, RequestId, SecurityHeaders
from app.web.limits import SizeLimits, TrustedHosts
from app.web.problems import UnhandledErrors
from app.web.rates import Rates


def add_layers(
    app: FastAPI,
    *,
    new_id: Callable[[], str],
    trusted_hosts: Sequence[str],
    cors_origins: Sequence[str],
    max_body_bytes: int,
    https: bool,
    rates: Rates | None = None,
) -> None:
    """Adds every layer, innermost first; the last one added sees a request first.

    `https` says whether the public address is an https one; without `rates` there is no limit.
    Refusals and unexpected errors are answered inside CORS, so that a browser may read them; the id
    and the log are outside of all.
    """
    app.state.rates = rates or Rates(requests=None, failures=None, now=monotonic)
    app.add_middleware(SizeLimits, max_bytes=max_body_bytes)
    app.add_middleware(TrustedHosts, hosts=tuple(trusted_hosts))
    app.add_middleware(UnhandledErrors)
    if cors_origins:
        app.add_middleware(
            Cors,
            allow_origins=tuple(cors_origins),
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("*",),
            expose_headers=EXPOSED,
        )
    app.add_middleware(SecurityHeaders, https=https)
    app.add_middleware(AccessLog)
    app.add_middleware(RequestId, new_id=new_id)
