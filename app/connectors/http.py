"""The one door out: everything that leaves the process by HTTP goes through here."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import MappingProxyType
from typing import Any, Literal

import httpcore
import httpx

from app.clock import Clock, monotonic
from app.connectors.addresses import parse_allow
from app.connectors.answers import Answer, failure_of
from app.connectors.budget import Budget, BudgetSpent
from app.connectors.decoding import Body
from app.connectors.egress import AddressRefused, Guard, GuardedBackend, Resolver, Target, resolve
from app.connectors.failures import BadResponse, ConnectorError, Transient
from app.connectors.libraries import tame_libraries
from app.connectors.limits import rate_limit
from app.connectors.manners import Manners
from app.connectors.outgoing import body_of, headers_for, with_params
from app.connectors.redaction import redacted

__all__ = ["AddressRefused", "Budget", "BudgetSpent", "Door", "Method", "SourceHttp"]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]

_log = logging.getLogger(__name__)
_HOSTS_KEPT = 256
_CONNECT_SECONDS = 10.0
_LARGE, _LARGE_AT_ONCE = 1024 * 1024, 2  # bytes: a host that sends only such fills no memory
_KEEPALIVE_SECONDS = 4.0  # below the usual 5 s of servers: we close first and never race them


class Door:
    """Built once per process. `allow` lists what may be reached beside the public internet (see
    `addresses.AllowList`; a bad entry is a `ValueError`). `deadline` is in seconds and covers the
    whole request, `response_cap` counts decoded bytes; with 0 bodies are not read at all. `tls`,
    `resolver` and `dialler` replace the machine's own. `manners` space requests out and let a
    silent host rest.
    """

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        clock: Clock,
        user_agent: str,
        per_host: int = 8,
        in_all: int = 20,
        response_cap: int = 10 * 2**20,
        deadline: float = 30.0,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver = resolve,
        dialler: httpcore.AsyncNetworkBackend | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.manners = manners
        self.clock = clock
        self.user_agent = user_agent
        self.response_cap = response_cap
        self.deadline = deadline
        self._guard = Guard(parse_allow(allow), resolver=resolver)
        self._per_host = per_host
        self._turns = asyncio.Semaphore(in_all)
        self._tls = tls
        self._dialler = dialler
        self._hosts: OrderedDict[Target, _Host] = OrderedDict()
        self._closed = False
        tame_libraries()

    def allow_exactly(self, host: str, port: int) -> None:
        """Also permits this one host on this one port, by http and https (the demo's own)."""
        self._guard.allow_exactly(host, port)

    def check_url(self, url: str) -> Target:
        """Looks at a URL before it is saved, without asking the network; `AddressRefused` says
        what is wrong with it.
        """
        return self._guard.check_url(url)

    def for_source(
        self, *, budget: Budget | None = None, secrets: Sequence[str] = ()
    ) -> SourceHttp:
        """The door as one source sees it; `secrets` never show up in a failure's words."""
        return SourceHttp(self, budget=budget, secrets=secrets)

    async def aclose(self) -> None:
        """Closes all connections; later requests fail."""
        self._closed = True
        while self._hosts:
            _, host = self._hosts.popitem()
            await host.client.aclose()

    @asynccontextmanager
    async def turn_at(self, target: Target) -> AsyncIterator[_Host]:
        """The place of `target`, when it is our turn: first come, first served."""
        if self._closed:
            raise Transient("The service is shutting down.")
        host = self._hosts.get(target) or self._open(target)
        self._hosts.move_to_end(target)
        host.users += 1
        try:
            await self._forget_idle_hosts()
            async with host.turns, self._turns:
                yield host
        finally:
            host.users -= 1

    def _open(self, target: Target) -> _Host:
        if target.scheme == "https" and self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)  # once: it costs 20 ms
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=self._per_host,
            max_keepalive_connections=self._per_host,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=GuardedBackend(self._guard, target.scheme, self._dialler),
        )
        host = _Host(_client(pool), asyncio.Semaphore(self._per_host))
        self._hosts[target] = host
        return host

    async def _forget_idle_hosts(self) -> None:
        for target in list(self._hosts)[: max(0, len(self._hosts) - _HOSTS_KEPT)]:
            host = self._hosts.get(target)  # another request may have closed it meanwhile
            if host is not None and host.users == 0:
                await self._hosts.pop(target).client.aclose()


