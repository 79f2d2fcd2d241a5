"""A token that somebody else has changed is not changed by who has not seen it."""

from __future__ import annotations

from tests.service import Service


async def test_a_change_names_the_version_it_was_decided_on(service: Service) -> None:
    made = await service.api.post("/api/v1/tokens", json={"name": "desk", "role": "viewer"})
    path, first = f"/api/v1/tokens/{made.json()['id']}", made.headers["ETag"]
    assert first == '"v1"'
    renamed = await service.api.patch(path, json={"name": "hall"}, headers={"If-Match": first})
    assert (renamed.status_code, renamed.headers["ETag"]) == (200, '"v2"')
    late = await service.api.patch(path, json={"name": "door"}, headers={"If-Match": first})
    assert late.status_code == 412
    assert late.json()["current"]["name"] == "hall"
    late = await service.api.delete(path, headers={"If-Match": first})
    assert late.status_code == 412
    known = (await service.api.get(path)).headers["ETag"]
    ended = await service.api.delete(path, headers={"If-Match": known})
    assert ended.status_code == 204
    shown = await service.api.get(path)
    assert (shown.json()["version"], shown.headers["ETag"]) == (3, '"v3"')
