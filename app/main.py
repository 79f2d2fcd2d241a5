"""The application: the only place where all parts meet."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from starlette.routing import BaseRoute

from app import __version__, health, metrics
from app.admitting import Admitting
from app.clock import Clock, SystemClock, monotonic
from app.connecting import api as connecting_api
from app.connecting.clients import Clients
from app.connecting.returning import Returning
from app.connecting.service import Connections
from app.connectors.http import Door
from app.connectors.manners import ProcessManners
from app.connectors.oauth import Client
from app.connectors.registry import PLATFORMS
from app.db import Database, OpenDatabase, open_database
from app.db_url import lock_beside, sqlite_path
from app.demonstration import Demonstration
from app.errors import Unavailable
from app.inbox import api as inbox_api
from app.inbox import forgetting, tending
from app.inbox.erasing.hooks import Hooks
from app.inbox.erasing.service import Erasing
from app.inbox.kept_lists import KeptLists
from app.inbox.search.indexing import Indexing
from app.outbox import api as outbox_api
from app.outbox.repository import forget_source as forget_events
from app.outbox.webhooks.deliveries import forget_source as forget_deliveries
from app.own_apps import parse_apps
from app.page import api as page_api
from app.polling import api as polling_api
from app.polling.hosts import SharedManners
from app.polling.poller import Poller
from app.polling.runner import Runner
from app.reports import api as reports_api
from app.sources import api as sources_api
from app.sources.connecting import Connecting
from app.sources.coverage import CoverageBlock
from app.sources.repository import known_sources
from app.sources.service import Sources
from app.team import api as team_api
from app.team.audit.trail import AuditTrail
from app.team.keys import following, open_keyring
from app.team.oidc import api as oidc_api
from app.team.passwords.hashing import Hasher
from app.team.sealing import AnswerSeal
from app.team.secrets import Keyring
from app.telling import Telling, Wanted, kept_for
from app.web.assembly import add_layers
from app.web.audited import Refusals, make_audited
from app.web.auth import check_every_route_declares
from app.web.conditional import make_conditional
from app.web.idempotency import make_repeatable
from app.web.methods import keep_words_from_ids
from app.web.openapi import Api
from app.web.rates import Rates

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.settings import Settings

PREFIX = "/api/v1"
_PARTS = (
    inbox_api, sources_api, connecting_api, polling_api, outbox_api, team_api, reports_api,
)  # fmt: skip
GRACE_SECONDS = 3.0
"""For polls in flight; with the server's own 3 s this stays below the promised 10 s."""
REQUESTS, FAILURES = 6000, 60
"""A minute: of one caller, and without a credential from one network."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FORGET = (
    forgetting.forget_items,
    forgetting.forget_replies,
    forgetting.forget_threads,
    forgetting.forget_strangers,
    forget_events,
    forget_deliveries,
)

_ERASE = Hooks()
"""What else must hear of an erasure, beside the cascades of the tables."""


def create_app(
    settings: Settings,
    *,
    bind: tuple[str, int] | None = None,
    clock: Clock | None = None,
    hasher: Hasher | None = None,
) -> Api:
    """The application for these settings; nothing is opened before its lifespan begins.

    `bind` is where it will listen: for the CLI's file and the host names that are trusted. The
    lifespan raises `AppError` with a sentence for a person when the service can't start. `hasher`
    replaces the usual one for passwords.
    """
    host, port = bind or (settings.host, settings.port)
    public = settings.public_url
    app = Api(
        title="Unanswered",
        version=__version__,
        summary="Who on social media still waits for your answer.",
        lifespan=_Lifespan(settings, host, port, clock or SystemClock(), hasher),
        openapi_url="/openapi.json",
        wire=tuple(shape for part in _PARTS for shape in part.WIRE),
    )
    app.state.public_url = public
    app.state.begin_stop = _begin_stop(app)
    app.state.stopping = False
    app.state.runner = app.state.telling = None
    app.router.routes.extend(_routes())
    app.state.http_times = metrics.new_histogram()
    app.add_middleware(metrics.HttpTimes, histogram=app.state.http_times)
    app.add_middleware(Refusals, prefix=PREFIX)
    add_layers(
        app,
        new_id=lambda: secrets.token_hex(8),
        trusted_hosts=settings.trusted_hosts or _own_names(settings, host),
        cors_origins=settings.cors_origins,
        max_body_bytes=settings.max_body_bytes,
        https=public is not None and public.startswith("https://"),
        rates=_rates(settings),
    )
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """Every route and what lies around it: made once, however many applications serve them."""
    app = Api(title="Routes", openapi_url=None)
    for part in _PARTS:
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(connecting_api.public)
    app.include_router(oidc_api.public)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(page_api.router)
    check_every_route_declares(app)
    make_audited(app, PREFIX)
    make_repeatable(app, PREFIX)
    make_conditional(app, PREFIX)
    keep_words_from_ids(app)
    return tuple(app.router.routes)


def _rates(settings: Settings) -> Rates:
    """Nobody but this machine's own people can be in the way of a service on loopback alone."""
    alone = settings.loopback and settings.public_url is None
    requests, failures = settings.rate_limit, settings.failure_limit
    if requests is None:
        requests = 0 if alone else REQUESTS
    if failures is None:
        failures = 0 if alone else FAILURES
    return Rates(requests=requests or None, failures=failures or None, now=monotonic)


