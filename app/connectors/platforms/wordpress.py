"""WordPress: comments under the posts of one site, through `/wp-json/wp/v2` of WordPress 5.6+."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

from app.connectors import asking, base, failures, fields, terms
from app.connectors.base import (
    Cursor,
    JsonObject,
    Kind,
    Mention,
    Page,
    ThreadRef,
)
from app.connectors.wordpress import comments

OK = HTTPStatus.OK
PAGE_SIZE = "100"  # the most that WordPress gives
THREAD_PAGES = 20  # a thread of more than 2,000 comments is read in part: `more` says so
STEPS_BACK = 5  # pages read again when comments were deleted between two pages
MODERATE = "moderate_comments"
TITLE_ROUTES = ("posts", "pages")  # comments stand under both; each has a route of its own
REFUSALS = (400, 401, 403, 404, 410)  # their bodies tell the cause
PAST_THE_END = frozenset({"rest_comment_invalid_page_number", "rest_post_invalid_page_number"})
NO_RIGHT = frozenset({"rest_forbidden_context", "rest_forbidden_param", "rest_cannot_read"})
NOT_PUBLIC = base.LostRange(
    cause="not_public",
    detail="Held, spam and trashed comments are shown only to a user who may moderate comments.",
)
PERMANENT = (failures.AuthFailed, failures.PermissionMissing, failures.BadResponse)


class Settings(base.Fields):
    """Which site."""

    site: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        title="Site",
        description="Address of the site as the browser shows it, with its folder if it has one.",
        examples=["https://blog.example.com"],
    )


class Credential(base.Fields):
    """A user of the site who may moderate comments; without one only approved ones are read."""

    username: str = Field(min_length=1, title="User name")
    application_password: str = Field(
        min_length=1,
        title="Application password",
        description="Made under Users > Profile > Application Passwords; not the one to sign in.",
        repr=False,
        json_schema_extra={"format": "password", "writeOnly": True},
    )


class Listing(NamedTuple):
    """One page of comments, and what the headers say about the whole list."""

    rows: list[Any]
    pages: int
    total: int


class WordPress:
    """Reads the comments of one site. A thread is a post with all comments under it."""

    def __init__(
        self,
        *,
        settings: Settings,
        credential: Credential | None,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        _ = save_credential  # an application password is never renewed
        self._root = f"{settings.site}/wp-json/wp/v2"
        self._instance = settings.site.partition("://")[2].lower()
        self._credential = credential
        self._http = http
        self._own_id: str | None = None
        # `edit` proves the password at every call: with `view` a wrong one reads as 200.
        self._context = ("context", "edit" if credential else "view")
        # `all` is approved and held; a reader without account may not name a status.
        self._status = "all" if credential else ""

    def streams(self) -> Sequence[base.StreamSpec]:
        """`moderated` needs the credential: it notices what was filed as spam or trashed."""
        listed = base.StreamSpec(
            name="comments",
            shape=base.Shape.BACKWARD,
            kinds=(Kind.COMMENT, Kind.REPLY),
            rescan_all=True,  # approved or un-spammed later, a comment keeps its id and date
            lists_replies=True,
            lost=() if self._credential else (NOT_PUBLIC,),
        )
        moderated = base.StreamSpec(
            name="moderated",
            shape=base.Shape.BACKWARD,
            kinds=(Kind.COMMENT, Kind.REPLY),
            rescan_all=True,  # filed later, a comment stands at its old place in the list
            interval=timedelta(minutes=15),
        )
        return (listed, moderated) if self._credential else (listed,)

    async def check(self) -> base.Check:
        """Signs in (`users/me`), then reads the newest comments the way polling does."""
        found = base.Check(None, warnings=(NOT_PUBLIC.detail,))
        if self._credential is not None:
            me = (await self._get("users/me", self._context)).json()
            found = parse_check(me, self._credential.username, self._instance)
        if found.missing:
            return found
        page = await self.fetch_page("comments", None)
        return replace(found, sample=base.Sample(len(page.mentions), page.newest_at))

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: base.Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """The next 100 comments, highest ids first.

        `since` is not sent on: WordPress filters by date, and an imported comment has an old date
        and a new id, so the poller alone decides where a pass ends.
        """
        _ = parent, since
        if stream == "comments":
            return await self._page(cursor or {}, (self._status,))
        if stream == "moderated" and self._credential:
            return await self._page(cursor or {}, ("spam", "trash"))
        raise failures.BadResponse(f"This source has no stream called {stream}.")

    async def fetch_thread(self, root: str) -> Page:
        """Every comment under the post `root`, in order of writing."""
        rows: list[Any] = []
        for number in range(1, THREAD_PAGES + 1):
            listing = await self._list(number, self._status, ("order", "asc"), ("post", root))
            rows += listing.rows
            if number >= listing.pages:
                return await self._read(rows)
        return replace(await self._read(rows), more=True)

    async def fetch_item(self, external_id: str) -> Mention:
        """One comment; in the trash it is as gone as deleted (404)."""
        answer = await self._get(f"comments/{external_id}", self._context)
        page = await self._read([answer.json()])
        if page.gone:
            raise failures.Gone("The comment is in the trash of the site.")
        if not page.mentions:
            raise failures.BadResponse("The site answered with something that is not a comment.")
        return page.mentions[0]

    async def _page(self, cursor: Cursor, statuses: Sequence[str]) -> Page:
        """The same page of each list, side by side, so that one watermark fits them all."""
        number, totals = parse_cursor(cursor)
        lists = [await self._steady(number, one, totals.get(one, 0)) for one in statuses]
        page = await self._read([row for one in lists for row in one.rows])
        going_on = [one for one in lists if number < one.pages]
        if not going_on:
            return page
        lengths = {status: one.total for status, one in zip(statuses, lists, strict=True)}
        ends = [at for one in going_on if (at := comments.age_of(one.rows)) is not None]
        place = {"page": number + 1, "totals": lengths}
        oldest_at = max(ends, default=page.oldest_at)
        return replace(page, more=True, next_cursor=place, oldest_at=oldest_at)

    async def _steady(self, number: int, status: str, total_before: int) -> Listing:
        """One page; where comments vanished since the page before, others moved up past the
        border between the two, so the pages before are read again.
        """
        listing = await self._list(number, status, ("order", "desc"))
        vanished = -((listing.total - total_before) // int(PAGE_SIZE))
        rows = list(listing.rows)
        for step in range(1, 1 + min(vanished, number - 1, STEPS_BACK)):
            rows[:0] = (await self._list(number - step, status, ("order", "desc"))).rows
        return listing._replace(rows=rows)

    async def _list(self, number: int, status: str, *params: tuple[str, str]) -> Listing:
        place = (("orderby", "id"), ("per_page", PAGE_SIZE), ("page", str(number)))
        wanted = (("status", status),) if status else ()
        answer = await self._get("comments", self._context, *wanted, *place, *params)
        return parse_listing(answer)

    async def _read(self, rows: Sequence[Any]) -> Page:
        """Parses `rows`; asks once each for our id, the parents' authors and the posts' titles."""
        parents = comments.ids_of(rows, "parent")
        own_id = await self._me() if self._credential and parents else ""
        if unseen := [one for one in parents if own_id and one not in comments.ids_of(rows, "id")]:
            above = await self._extra("comments", unseen, ("status", "all"), self._context)
        else:
            above = []
        ours = [
            row for row in (*rows, *above) if own_id and fields.find_id(row, "author") == own_id
        ]
        posts: dict[str, ThreadRef] = {}
        for route in TITLE_ROUTES:
            if left := [one for one in comments.ids_of(rows, "post") if one not in posts]:
                posts |= comments.parse_posts(await self._extra(route, left))
        return comments.parse_rows(
            rows, comments.Around(self._instance, frozenset(comments.ids_of(ours, "id")), posts)
        )

    async def _me(self) -> str:
        """Our user id, asked once; "" where the site hides it, and then no kind is `reply`."""
        if self._own_id is None:
            try:
                self._own_id = fields.find_id((await self._get("users/me", self._context)).json())
            except PERMANENT:  # the comments came with this password: it is alive
                self._own_id = ""
        return self._own_id or ""

    async def _extra(self, route: str, ids: Sequence[str], *params: tuple[str, str]) -> list[Any]:
        """Up to 100 rows by id that only adorn the comments: a refusal leaves them out."""
        include = (("include", ",".join(ids[: int(PAGE_SIZE)])), ("per_page", PAGE_SIZE))
        columns = ("_fields", "id,author,title,link,date_gmt")
        try:
            found = (await self._get(route, *include, columns, *params)).json()
        except PERMANENT:
            return []
        return found if isinstance(found, list) else []

    async def _get(self, path: str, *params: tuple[str, str]) -> asking.Response:
        headers = authorization(self._credential)
        url, expect = f"{self._root}/{path}", (OK, *REFUSALS)
        answer = await self._http.request("GET", url, params=params, headers=headers, expect=expect)
        if answer.status != OK and code_of(answer) not in PAST_THE_END:
            raise refusal(
                answer, signed_in=self._credential is not None, item=path.startswith("comments/")
            )
        return answer


def authorization(credential: Credential | None) -> dict[str, str]:
    """Basic authentication; WordPress ignores the spaces of an application password."""
    if credential is None:
        return {}
    pair = f"{credential.username}:{credential.application_password}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def code_of(answer: asking.Response) -> str:
    """WordPress's own error code (`rest_forbidden_context`), "" where something else answered."""
    try:
        body = answer.json()
    except failures.BadResponse:
        return ""
    return fields.find_text(body, "code") or "unknown" if isinstance(body, dict) else ""


