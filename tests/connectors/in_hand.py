"""Hands a recording to a connector without a network: for ten thousand readings, not for one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from app.clock import SystemClock
from app.connectors.answers import Answer, failure_of
from app.connectors.base import Connector, Platform
from app.connectors.keeping import NotStored
from app.connectors.limits import rate_limit
from tests.connectors.playing import Player, body_of, filled, headers_of

BASE = "http://127.0.0.1:8"


class InHand:
    """Fits `asking.Http`: answers from `exchanges` as the door would, and measures what the
    connector does between two answers. `slowest` is in seconds of this thread's own time, so that
    a busy machine is no finding.
    """

    def __init__(self, exchanges: Sequence[Mapping[str, Any]]) -> None:
        self._player = Player(exchanges)
        self._clock = SystemClock()
        self._began = time.thread_time()
        self.slowest = 0.0

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        expect: Sequence[int] = (200,),
    ) -> Answer:
        self.pause()
        try:
            return self._answer(method, url, params, expect)
        finally:
            self._began = time.thread_time()

    def pause(self) -> None:
        """What was done since the last answer is done: at the end, and before each question."""
        self.slowest = max(self.slowest, time.thread_time() - self._began)

    def _answer(
        self, method: str, url: str, params: Sequence[tuple[str, str]], expect: Sequence[int]
    ) -> Answer:
        parts = urlsplit(url)
        query = parse_qs(parts.query, keep_blank_values=True)
        for name, value in params:
            query.setdefault(name, []).append(value)
        found = self._player.find(method, unquote(parts.path), query)
        told, now = headers_of(found, BASE), self._clock.now()
        limit, status = rate_limit(told, now), found.get("status", 200)
        answer = Answer(status, told, url, body_of(found, BASE), now, limit, "127.0.0.1")
        if (failure := failure_of(answer, expect)) is not None:
            raise failure
        return answer


def connector_in_hand(platform: Platform, recording: Mapping[str, Any], http: InHand) -> Connector:
    """A connector as the service builds it, with `http` for its door."""
    asked = filled({name: recording.get(name) for name in ("settings", "credential")}, BASE)
    model, given = platform.credential, asked["credential"]
    return platform.connector(
        settings=platform.settings(**asked["settings"]),
        credential=model(**given) if model is not None and given else None,
        http=http,
        save_credential=NotStored(),
    )