def _own_names(settings: Settings, host: str) -> tuple[str, ...]:
    """The host names that requests may be addressed to: those we can know, or any."""
    public = settings.public_url
    names = (urlsplit(public).hostname or "",) if public is not None else ()
    if host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        return (*names, *_LOOPBACK) if names else ("*",)
    return (*names, *_LOOPBACK, host)


def _begin_stop(app: Api) -> Callable[[], None]:
    def begin_stop() -> None:
        app.state.stopping = True
        for part in (app.state.runner, app.state.telling):
            if part is not None:
                part.begin_stop()

    return begin_stop


@dataclass(frozen=True, slots=True)
class _Parts:
    """What polling and serving both need, open."""

    db: OpenDatabase
    door: Door
    manners: ProcessManners | SharedManners
    keyring: Keyring
    connecting: Connecting

    @classmethod
    async def open(cls, stack: AsyncExitStack, settings: Settings, clock: Clock) -> _Parts:
        """Opens everything in order; the stack closes it in the other."""
        if settings.poll:
            stack.enter_context(only_poller(settings.database))
        db = open_database(settings.database)
        stack.push_async_callback(db.close)
        key = settings.secret_key
        keyring = await open_keyring(
            db,
            secret_key=None if key is None else key.get_secret_value(),
            data_dir=settings.data_dir,
            random=secrets.token_bytes,
        )
        await stack.enter_async_context(following(keyring))
        manners = _manners(db, settings.requests_per_second)
        door = Door(
            allow=settings.allow_networks,
            clock=clock,
            user_agent=f"Unanswered/{__version__}",
            manners=manners,
        )
        stack.push_async_callback(door.aclose)
        return cls(db, door, manners, keyring, Connecting(db, door, keyring, clock))

    async def start_polling(
        self, stack: AsyncExitStack, settings: Settings, clock: Clock
    ) -> Runner:
        """Starts to tick; the stack lets polls in flight finish."""
        owner = settings.worker_name or f"{socket.gethostname()}:{os.getpid()}"
        runner = Runner(
            self.db,
            clock,
            Poller(self.db, clock, self.connecting, SystemRandom()),
            owner[:80],
            tick_seconds=settings.tick_seconds,
            concurrency=settings.poll_concurrency,
            tend=partial(
                tending.tend, self.db, Erasing(self.db, clock, secrets.token_bytes, _ERASE)
            ),
        )
        self.manners.recovered = runner.host_is_back
        await runner.start()
        stack.push_async_callback(runner.stop, GRACE_SECONDS)
        return runner

    async def start_telling(
        self, stack: AsyncExitStack, settings: Settings, clock: Clock
    ) -> Telling:
        """Starts live events and the sender of webhooks; the stack stops them."""
        wanted = Wanted(
            allow=settings.allow_networks,
            public_url=settings.public_url,
            streams_per_token=settings.streams_per_token,
            kept=kept_for(
                deliveries_days=settings.deliveries_kept_days,
                events_days=settings.events_kept_days,
                audit_days=settings.audit_kept_days,
            ),
        )
        return await Telling.open(stack, self.db, clock, self.keyring, wanted)


def _clients(settings: Settings) -> dict[str, Client]:
    """The operator's apps; `Unavailable` where one is of a platform that has no use for it."""
    given = settings.oauth_clients
    apps = {} if given is None else parse_apps(given.get_secret_value())
    for name in apps:
        if name not in PLATFORMS or PLATFORMS[name].oauth is None:
            raise Unavailable(
                f"UNANSWERED_OAUTH_CLIENTS names {name}, which is no platform that is connected "
                "through an app of yours."
            )
    return {name: Client(*app) for name, app in apps.items()}


