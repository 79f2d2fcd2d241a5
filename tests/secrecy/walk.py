"""A walk through a running service with a secret in every place that takes one.

Another place for a secret: its line in `settings_with`, in a platform's credential model (found by
itself), or a step that sends it and `canaries.make`. What comes of it is kept as evidence.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.connectors.registry import PLATFORMS
from tests.connectors.playing import filled, load
from tests.secrecy.canaries import Canaries
from tests.secrecy.mirror import FAULTS, Mirror
from tests.serving import serving

MORE_SETTINGS = {"youtube": {"channel": "@brand"}}
"""Without these a secret of the platform has no use and would never be sent."""
MORE_FIELDS = {"x": {"api_key": "key-of-the-app"}, "reddit": {"username": "owner"}}
"""Fields of a credential without which some of its secrets would be refused."""
WITH = {"totp": ("password",)}
"""Secrets that go out only together with others."""
NEVER_SENT = frozenset({"x token_secret", "x api_secret", "threads client_secret"})
"""Requests are signed with the first two, which leave in no form. The secret of an app is for
Threads' page alone, and kept with the token for the day on which it is gone through again.
"""
CONTROLS = frozenset({"control name", "control request"})
OWN_APP = {"client_id": "an-app", "client_secret": ""}


def settings_with(canaries: Canaries) -> dict[str, str]:
    """The environment of a service whose every secret setting is a canary."""
    return {
        "UNANSWERED_SECRET_KEY": canaries.make("secret key"),
        "UNANSWERED_BOOTSTRAP_TOKEN": canaries.make("bootstrap token"),
        "UNANSWERED_OAUTH_CLIENTS": f"youtube=an-app:{canaries.make('app of the settings')}",
        "UNANSWERED_OIDC_CLIENT_SECRET": canaries.make("secret of the sign-in service"),
    }


def secrets_with(canaries: Canaries, platform: str) -> dict[str, str]:
    """Every secret field of a platform's credential, each with a canary."""
    model = PLATFORMS[platform].credential
    assert model is not None
    secret = {
        name
        for name, schema in model.model_json_schema()["properties"].items()
        if schema.get("writeOnly") or schema.get("format") == "password"
    }
    assert secret, f"{platform} has a credential without a secret"
    return {name: canaries.make(f"{platform} {name}") for name in secret}


def _with_secrets_in_paths(recording: Any, hidden: Mapping[str, str]) -> list[Any]:
    """The exchanges as they are for these secrets: with Telegram, the token is part of the path."""
    exchanges = copy.deepcopy(recording["exchanges"])
    for exchange in exchanges:
        for name, secret in hidden.items():
            if known := recording["credential"].get(name):
                path = exchange["request"]["path"].replace(known, secret)
                exchange["request"]["path"] = path
    return list(exchanges)


def _checked(draft: dict[str, Any]) -> dict[str, Any]:
    return {name: draft[name] for name in ("platform", "settings", "credential")}