@dataclass(slots=True)
class _Host:
    """`turns` at it, and how many of them may hold a `large` answer."""

    client: httpx.AsyncClient
    turns: asyncio.Semaphore
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_LARGE_AT_ONCE))
    users: int = 0


class SourceHttp:
    """Fits `asking.Http`: the door with the budget and the secrets of one source."""

    def __init__(self, door: Door, *, budget: Budget | None, secrets: Sequence[str]) -> None:
        self._door = door
        self._secrets = tuple(secrets)
        self.budget = budget

    def __repr__(self) -> str:
        return f"<SourceHttp {self.budget}>"

    async def request(
        self,
        method: Method,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        expect: Sequence[int] = (200,),
        deadline: float | None = None,
    ) -> Answer:
        """See `asking.Http`. `deadline` (seconds) replaces the door's."""
        fields = headers_for(
            headers or {}, user_agent=self._door.user_agent, json_body=json is not None
        )
        try:
            target, address = self._addressed(url, params)
            seconds = self._door.deadline if deadline is None else deadline
            request = httpx.Request(method, address, headers=fields, content=body_of(json, content))
            async with self._door.turn_at(target) as place:
                if self.budget is not None:
                    seconds = self.budget.patience(seconds)
                request.extensions = {"timeout": _timeouts(seconds)}
                return await self._with_manners(place, request, target, expect, seconds)
        except ConnectorError as failure:
            failure.detail = redacted(failure.detail, self._secrets)
            failure.args = (failure.detail,)
            raise

    def _addressed(self, url: str, params: Sequence[tuple[str, str]]) -> tuple[Target, httpx.URL]:
        """Where the request goes, as two parsers agree on."""
        whole = with_params(url, params)
        target = self._door.check_url(whole)
        try:
            address = httpx.URL(whole)
        except httpx.InvalidURL:
            raise AddressRefused("The address is no valid URL.") from None
        port = address.port or {"http": 80, "https": 443}.get(address.scheme)
        if Target(address.scheme, address.raw_host.decode("ascii"), port or 0) != target:
            raise AddressRefused("The host in the address is not written in its plain form.")
        return target, address

    async def _with_manners(
        self,
        place: _Host,
        request: httpx.Request,
        target: Target,
        expect: Sequence[int],
        seconds: float,
    ) -> Answer:
        manners = self._door.manners
        if manners is None:
            return await self._exchange(place, request, target, expect, seconds)
        host = f"{target.host}:{target.port}"
        await manners.before(host)
        answered: bool | None = None
        try:
            answer = await self._exchange(place, request, target, expect, seconds)
            answered = answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        except ConnectorError as failure:
            if not isinstance(failure, BudgetSpent):
                answered = not isinstance(failure, Transient)
            raise
        finally:
            await manners.after(host, answered=answered)
        return answer

    async def _exchange(
        self,
        place: _Host,
        request: httpx.Request,
        target: Target,
        expect: Sequence[int],
        seconds: float,
    ) -> Answer:
        host = redacted(target.host, self._secrets)
        if self.budget is not None:
            self.budget.take_request()
        started = monotonic()
        try:
            async with asyncio.timeout(seconds):
                response = await place.client.send(request, stream=True)
                try:
                    answer = await self._answer(response, host, expect, place)
                finally:
                    await response.aclose()
        except (TimeoutError, httpcore.TimeoutException):
            if self.budget is not None:
                self.budget.in_vain += 1
            raise Transient(f"{host} did not answer within {seconds:g} seconds.") from None
        except httpcore.NetworkError as error:
            raise Transient(_unreachable(host, error)) from None
        except (httpcore.ProtocolError, httpx.HTTPError) as error:
            raise _garbled(host, error) from None
        if self.budget is not None:
            self.budget.in_vain = 0
        _log.debug("%s %s %d in %.3f s", request.method, host, answer.status, monotonic() - started)
        return answer

    async def _answer(
        self, response: httpx.Response, host: str, expect: Sequence[int], place: _Host
    ) -> Answer:
        headers = _headers_of(response)
        now = self._door.clock.now()
        limit = rate_limit(headers, now)
        url = str(response.request.url)
        answer = Answer(response.status_code, headers, url, b"", now, limit, host)
        if self.budget is not None:
            self.budget.rate_limit = limit
        failure = failure_of(answer, expect)
        if failure is not None:  # the status decides; the body of a refusal is not even read
            if self.budget is not None:
                self.budget.in_vain = 0
            raise failure
        if self._door.response_cap:
            answer.content = await self._content(response, host, place.large)
        answer.received_at = self._door.clock.now()
        return answer

    async def _content(
        self, response: httpx.Response, host: str, large: asyncio.Semaphore
    ) -> bytes:
        encoding = response.headers.get("content-encoding", "")
        body = Body(host=host, encoding=encoding, cap=self._door.response_cap)
        held = 0
        async with AsyncExitStack() as turn:
            async for chunk in response.aiter_raw():
                for count in body.feed(chunk):
                    if held <= _LARGE < held + count:
                        await turn.enter_async_context(large)
                    held += count
                    if self.budget is not None:
                        self.budget.take_bytes(count)
            return body.finish()


