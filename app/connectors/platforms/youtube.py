"""YouTube: comments on the videos of one channel, over the Data API v3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from app.connectors import asking, base, failures, oauth, terms
from app.connectors.base import (
    Cursor,
    Filed,
    Kind,
    LostRange,
    Mention,
    Page,
    Parent,
    Shape,
    StreamSpec,
)
from app.connectors.renewal import Renewing, by_refresh_token
from app.connectors.rereading import is_as_it_was_read
from app.connectors.youtube import account, comments, refusals
from app.connectors.youtube.beside import IDS, Beside

PAGE = "100"
SUBSCRIBERS_PAGE = "50"
THREAD_PAGES = 20
PLAIN = ("textFormat", "plainText")  # else the text comes as HTML
NOT_PUBLIC = LostRange(
    "not_public", "Comments that are held or probable spam are shown to the channel's owner only."
)
PRIVATE = LostRange("not_shown", "Who subscribes without showing it is not listed.")
LAST = datetime(9000, 1, 1, tzinfo=UTC)


class YouTube:
    """Beside the credential it keeps who we are, titles and authors it has asked for, and which
    counters of replies it has read already.
    """

    most_at_once = IDS

    def __init__(
        self,
        *,
        settings: account.Settings,
        credential: account.Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._settings = settings
        self._root = settings.api_url
        self._http = http
        self._key = credential.api_key
        self._scopes = credential.scope
        self._token: Renewing | None = None
        if credential.access_token:
            self._token = Renewing(
                credential=credential.model_dump(),
                renew=by_refresh_token(account.endpoints(settings).token),
                http=http,
                save_credential=save_credential,
            )
        self._me: base.Identity | None = None
        self._beside = Beside(self._get)
        self._units = 0

    def streams(self) -> Sequence[StreamSpec]:
        """`held`, `likely_spam` and `subscribers` need a consent."""
        kinds = (Kind.COMMENT, Kind.REPLY)
        threads = StreamSpec(
            "threads",
            Shape.BACKWARD,
            kinds,
            rescan_all=True,  # released later, a comment keeps its time; and counters change there
            lost=() if self._token else (NOT_PUBLIC,),
        )
        replies = StreamSpec(
            "replies", Shape.PARENT, (Kind.REPLY,), parents_from="threads", lists_replies=True
        )
        if self._token is None:
            return (threads, replies)
        held = StreamSpec("held", Shape.BACKWARD, kinds, interval=account.HELD_INTERVAL)
        spam = StreamSpec("likely_spam", Shape.BACKWARD, kinds, interval=account.SPAM_INTERVAL)
        subscribers = StreamSpec(
            "subscribers",
            Shape.BACKWARD,
            (Kind.FOLLOW,),
            interval=account.SPAM_INTERVAL,
            lost=(PRIVATE,),
        )
        more = (subscribers,) if self._settings.subscribers else ()
        return (threads, replies, held, spam, *more)

    async def check(self) -> base.Check:
        """Which channel it is, a look at its newest comments, and what a day is going to take."""
        self._me = None
        me = await self._who()
        body, answer = await self._threads(me, {}, None)
        page = comments.parse_threads(comments.items_of(body), comments.Around(me.external_id))
        signed_in = self._token is not None
        lasts = self._token is None or bool(self._token.fields["refresh_token"])
        return base.Check(
            me,
            rights=tuple(self._scopes.split()) if signed_in else ("published comments",),
            sample=base.Sample(len(page.mentions), page.newest_at),
            warnings=() if signed_in else (NOT_PUBLIC.detail,),
            expires_at=None if lasts or self._token is None else self._token.expires_at,
            estimate=account.estimate(page, answer.received_at, signed_in=signed_in),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """The next hundred threads, replies or subscribers; YouTube knows no filter by time."""
        _ = since
        place, me = parse_place(cursor), await self._who()
        lists: dict[str, tuple[str, Filed] | None] = {"threads": None}
        if self._token is not None:
            lists |= {
                "held": ("heldForReview", Filed.HELD),
                "likely_spam": ("likelySpam", Filed.SPAM),
            }
        if stream in lists:
            return await self._list(me, place, lists[stream])
        if stream == "replies" and parent is not None:
            return await self._replies(me, parent, place)
        if stream == "subscribers" and self._token and self._settings.subscribers:
            mine = (("part", "snippet,subscriberSnippet"), ("myRecentSubscribers", "true"))
            body, _ = await self._get(
                "subscriptions", *mine, ("maxResults", SUBSCRIBERS_PAGE), *place.items()
            )
            return self._placed(comments.parse_subscriptions(comments.items_of(body)), body)
        raise failures.BadResponse(f"This source has no stream called {stream}.")

    async def fetch_thread(self, root: str) -> Page:
        """The first comment and everything below it, in order of writing."""
        me = await self._who()
        body, _ = await self._get("commentThreads", ("part", "snippet"), ("id", root), PLAIN)
        rows = comments.items_of(body)
        if not rows:
            raise failures.Gone("YouTube no longer shows the thread.")
        video = comments.videos_in(rows).get(root, "")
        found = [comments.parse_threads(rows, await self._beside.around(me.external_id, rows))]
        place: dict[str, str] = {}
        for _ in range(THREAD_PAGES):
            found.append(await self._below(me, root, video, place))
            place = parse_place(found[-1].next_cursor)
            if not place:
                break
        whole = comments.joined(found)
        first, rest = whole.mentions[:1], whole.mentions[1:]
        ordered = sorted(rest, key=lambda one: (one.occurred_at or LAST, one.external_id))
        return replace(
            whole, mentions=(*first, *ordered), more=bool(place), next_cursor=found[-1].next_cursor
        )

    async def fetch_item(self, external_id: str) -> Mention:
        if external_id.startswith("follow:"):
            raise failures.BadResponse("YouTube tells nothing about a single subscriber.")
        page = await self.fetch_items([external_id])
        if page.gone:
            raise failures.Gone("The comment is deleted or hidden.")
        shown = next((one for one in page.mentions if one.external_id == external_id), None)
        if shown is None:
            raise failures.BadResponse("YouTube answered with something that is not this comment.")
        return shown

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """Comments by id; what YouTube leaves out is gone. It does not tell which are held."""
        me = await self._who()
        wanted = [one for one in external_ids if not one.startswith("follow:")]
        follows = [one for one in external_ids if one.startswith("follow:")]
        found = Page()
        if wanted:
            ids = ("id", ",".join(wanted))
            body, _ = await self._get("comments", ("part", "snippet"), ids, PLAIN)
            rows = comments.items_of(body)
            around = await self._beside.around(me.external_id, rows)
            videos = await self._beside.videos(rows)
            found = comments.parse_comments(rows, replace(around, videos=videos))
        read = {one.external_id for one in found.mentions} | set(found.gone)
        read |= {entry.external_id for entry in found.unparsed if entry.external_id}
        # An entry without an id may be any of them, and so may one under another id than asked for:
        # ids from before 2017 are answered with new ones.
        known = read <= set(wanted) and all(entry.external_id for entry in found.unparsed)
        gone = tuple(one for one in wanted if known and one not in read)
        silent = tuple(base.Unparsed(one, "a subscriber", {"id": one}) for one in follows)
        whole = replace(found, gone=(*found.gone, *gone), unparsed=(*found.unparsed, *silent))
        return replace(whole, cost=self._spent())

    async def _list(
        self, me: base.Identity, place: dict[str, str], status: tuple[str, Filed] | None
    ) -> Page:
        body, _ = await self._threads(me, place, None if status is None else status[0])
        rows = comments.items_of(body)
        around = await self._beside.around(me.external_id, rows)
        listed = replace(around, listed=None if status is None else status[1])
        return self._placed(comments.parse_threads(rows, listed), body)

    async def _threads(
        self, me: base.Identity, place: dict[str, str], status: str | None
    ) -> tuple[Any, asking.Response]:
        params = [
            ("part", "snippet,replies"),
            ("allThreadsRelatedToChannelId", me.external_id),
            ("order", "time"),
            ("maxResults", PAGE),
            PLAIN,
            *place.items(),
        ]
        return await self._get(
            "commentThreads", *params, *([("moderationStatus", status)] if status else [])
        )

    async def _replies(self, me: base.Identity, parent: Parent, place: dict[str, str]) -> Page:
        """All replies of a thread, asked for only when its counter has changed."""
        if not place and is_as_it_was_read(parent):
            return Page()
        video = parent.extra.get("video")
        return await self._below(
            me, parent.external_id, video if isinstance(video, str) else "", place
        )

    async def _below(self, me: base.Identity, root: str, video: str, place: dict[str, str]) -> Page:
        params = (("part", "snippet"), ("parentId", root), ("maxResults", PAGE), PLAIN)
        body, _ = await self._get("comments", *params, *place.items())
        rows = comments.items_of(body)
        around = await self._beside.around(me.external_id, rows, video)
        return self._placed(comments.parse_comments(rows, around, root=root, video=video), body)

    def _placed(self, page: Page, body: Any) -> Page:
        token = comments.next_token(body)
        ahead = {"pageToken": token} if token else None
        return replace(page, next_cursor=ahead, more=bool(token), cost=self._spent())

    def _spent(self) -> float:
        units, self._units = self._units, 0
        return float(units)

    async def _who(self) -> base.Identity:
        """The channel; asked once in the life of this object."""
        if self._me is None:
            asked = self._settings.channel
            which = ("mine", "true")
            if self._token is None:
                if asked is None:
                    raise failures.BadResponse("With an API key the channel has to be named.")
                which = ("forHandle", asked) if asked.startswith("@") else ("id", asked)
            body, _ = await self._get("channels", ("part", "id,snippet,statistics"), which)
            me = account.parse_identity(body, mine=self._token is not None)
            others = asked is not None and asked.lower() not in {
                me.external_id.lower(),
                f"@{me.handle}",
            }
            if self._token is not None and others:
                raise failures.AuthFailed(
                    f"The consent is for {me.name or me.external_id}, not for {asked}."
                )
            self._me = me
        return self._me

    async def _get(self, path: str, *params: tuple[str, str]) -> tuple[Any, asking.Response]:
        """The one way to YouTube; each request costs a unit, refused ones too."""

        async def send(token: str) -> asking.Response:
            self._units += 1
            return await self._http.request(
                "GET",
                f"{self._root}/{path}",
                params=params if token else (*params, ("key", self._key)),
                headers={"Authorization": f"Bearer {token}"} if token else {},
                expect=refusals.EXPECTED,
            )

        answer = await (send("") if self._token is None else self._token.ask(send))
        if answer.status == HTTPStatus.OK:
            return answer.json(), answer
        reasons = refusals.reasons_of(answer)
        if refusals.DISABLED in reasons:
            return {"items": []}, answer
        paged = any(name == "pageToken" for name, _ in params)
        raise refusals.refusal(answer, reasons, paged=paged)


def parse_place(cursor: Cursor | None) -> dict[str, str]:
    """`{"pageToken": …}`, or nothing for the first page."""
    token = (cursor or {}).get("pageToken", "")
    if not isinstance(token, str):
        raise failures.CursorRefused("The place in YouTube's list could not be read.")
    return {"pageToken": token} if token else {}


PLATFORM = base.Platform(
    name="youtube",
    title="YouTube",
    connector=YouTube,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=True,
    default_interval=account.INTERVAL,
    minimum_interval=timedelta(minutes=1),
    capabilities=base.Capabilities(
        own_answers="thread",
        edits="re-read",
        deletions="re-read",
        follows=True,
        filing_by_lists=True,
    ),
    notes=(
        "With an API key only published comments are read; held ones need a consent.",
        "A comment must be read again every 30 days, or its text is wiped here (YouTube's terms).",
        "One Google project has 10,000 units a day for all of its sources.",
    ),
    docs="docs/platforms/youtube.md",
    in_short=terms.InShort(
        credential="API key, or consent",
        answers="a later reply of our channel in the same thread, and whom it begins with",
        idle_poll="1 unit for each list",
        hundred=timedelta(minutes=36),
        limit="10,000 units a day for all sources of one Google project",
    ),
    quota=base.Quota("units", account.UNITS, zone=refusals.PACIFIC, shared=account.project_of),
    access=terms.Access(
        review="No review for published comments. To let other people's channels in, Google "
        "verifies the app first (a sensitive scope, up to 10 days); unverified ones serve 100 "
        "users.",
        shortest="An API key of your own Google project; or an app of your own, published without "
        "verification, for your own channel.",
        price="Free: 10,000 units a day and project, one for a hundred comments.",
    ),
    retention=terms.Retention(
        source="YouTube API Services Developer Policies III.E.4: refresh or delete within 30 days",
        refresh_within=timedelta(days=30),
        wipe_gone=True,
    ),
    oauth=oauth.OAuth(
        scopes=(refusals.SCOPE,),
        endpoints=account.endpoints,
        accounts=account.accounts,
        extra={"access_type": "offline", "prompt": "consent"},
    ),
)