def refusal(answer: asking.Response, *, signed_in: bool, item: bool) -> failures.ConnectorError:
    """What a refusal means. WordPress says 401 to strangers and 403 to users without the right;
    a password that is wrong or revoked makes us a stranger.
    """
    code = code_of(answer)
    if answer.status in {401, 403}:
        if code in NO_RIGHT and (answer.status == HTTPStatus.FORBIDDEN or not signed_in):
            return failures.PermissionMissing(NOT_PUBLIC.detail, rights=(MODERATE,))
        return failures.AuthFailed(
            "The site refused us: the application password is wrong or revoked."
        )
    if answer.status in {404, 410} and item and code not in {"", "rest_no_route"}:
        return failures.Gone("The comment is deleted.")
    if answer.status in {404, 410}:
        return failures.BadResponse(
            "No WordPress API answers here: check `site` and its permalinks."
        )
    return failures.BadResponse("The site refused the request as malformed.")


def parse_cursor(cursor: Cursor) -> tuple[int, JsonObject]:
    """`{"page": 2, "totals": {"all": 345}}`: the page to read, and how long the lists were."""
    number, totals = cursor.get("page", 1), cursor.get("totals", {})
    sound = type(number) is int and number > 0 and isinstance(totals, dict)
    if not sound or any(type(total) is not int for total in totals.values()):
        raise failures.CursorRefused("The place in the list of comments could not be read.")
    return number, totals


