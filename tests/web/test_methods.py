"""A word in the place of an id is no id, whatever the method."""

from __future__ import annotations

import pytest

from tests.service import Service


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "sources/check", "POST"),
        ("DELETE", "sources/check", "POST"),
        ("OPTIONS", "sources/check", "POST"),
        ("GET", "items/bulk", "POST"),
        ("PUT", "sources/1", "DELETE, GET, PATCH"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_method_that_the_address_lacks_is_405(
    service: Service, method: str, path: str, allowed: str
) -> None:
    answered = await service.api.request(method, f"/api/v1/{path}")
    assert (answered.status_code, answered.headers["allow"]) == (405, allowed)