@dataclass(slots=True)
class Walk:
    """Who walks, what for, and what was seen: `evidence` by its name, `allowed` slots in it."""

    api: httpx.AsyncClient
    canaries: Canaries
    stack: AsyncExitStack
    evidence: dict[str, bytes] = field(default_factory=dict)
    allowed: dict[str, frozenset[str]] = field(default_factory=dict)
    mirrors: dict[str, Mirror] = field(default_factory=dict)

    def keep(self, name: str, data: bytes | str, *allowed: str) -> None:
        name = f"{len(self.evidence)}: {name}"
        self.evidence[name] = data.encode() if isinstance(data, str) else data
        self.allowed[name] = frozenset(allowed)

    async def ask(self, method: str, path: str, *allowed: str, **options: Any) -> httpx.Response:
        """One request, whose whole answer is evidence."""
        answer = await self.api.request(method, path, **options)
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.keep(f"{method} {path} {answer.status_code}", f"{head}\n\n{answer.text}", *allowed)
        return answer

    async def post(self, path: str, body: Any, *allowed: str, status: int = 201) -> Any:
        answer = await self.ask("POST", f"/api/v1{path}", *allowed, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def mirror(self, name: str, exchanges: list[Any]) -> str:
        self.mirrors[name] = Mirror(exchanges)
        return await self.stack.enter_async_context(serving(self.mirrors[name]))

    def turn(self, fault: str) -> None:
        for mirror in self.mirrors.values():
            mirror.fault = fault

    async def controls(self) -> None:
        """What is no secret, in places from which it goes on everywhere: it must be found there, or
        that nothing else is found would mean nothing.
        """
        name = self.canaries.make("control name", tail=False)
        request = {"X-Request-ID": self.canaries.make("control request", tail=False)}
        await self.ask("POST", "/api/v1/labels", json={"name": name}, headers=request)
        labelled = await self.ask("PUT", "/api/v1/items/1/labels", json={"labels": [name]})
        assert labelled.status_code == 200, labelled.text

    def controls_in(self) -> dict[str, set[str]]:
        """For each control the names of the evidence that it stands in."""
        found: dict[str, set[str]] = {slot: set() for slot in CONTROLS}
        for name, data in self.evidence.items():
            for slot in self.canaries.found_in(data) & found.keys():
                found[slot].add(name.partition(": ")[2])
        return found

    def leaks(self) -> set[tuple[str, str]]:
        """(evidence, slot): where a secret stands that may not stand there."""
        return {
            (name, slot)
            for name, data in self.evidence.items()
            for slot in self.canaries.found_in(data) - self.allowed[name] - CONTROLS
        }

    async def platforms(self, *these: str) -> None:
        """Every platform, or `these` alone: connected, read, and then hostile in every way, checked
        and read again; and what a person may mistype.
        """
        for name, platform in PLATFORMS.items():
            if platform.credential is None or (these and name not in these):
                continue
            recording = load(name)
            hidden = secrets_with(self.canaries, name)
            base = await self.mirror(name, _with_secrets_in_paths(recording, hidden))
            draft = {
                "platform": name,
                "name": name,
                "settings": filled(recording["settings"], base),
                "credential": recording["credential"] | MORE_FIELDS.get(name, {}) | hidden,
            }
            made = await self.post("/sources", draft)
            await self.ask("POST", f"/api/v1/sources/{made['id']}/poll?wait=30")
            for fault in FAULTS:
                self.turn(fault)
                await self.post("/sources/check", _checked(draft), status=200)
            always = platform.credential.model_json_schema().get("required", ())
            for only in hidden:  # else some would never be sent
                spared = hidden.keys() - {only, *WITH.get(only, ()), *always}
                alone = {n: v for n, v in draft["credential"].items() if n not in spared}
                settings = draft["settings"] | MORE_SETTINGS.get(name, {})
                body = {"platform": name, "settings": settings, "credential": alone}
                for fault in (FAULTS[-1], ""):
                    self.turn(fault)
                    await self.ask("POST", "/api/v1/sources/check", json=body)
            self.turn(FAULTS[-1])
            await self.ask("POST", f"/api/v1/sources/{made['id']}/check")
            await self.ask("POST", f"/api/v1/sources/{made['id']}/poll?wait=30")
            self.turn("")
            await self._mistyped(draft, made["id"])

    async def _mistyped(self, draft: dict[str, Any], source_id: int) -> None:
        secret = draft["credential"]
        for wrong in ({**secret, "more": secret}, {n: [v] for n, v in secret.items()}):
            body = {**draft, "credential": wrong}
            assert (await self.ask("POST", "/api/v1/sources", json=body)).status_code == 422
        place = f"/api/v1/sources/{source_id}"
        await self.ask("PATCH", place, json={"credential": json.dumps(secret)})
        broken = json.dumps(draft)[:-1].encode()
        headers = {"content-type": "application/json"}
        await self.ask("POST", "/api/v1/sources", content=broken, headers=headers)

    async def consents(self) -> None:
        """Ways through platforms' pages: an app given, one of the settings, one that was made."""
        code = self.canaries.make("authorization code")
        app = {**OWN_APP, "client_secret": self.canaries.make("app that was given")}
        registered = self.canaries.make("app that was registered")
        exchange = {
            "request": {"method": "POST", "path": "/api/v1/apps"},
            "response": {"body": {"client_id": "made", "client_secret": registered}},
        }
        mastodon = await self.mirror("a server", [exchange])
        x, youtube = await self.mirror("x page", []), await self.mirror("youtube page", [])
        for platform, body in (
            ("x", {"settings": {"api_url": x}, **app}),
            ("youtube", {"settings": {"api_url": youtube}}),
            ("mastodon", {"settings": {"instance": mastodon}}),
        ):
            begun = await self.post(f"/connect/{platform}", body)
            state = httpx.URL(begun["authorize_url"]).params["state"]
            self.turn("json 400")
            query = {"state": state, "code": code}
            await self.ask("GET", f"/connect/{platform}/callback", params=query)
            self.turn("")
            await self.ask("GET", f"/connect/{platform}/callback", params=query)
            await self.ask("GET", f"/api/v1/connect/{platform}/{begun['id']}")
            await self.post(f"/connect/{platform}", body)  # one stays under way

    async def own(self) -> None:
        """What the service makes itself and tells once."""
        base = await self.mirror("receiver", [])
        self.turn("json 400")
        for call in ("/webhooks", "/webhooks/1/rotate-secret", "/tokens"):
            body: dict[str, Any] | None = None
            if call == "/webhooks":
                body = {"url": f"{base}/hook"}
            elif call == "/tokens":
                body = {"name": "integration", "role": "viewer"}
            key = {"Idempotency-Key": f"once{call}"}
            made = await self.api.post(f"/api/v1{call}", json=body, headers=key)
            assert made.is_success, made.text
            self.canaries.watch(f"answer of {call}", made.json()["secret"])
        await self.ask("POST", "/api/v1/webhooks/1/test")
        self.turn("")

    async def people(self) -> None:
        """Somebody is invited, sets a password, changes it, and mistypes it."""
        person = await self.post("/users", {"name": "ann", "role": "agent"})
        link = await self.api.post(f"/api/v1/users/{person['id']}/sign-in-link")
        ticket = link.json()["url"].partition("=")[2]
        self.canaries.watch("ticket of a link", ticket)
        first, second = (self.canaries.make(f"{which} password") for which in ("first", "second"))
        wrong = {"name": "ann", "password": self.canaries.make("a wrong password")}
        await self.ask("POST", "/api/v1/session", json=wrong)
        origin = {"origin": str(self.api.base_url).rstrip("/")}
        async with httpx.AsyncClient(base_url=self.api.base_url, headers=origin) as browser:
            body = {"ticket": ticket, "password": first}
            entered = await browser.post("/api/v1/setup", json=body)
            assert entered.is_success, entered.text
            for name, value in browser.cookies.items():
                self.canaries.watch(f"cookie {name}", value)
            cookie = {**origin, "cookie": entered.headers["set-cookie"].partition(";")[0]}
            self.keep("setup", entered.text)
            change = {"current": first, "new": second}
            changed = await browser.put("/api/v1/me/password", json=change)
            assert changed.is_success, changed.text
            self.keep("changed password", changed.text)
        for method, path, sent in (
            ("POST", "/api/v1/setup", body),
            ("PUT", "/api/v1/me/password", change),
            ("GET", "/api/v1/sessions", {}),
        ):
            headers = {**cookie, "authorization": ""}
            await self.ask(method, path, headers=headers, json=sent or None)
        await self.ask("POST", "/api/v1/setup", json={"ticket": ticket, "password": [first]})

    async def refused(self) -> None:
        """Secrets in places where they do not belong."""
        wrong = self.canaries.make("a wrong token")
        for headers in (
            {"authorization": f"Bearer {wrong}"},
            {"authorization": f"Basic {wrong}"},
            {"cookie": f"session={wrong}", "authorization": ""},
        ):
            answer = await self.ask("GET", "/api/v1/sources", headers=headers)
            assert answer.status_code == 401
        for name in ("token", "access_token", "api_key"):
            await self.ask("GET", "/api/v1/items", params={name: wrong})

    async def everything(self) -> None:
        """Every address that can be read, with ids that exist."""
        paths = (await self.ask("GET", "/openapi.json")).json()["paths"]
        for path, calls in paths.items():
            if "get" in calls and not path.endswith("/stream"):
                asked = path.replace("{platform}", "youtube")
                for name in ("{item_id}", "{source_id}", "{webhook_id}", "{connection_id}"):
                    asked = asked.replace(name, "1")
                if "{" not in asked:
                    await self.ask("GET", asked)
        await self.ask("GET", "/metrics")
