"""Speaks to a running service over its REST API; every refusal becomes a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from app.cli.failure import Cut, Failure, Refused
from app.cli.lean import without_colours
from app.cli.started import command
from app.environment import UnreadableEnvFile, data_dir, read_names

with without_colours():
    import httpx  # noqa: TID251  # the client is a caller of ours, not a poller

Json = dict[str, Any]
PATIENCE = 30.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the service is, the token for it, and where each was found."""

    url: str
    token: str | None
    found_in: str


def find_place(url: str | None, token: str | None) -> Place:
    """Options first, then the environment, then `cli.json` in the data folder.

    The file's token goes to the file's address only: another address gets no token by itself.
    """
    try:
        names = read_names()
    except UnreadableEnvFile as trouble:
        raise Failure(str(trouble)) from trouble
    file = data_dir(names) / "cli.json"
    stored = read_cli_file(file)
    chosen = url or names.get("URL") or stored.get("url")
    if not chosen:
        raise Failure(
            "No running service is known.",
            [f"Start one: {command('serve')}", "Or say where it is: --url URL (UNANSWERED_URL)"],
        )
    chosen = _checked(chosen)
    given = token or names.get("TOKEN") or _token_file(names)
    if given:
        return Place(chosen, given, "--token" if token else "UNANSWERED_TOKEN")
    if stored and _same_place(chosen, stored["url"]):
        return Place(chosen, stored["token"], str(file))
    return Place(chosen, None, "")


def read_cli_file(file: Path) -> dict[str, str]:
    """`url` and `token` that `serve` wrote at its start; empty where it never did."""
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        return {"url": str(held["url"]), "token": str(held["token"])}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as trouble:
        why = trouble.strerror if isinstance(trouble, OSError) else "it is not what serve writes"
        raise Failure(
            f"{file} cannot be used ({why}).", ["Start the service again: it writes the file anew."]
        ) from trouble


def _token_file(names: Mapping[str, str]) -> str | None:
    if "TOKEN_FILE" not in names:
        return None
    try:
        return Path(names["TOKEN_FILE"]).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as trouble:
        raise Failure(f"UNANSWERED_TOKEN_FILE cannot be read: {trouble}") from trouble


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username or parts.password:
        raise Failure(f"{url!r} is no address of a service: write http://host:port.")
    return url.rstrip("/").removesuffix("/api/v1")


def _same_place(one: str, other: str) -> bool:
    a, b = urlsplit(one), urlsplit(other)
    same_host = a.hostname == b.hostname or {a.hostname, b.hostname} <= _LOOPBACK
    return same_host and (a.scheme, a.port) == (b.scheme, b.port)


