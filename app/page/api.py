"""Routes of the page: its document at every address of its own, and the files behind it."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.page.assets import Asset, load
from app.web.conditional import none_match
from app.web.headers import PAGE_POLICY
from app.web.routes import Routes

router = Routes(include_in_schema=False)

SECTIONS = ("inbox", "health", "sources", "people", "reports", "settings", "welcome")
"""The first words of the page's addresses; app/page/shell/sections.js says what each of them is."""
_FOR_EVER = "public, max-age=31536000, immutable"


async def get_page(request: Request) -> Response:
    """The same document at every address: which view it shows is the browser's affair."""
    page = load()
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    return _answer(request, page.index, page.version, headers)


for _path in (
    "/",
    *(f"/{name}" for name in SECTIONS),
    *(f"/{name}/{{rest:path}}" for name in SECTIONS),
):
    router.add_api_route(_path, get_page, methods=["GET", "HEAD"])


@router.api_route("/assets/{version}/{name:path}", methods=["GET", "HEAD"])
async def get_asset(request: Request, version: str, name: str) -> Response:
    """A file of this version. Another version's is gone: its page is told to load anew."""
    page = load()
    asset = page.files.get(name) if version == page.version else None
    if asset is None:
        raise NotFound("The page has no such file in this version of the service.")
    return _answer(request, asset, version, {"Cache-Control": _FOR_EVER})


def _answer(request: Request, asset: Asset, version: str, headers: dict[str, str]) -> Response:
    # Weak, since the packed and the plain body have the same one (RFC 9110, 8.8.1).
    tag = f'W/"{version}"'
    headers = {**headers, "ETag": tag, "Vary": "Accept-Encoding"}
    if none_match(request, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    body = asset.body
    if asset.zipped and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = asset.zipped, "gzip"
    return Response(body, headers=headers, media_type=asset.media_type)