def _timeouts(seconds: float) -> dict[str, float | None]:
    """A share for connecting; all else is held by the deadline around the whole."""
    connect = min(seconds, _CONNECT_SECONDS)
    return httpx.Timeout(seconds, connect=connect).as_dict()


def _headers_of(response: httpx.Response) -> Mapping[str, str]:
    """Lower-case names, repeated ones joined; cookies stay outside."""
    headers = {name: response.headers[name] for name in response.headers}
    headers.pop("set-cookie", None)
    return MappingProxyType(headers)


def _unreachable(host: str, error: Exception) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The certificate of {host} was not accepted: {cause.verify_message}."
        if isinstance(cause, ssl.SSLError):
            return f"No secure connection to {host} could be made."
    if isinstance(error, httpcore.ConnectError):
        return f"{host} could not be reached."
    return f"The connection to {host} was cut."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What lies behind a failure: the libraries wrap the machine's error several times."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _garbled(host: str, error: Exception) -> ConnectorError:
    """A connection that ended too early, or an answer that is no HTTP. The library has one type
    for both and tells them apart in words only.
    """
    words = str(error)
    if "disconnected" in words or "closed connection" in words:
        return Transient(f"{host} cut its answer off in the middle.")
    return BadResponse(f"{host} answered with something that is no proper HTTP.")


def _client(pool: httpcore.AsyncConnectionPool) -> httpx.AsyncClient:
    """A client that keeps no cookies, follows no redirects and reads nothing of the environment."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(
        transport=_Transport(pool), cookies=no_cookies, trust_env=False, follow_redirects=False
    )


class _Transport(httpx.AsyncBaseTransport):
    """Between httpx and a connection pool of ours, because httpx's own builds its pool itself."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        assert isinstance(answer.stream, AsyncIterable)
        return _Response(answer.status, headers=answer.headers, stream=_Stream(answer.stream))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Response(httpx.Response):
    """Leads nowhere: httpx would build the request of a redirect even where it does not follow it,
    and a hostile address makes that raise all kinds of errors.
    """

    @property
    def has_redirect_location(self) -> bool:
        return False


class _Stream(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if hasattr(self._stream, "aclose"):
            await self._stream.aclose()