class Api:
    """The calls of the REST API. Raises `Failure` and `Refused`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        parts = urlsplit(place.url)
        headers = {"Accept": "application/json, application/problem+json"}
        if place.token:
            headers["Authorization"] = f"Bearer {place.token}"
        try:
            self._http = httpx.Client(
                base_url=place.url,
                headers=headers,
                timeout=httpx.Timeout(PATIENCE, connect=5.0),
                verify=parts.scheme == "https",  # nothing to verify, and 30 ms saved, without TLS
                trust_env=parts.hostname not in _LOOPBACK,  # no proxy leads to this machine
            )
        except (UnicodeEncodeError, ValueError) as trouble:
            raise Failure("The token may hold visible ASCII characters only.") from trouble

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Json | None = None, *, key: str | None = None) -> Any:
        return self.call("POST", path, body=body, headers={"Idempotency-Key": key} if key else None)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Json | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Any:
        """The decoded answer of one call below `/api/v1`; `None` where it has no body."""
        if self.place.token is None:
            raise _no_token(self.place)
        answer = self._send(
            method,
            f"/api/v1{path}",
            params=None if query is None else _listed(query),
            json=body,
            content=content,
            headers=headers,
            timeout=httpx.Timeout(patience, connect=5.0),
        )
        if answer.status_code >= httpx.codes.MULTIPLE_CHOICES:
            raise _refusal(answer, self.place)
        return _decoded(answer, self.place) if answer.content else None

    def come_back(self, platform: str, query: Sequence[tuple[str, str]]) -> None:
        """Hands the service the return of a platform that a browser could not bring to it."""
        self._send("GET", f"/connect/{platform}/callback", params=list(query))

    def ready(self) -> tuple[int, Any, str | None]:
        """`/readyz`: status, document (`None` where it is none), and the Date header."""
        answer = self._send("GET", "/readyz")
        try:
            document = answer.json()
        except ValueError:
            document = None
        return answer.status_code, document, answer.headers.get("date")

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **options)
        except httpx.TimeoutException as trouble:
            raise Failure(
                f"{self.place.url} does not answer in time.",
                [f"See what is wrong: {command('doctor')}"],
            ) from trouble
        except (httpx.TransportError, httpx.InvalidURL) as trouble:
            raise Failure(
                f"No service answers at {self.place.url} ({trouble}).",
                [f"Start it: {command('serve')}", "Or say where it is: --url URL (UNANSWERED_URL)"],
            ) from trouble

    def lines(
        self, path: str, query: Mapping[str, Any], headers: Mapping[str, str], patience: float
    ) -> Iterator[str]:
        """The lines of an answer that does not end; `Cut` when the connection is lost, or when
        nothing came for `patience` seconds.
        """
        if self.place.token is None:
            raise _no_token(self.place)
        timeout = httpx.Timeout(patience, connect=5.0)
        place = f"/api/v1{path}"
        try:
            with self._http.stream(
                "GET", place, params=_listed(query), headers=headers, timeout=timeout
            ) as answer:
                if answer.status_code != httpx.codes.OK:
                    answer.read()
                    raise _refusal(answer, self.place)
                yield from answer.iter_lines()
        except httpx.TransportError as trouble:
            raise Cut(f"The connection to {self.place.url} was lost.") from trouble

    @contextmanager
    def pieces(self, path: str, query: Mapping[str, Any]) -> Iterator[Iterator[bytes]]:
        """An answer of any length, piece by piece; `Cut` where it ends before its end."""
        if self.place.token is None:
            raise _no_token(self.place)
        try:
            with self._http.stream("GET", f"/api/v1{path}", params=_listed(query)) as answer:
                if answer.status_code != httpx.codes.OK:
                    answer.read()
                    raise _refusal(answer, self.place)
                yield answer.iter_bytes()
        except httpx.TransportError as trouble:
            raise Cut(f"{self.place.url} broke off before the end.") from trouble

    def post_lines(self, path: str, lines: bytes, query: Mapping[str, Any]) -> Any:
        """Posts NDJSON; the decoded answer."""
        headers = {"Content-Type": "application/x-ndjson"}
        return self.call("POST", path, query=query, content=lines, headers=headers, patience=120.0)

    def pages(self, path: str, query: Mapping[str, Any]) -> Iterator[Json]:
        """One answer after the other until `next_cursor` is null."""
        cursor: str | None = None
        while True:
            page = self.get(path, {**query, **({"cursor": cursor} if cursor else {})})
            yield page
            following = page.get("next_cursor")
            if following is None:
                return
            if following == cursor:
                raise Failure("The service gave the same page twice.")
            cursor = following


def _no_token(place: Place) -> Failure:
    return Failure(
        f"A token is needed for {place.url}.",
        ["Set UNANSWERED_TOKEN, or UNANSWERED_TOKEN_FILE with the name of a file."],
    )


def _listed(query: Mapping[str, Any]) -> list[tuple[str, str | int | float | bool | None]]:
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in query.items():
        values: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values if one is not None]
    return pairs


def _decoded(answer: httpx.Response, place: Place) -> Any:
    try:
        return answer.json()
    except ValueError as trouble:
        raise _stranger(answer, place) from trouble


def _stranger(answer: httpx.Response, place: Place) -> Failure:
    kind = answer.headers.get("content-type", "no content type")
    return Failure(
        f"{place.url} answers, but not as Unanswered does (status {answer.status_code}, {kind}).",
        ["Is this the right address? See --url and UNANSWERED_URL."],
    )


def _refusal(answer: httpx.Response, place: Place) -> Failure:
    try:
        problem = answer.json()
    except ValueError:
        return _stranger(answer, place)
    if not isinstance(problem, dict) or "title" not in problem:
        return _stranger(answer, place)
    title, detail = str(problem["title"]), str(problem.get("detail") or "")
    errors = problem.get("errors") or []
    more = [
        f"{error.get('pointer', '')}: {error.get('detail', '')}"
        for error in errors
        if str(error.get("detail", "")) != detail
    ]
    allowed = problem.get("allowed_actions")
    if allowed is not None:
        more.append(f"Now {problem.get('current_status', 'so')}; possible: {', '.join(allowed)}.")
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        more.append(_token_advice(place))
    wait = answer.headers.get("retry-after")
    if wait:
        more.append(f"Try again in {wait} s.")
    more.append(f"(request {problem.get('request_id') or answer.headers.get('x-request-id', '?')})")
    sentence = f"{title}: {detail}" if detail and detail != title else title
    return Refused(answer.status_code, str(problem.get("code", "")), sentence, more, errors)


def _token_advice(place: Place) -> str:
    if place.found_in.startswith(("--", "UNANSWERED_")):
        return f"The token came from {place.found_in}: give one that is valid."
    return f"The token came from {place.found_in}: start the service again, it writes a new one."
