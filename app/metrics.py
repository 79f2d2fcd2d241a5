"""`/metrics` for Prometheus: read from the database when asked, beside counters of HTTP.

No handle, name or id of a person is a label; sources appear by our id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import Row, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.clock import monotonic
from app.db import Reader
from app.inbox.count_schemas import Counts
from app.inbox.counting import read_counts
from app.scope import EVERYTHING
from app.sources.coverage import StreamCoverage, read_coverage
from app.sources.models import quarantine, run, source
from app.sources.overview import quotas
from app.sources.schemas import QuotaOut
from app.web.auth import Needs, Permission
from app.web.routes import Routes

router = Routes(include_in_schema=False)
_SINCE_POLLS = 3600
_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
_gate = Needs(Permission.READ)


class HttpTimes:
    """ASGI layer: how long requests take, by route, method and status."""

    def __init__(self, app: ASGIApp, *, histogram: Histogram) -> None:
        self.app = app
        self.histogram = histogram

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, streamed = monotonic(), 500, False

        async def watch(message: Message) -> None:
            nonlocal status, streamed
            if message["type"] == "http.response.start":
                status = message["status"]
                streamed = _STREAM in message["headers"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = scope.get("route")
            name = getattr(route, "name", "none")  # never the path: it is the caller's word
            labels = self.histogram.labels(name, scope["method"][:10], str(status))
            if not streamed:  # it lasts as long as its reader wants
                labels.observe(monotonic() - began)


def new_histogram() -> Histogram:
    """The histogram of one application; registered nowhere, so that several can live."""
    return Histogram(
        "unanswered_http_seconds",
        "Time to answer a request.",
        ("route", "method", "status"),
        registry=None,
    )


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """For loopback as it is, for everybody else with a token."""
    if not _from_loopback(request):
        await _gate(request)
    state = request.app.state
    now: datetime = state.clock.now()
    db: Reader = state.db
    coverage = await read_coverage(db, EVERYTHING, now)
    block = await state.coverage.block(EVERYTHING)
    facts = _Facts(
        counts=await read_counts(db, EVERYTHING, now, block),
        streams=coverage,
        runs=await db.rows(_runs(now)),
        quarantined=await db.rows(_QUARANTINED),
        quotas=await quotas(db, now),
        now=now,
    )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(facts)
    registry.register(state.http_times)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _from_loopback(request: Request) -> bool:
    """Whether the peer itself is this machine; a proxy's word is not asked."""
    if request.client is None or "x-forwarded-for" in request.headers:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


_QUARANTINED = select(func.count().label("held")).select_from(quarantine)


def _runs(now: datetime) -> Any:
    """Polls of the last hour by platform, outcome and error."""
    since = datetime.fromtimestamp(now.timestamp() - _SINCE_POLLS, tz=now.tzinfo)
    return (
        select(
            source.c.platform,
            run.c.outcome,
            run.c.error_code,
            func.count().label("polls"),
            func.sum(run.c.new).label("new"),
            func.sum(run.c.requests).label("requests"),
        )
        .select_from(run.join(source))
        .where(run.c.finished_at >= since)
        .group_by(source.c.platform, run.c.outcome, run.c.error_code)
    )


class _Facts(Collector):
    """What the database says now, as metrics."""

    def __init__(
        self,
        *,
        counts: Counts,
        streams: Sequence[StreamCoverage],
        runs: Sequence[Row[Any]],
        quarantined: Sequence[Row[Any]],
        quotas: Sequence[tuple[Row[Any], QuotaOut]],
        now: datetime,
    ) -> None:
        self.counts = counts
        self.streams = streams
        self.runs = runs
        self.quarantined = quarantined
        self.quotas = quotas
        self.now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._inbox()
        yield from self._streams()
        yield from self._polls()
        yield self._quotas()
        held = int(self.quarantined[0].held)
        yield GaugeMetricFamily("unanswered_quarantine", "Messages in quarantine.", held)

    def _inbox(self) -> Iterator[Metric]:
        items = GaugeMetricFamily("unanswered_items", "Items by status.", labels=["status"])
        for status, number in self.counts.by_status.items():
            items.add_metric([status], number)
        yield items
        ages = GaugeMetricFamily("unanswered_waiting", "Unanswered by age.", labels=["age"])
        for bucket, number in self.counts.by_age.items():
            ages.add_metric([bucket], number)
        yield ages
        oldest = self.counts.oldest_unanswered
        yield GaugeMetricFamily(
            "unanswered_oldest_seconds",
            "How long the oldest unanswered has waited; 0 where nobody waits.",
            0 if oldest is None else self._age(oldest.occurred_at),
        )

    def _streams(self) -> Iterator[Metric]:
        labels = ["source", "platform", "stream"]
        lag = GaugeMetricFamily(
            "unanswered_poll_lag_seconds", "Time since everything was read.", labels=labels
        )
        state = GaugeMetricFamily(
            "unanswered_stream_state", "1 for the state a stream is in.", labels=[*labels, "state"]
        )
        gaps = GaugeMetricFamily("unanswered_open_gaps", "Ranges not yet read.", labels=labels)
        found = GaugeMetricFamily(
            "unanswered_recovered_24h", "Items only a second look found.", labels=labels
        )
        for row in self.streams:
            names = [str(row.source_id), row.platform, row.stream]
            if row.covered_through is not None:  # unknown is absent, never 0
                lag.add_metric(names, self._age(row.covered_through))
            state.add_metric([*names, row.state], 1)
            gaps.add_metric(names, len(row.open_gaps))
            found.add_metric(names, row.recovered_24h)
        yield from (lag, state, gaps, found)

    def _polls(self) -> Iterator[Metric]:
        labels = ["platform", "outcome", "error"]
        polls = GaugeMetricFamily("unanswered_polls_1h", "Polls of the last hour.", labels=labels)
        requests = GaugeMetricFamily(
            "unanswered_requests_1h", "Requests of these polls.", labels=labels
        )
        new = GaugeMetricFamily("unanswered_new_items_1h", "Items they found.", labels=labels)
        for row in self.runs:
            names = [row.platform, row.outcome or "none", row.error_code or "none"]
            polls.add_metric(names, row.polls)
            requests.add_metric(names, int(row.requests))
            new.add_metric(names, int(row.new))
        yield from (polls, requests, new)

    def _quotas(self) -> Metric:
        left = GaugeMetricFamily(
            "unanswered_quota_left",
            "What a source may still use of its quota or budget in this day or month.",
            labels=["source", "platform", "unit"],
        )
        for row, quota in self.quotas:
            left.add_metric([str(row.id), row.platform, quota.unit], quota.left)
        return left

    def _age(self, at: str) -> float:
        return max(0.0, (self.now - datetime.fromisoformat(at)).total_seconds())