def parse_listing(answer: asking.Response) -> Listing:
    """The end of a list stands in its headers only: rows are filtered after they were counted, so
    a short or empty page is not the last one. A page past the end is 400 on some versions.
    """
    if answer.status != OK:
        return Listing([], pages=0, total=0)
    if not isinstance(rows := answer.json(), list):
        raise failures.BadResponse(
            "The site answered with something that is not a list of comments."
        )
    try:
        pages, total = (int(answer.headers[f"x-wp-{name}"]) for name in ("totalpages", "total"))
    except (KeyError, ValueError) as error:
        hidden = "The site hides X-WP-TotalPages: the end of the list can't be known."
        raise failures.BadResponse(hidden) from error
    return Listing(rows, pages, total)


def parse_check(me: Any, username: str, instance: str) -> base.Check:
    """Our user and its rights. The name for signing in is an alias: comments don't show it."""
    if not isinstance(me, dict) or (external_id := fields.find_id(me)) is None:
        raise failures.BadResponse("The site did not say which user the password is for.")
    slug, granted = fields.find_text(me, "slug") or username, me.get("capabilities")
    aliases = tuple(dict.fromkeys((slug.lower(), username.lower())))
    identity = base.Identity(external_id, slug, fields.find_text(me, "name"), instance, aliases)
    if isinstance(granted, dict) and not granted.get(MODERATE):
        return base.Check(identity, missing=(MODERATE,))
    return base.Check(identity, rights=(MODERATE,))


PLATFORM = base.Platform(
    name="wordpress",
    title="WordPress",
    connector=WordPress,
    settings=Settings,
    credential=Credential,
    credential_required=False,
    default_interval=timedelta(minutes=5),
    minimum_interval=timedelta(minutes=1),
    capabilities=base.Capabilities(own_answers="exact", edits="re-read", deletions="re-read"),
    notes=(
        "Without a credential only approved comments are read.",
        "Answers of colleagues count once their user ids are listed as ours.",
        "Pingbacks and trackbacks are not read.",
    ),
    docs="docs/platforms/wordpress.md",
    in_short=terms.InShort(
        credential="none, or an application password",
        answers="a comment below the item by our user or one listed in `also_us`",
        idle_poll="2 to 4 requests (comments, and the titles of what they stand under); "
        "3 to 5 more every 15 minutes with a credential",
        hundred=timedelta(seconds=300),
        limit="each site for itself",
    ),
)