def _manners(db: Database, rate: float) -> ProcessManners | SharedManners:
    """On SQLite one process asks the platforms; on PostgreSQL workers share the rate."""
    if db.dialect == "sqlite":
        return ProcessManners(rate=rate, rng=SystemRandom())
    return SharedManners(db, rate=rate, rng=SystemRandom())


async def poll_only(settings: Settings, stopping: asyncio.Event) -> None:
    """Polls until `stopping` is set, without serving anything: one of many workers.

    On PostgreSQL any number of them share the sources; on SQLite there is one poller.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        parts = await _Parts.open(stack, settings, clock)
        await parts.start_polling(stack, settings, clock)
        await parts.start_telling(stack, settings, clock)
        await stopping.wait()


class _Lifespan:
    """What lives as long as the application."""

    def __init__(
        self, settings: Settings, host: str, port: int, clock: Clock, hasher: Hasher | None
    ) -> None:
        self.settings = settings
        self.hasher = hasher
        self.host = host
        self.port = port
        self.clock = clock

    def __call__(self, app: FastAPI) -> AbstractAsyncContextManager[None]:
        return self._live(app)

    @asynccontextmanager
    async def _live(self, app: FastAPI) -> AsyncIterator[None]:
        settings, clock = self.settings, self.clock
        async with AsyncExitStack() as stack:
            parts = await _Parts.open(stack, settings, clock)
            admitting = await Admitting.open(
                stack,
                parts.db,
                settings,
                clock,
                door=parts.door,
                own_url=self._own_url(),
                hasher=self.hasher,
            )
            sources = Sources(parts.connecting, allowed=settings.allow_networks, forget=_FORGET)
            app.state.db = parts.db
            app.state.clock = clock
            app.state.trail = AuditTrail(parts.db, clock)
            app.state.resolve, app.state.sessions = admitting.tokens, admitting.sessions
            app.state.entrance, app.state.proxies = admitting.entrance, admitting.proxies
            app.state.proxied, app.state.oidc = admitting.proxied, admitting.oidc
            app.state.set_up_link = admitting.set_up_link
            app.state.seal = AnswerSeal(parts.keyring, secrets.token_bytes)
            app.state.sources = sources
            clients = Clients(parts.connecting, _clients(settings))
            app.state.own_url = base = settings.public_url or self._own_url()
            app.state.connections = Connections(parts.connecting, sources, clients, base)
            app.state.returning = Returning(
                parts.connecting, clients, secure=base.startswith("https://")
            )
            app.state.known_sources = known_sources
            app.state.coverage = CoverageBlock(parts.db, clock)
            app.state.lists = KeptLists.of(parts.db)
            app.state.erasing = Erasing(parts.db, clock, secrets.token_bytes, _ERASE)
            indexing = Indexing(parts.db)
            stack.push_async_callback(indexing.stop)
            await indexing.start()
            allowed = settings.demo is not False and settings.loopback and settings.poll
            demo = Demonstration(parts.db, clock, parts.door, sources, allowed=allowed)
            stack.push_async_callback(demo.stop)
            await demo.start()
            if settings.poll:
                app.state.runner = await parts.start_polling(stack, settings, clock)
            telling = await parts.start_telling(stack, settings, clock)
            app.state.telling = telling
            app.state.broadcaster, app.state.webhooks = telling.broadcaster, telling.webhooks
            yield

    def _own_url(self) -> str:
        shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared, not bound
        return f"http://[{shown}]:{self.port}" if ":" in shown else f"http://{shown}:{self.port}"


@asynccontextmanager
async def running(app: Api) -> AsyncIterator[Api]:
    """The application between start and stop, for tests and tools that serve it themselves."""
    async with app.router.lifespan_context(app):
        yield app


def only_poller(url: str) -> _PollLock:
    """The right to poll an SQLite database, held for life; nothing to hold on PostgreSQL."""
    return _PollLock(sqlite_path(url))


class _PollLock:
    """A lock file beside the database. Raises `Unavailable` where another process polls it."""

    def __init__(self, path: Path | None) -> None:
        self._lock = None if path is None else FileLock(lock_beside(path, "poll"))

    def __enter__(self) -> None:
        if self._lock is None:
            return
        Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise Unavailable(
                "Another process polls this SQLite database already. Stop it, start this one with "
                "--no-poll, or use PostgreSQL, which many workers can share."
            ) from None

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()
