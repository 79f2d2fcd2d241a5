"""X: one account, read over its API v2. Every message that it returns costs money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors import asking, base, failures, fields, oauth, terms
from app.connectors.base import Cursor, Kind, LostRange, Mention, Page, Parent, Shape, StreamSpec
from app.connectors.renewal import Renewing, by_refresh_token
from app.connectors.rereading import is_as_it_was_read
from app.connectors.x import account, ledger, people, posts, refusals, signing

PAGE = 100
FOLLOWERS_PAGE = 1000
SAMPLE = 10  # a look at the list is paid for as well
MENTIONS_CAP = 800
OWN_POSTS_CAP = 3200
THREAD_PAGES = 5
MORE_OVERLAP = timedelta(minutes=50)
"""Beside the poller's ten minutes: posts become visible late, below ids that were read before."""
POST_FIELDS = (
    "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,"
    "note_tweet,public_metrics,referenced_tweets,reply_settings,attachments,possibly_sensitive"
)
USER_FIELDS = (
    "created_at,description,name,profile_image_url,protected,public_metrics,username,verified,"
    "verified_type"
)
WITH_POSTS = (
    ("tweet.fields", POST_FIELDS),
    ("expansions", "author_id,referenced_tweets.id,attachments.media_keys"),
    ("user.fields", USER_FIELDS),
    ("media.fields", "type,url,preview_image_url,alt_text"),
)
CAPPED = LostRange("cap", "X shows the 800 newest mentions only.")
UNSEEN = LostRange("not_shown", "Posts of protected accounts that we do not follow are not shown.")
OLD_QUOTES = LostRange(
    "cap",
    "Quotes that do not name us are looked for below our posts of the last 24 hours: each look at "
    "older ones would be paid for again.",
)


class X:
    """Beside the token it keeps who we are, what has been paid today, and which counters of quotes
    it has read already.
    """

    most_at_once = PAGE

    def __init__(
        self,
        *,
        settings: account.Settings,
        credential: account.Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._settings = settings
        self._root = f"{settings.api_url}/2"
        self._scopes = credential.scope
        self._sign = signing.signer_of(credential)
        self._http = http
        renew = by_refresh_token(account.endpoints(settings).token, client_auth=account.CLIENT_AUTH)
        self._token = Renewing(
            credential=credential.model_dump(),
            renew=renew,
            http=http,
            save_credential=save_credential,
        )
        self._bill = ledger.Ledger(owned=settings.own_app)
        self._me: base.Identity | None = None

    def streams(self) -> Sequence[StreamSpec]:
        """`quotes` and `followers` as the settings say; an app's token reads no followers."""
        kinds = (Kind.MENTION, Kind.REPLY)
        mentions = StreamSpec(
            "mentions", Shape.BACKWARD, kinds, cap=MENTIONS_CAP, lost=(CAPPED, UNSEEN)
        )
        own = StreamSpec(
            "own_posts",
            Shape.BACKWARD,
            lists_replies=True,
            proves_absence=True,
            cap=OWN_POSTS_CAP,
        )
        quotes = StreamSpec(
            "quotes", Shape.PARENT, (Kind.MENTION,), parents_from="own_posts", lost=(OLD_QUOTES,)
        )
        followers = StreamSpec(
            "followers", Shape.BACKWARD, (Kind.FOLLOW,), interval=timedelta(days=1)
        )
        wanted = ((quotes, self._settings.quotes), (followers, self._settings.followers))
        return (mentions, own, *(spec for spec, on in wanted if on))

    async def check(self) -> base.Check:
        """Who the token belongs to, a look at the newest mentions, and what a day is going to
        cost by them. X tells the scopes of a token only when it is granted.
        """
        self._me = None
        me, user = await self._identify()
        self._me = me
        body, answer = await self._list(
            f"users/{me.external_id}/mentions",
            "tweet.read",
            ("max_results", str(SAMPLE)),
            *WITH_POSTS,
        )
        page = self._read(body, answer, me, own_list=True)
        held = self._token.fields
        lasts = any((held["refresh_token"], held["token_secret"], self._settings.username))
        return base.Check(
            me,
            rights=tuple(self._scopes.split()),
            sample=base.Sample(len(page.mentions), page.newest_at),
            warnings=() if lasts else (SHORT_LIFE,),
            expires_at=None if lasts else self._token.expires_at,
            estimate=account.estimate(self._settings, page, answer.received_at, user),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """The next 100 of a list, newest first, down to an hour before the newest known one
        (`start_time`: the platform's own id cursor skips what becomes visible late).
        """
        place = parse_place(cursor)
        if stream == "quotes" and parent is not None:
            return await self._quotes(parent, place)
        me = await self._who()
        if stream == "followers" and self._settings.followers:
            return await self._followers(me, place)
        if stream not in {"mentions", "own_posts"}:
            raise failures.BadResponse(f"This source has no stream called {stream}.")
        start = place.get("start") or start_of(since)
        params = [("max_results", str(PAGE)), *WITH_POSTS]
        params += [("start_time", start)] if start else []
        path = "mentions" if stream == "mentions" else "tweets"
        params += [("exclude", "retweets")] if stream == "own_posts" else []
        page, body, _ = await self._posts(f"users/{me.external_id}/{path}", params, place, me)
        if stream == "own_posts":
            page = replace(page, parents=posts.parse_parents(posts.rows_of(body, "posts")))
        return _cut_at(page, start)

    async def fetch_thread(self, root: str) -> Page:
        """The conversation below `root`, as far as the search reaches: seven days."""
        me = await self._who()
        found = [await self.fetch_items([root])]
        if found[0].gone:
            raise failures.Gone("X no longer shows the post that began the conversation.")
        place: dict[str, str] = {}
        for _ in range(THREAD_PAGES):
            params = [("query", f"conversation_id:{root}"), ("max_results", str(PAGE)), *WITH_POSTS]
            page, _, _ = await self._posts("tweets/search/recent", params, place, me)
            found.append(page)
            place = parse_place(page.next_cursor)
            if not page.more:
                break
        every = {one.external_id: one for page in found for one in page.mentions}
        whole = sorted(every.values(), key=lambda one: (one.occurred_at or OLD, one.external_id))
        unparsed = tuple(one for page in found for one in page.unparsed)
        cost = sum(page.cost for page in found)
        return replace(found[-1], mentions=tuple(whole), unparsed=unparsed, gone=(), cost=cost)

    async def fetch_item(self, external_id: str) -> Mention:
        if external_id.startswith("follow:"):
            raise failures.BadResponse("X tells nothing about a single follower.")
        page = await self.fetch_items([external_id])
        for mention in page.mentions:
            if mention.external_id == external_id:
                return mention
        if page.gone:
            raise failures.Gone("The post is deleted, or its author suspended.")
        raise failures.BadResponse("X did not show the post: its author may protect it now.")

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """Posts by their first ids; where one was edited since, as it reads now."""
        me = await self._who()
        wanted = [one for one in external_ids if one.isdecimal()]
        page, body = await self._lookup(wanted, me)
        newer = [
            chain[-1]
            for row in posts.rows_of(body, "posts")
            if isinstance(row, dict) and (chain := posts.chain_of(row))[-1] != fields.find_id(row)
        ]
        if newer:
            page = _with_newer(page, (await self._lookup(newer, me))[0])
        answered = {one.external_id for one in page.mentions} | set(page.gone)
        answered |= {one.external_id for one in page.unparsed if one.external_id}
        silent = [one for one in external_ids if one not in answered]
        unread = tuple(base.Unparsed(one, "X did not show it", {"id": one}) for one in silent)
        return replace(page, unparsed=(*page.unparsed, *unread))

    async def _lookup(self, ids: Sequence[str], me: base.Identity) -> tuple[Page, Any]:
        if not ids:
            return Page(), {"data": []}
        body, answer = await self._list("tweets", "tweet.read", ("ids", ",".join(ids)), *WITH_POSTS)
        page = self._read(body, answer, me)
        asked = set(ids)
        return replace(page, gone=tuple(one for one in page.gone if one in asked)), body

    async def _quotes(self, parent: Parent, place: dict[str, str]) -> Page:
        """Posts that quote one of ours. Asked for only where the post's counter says that there
        are others than before: every look is paid for.
        """
        if not place and is_as_it_was_read(parent):
            return Page()
        me = await self._who()
        shown = parent.extra.get("shown")
        path = f"tweets/{shown if isinstance(shown, str) else parent.external_id}/quote_tweets"
        params = [("max_results", str(PAGE)), *WITH_POSTS]
        return (await self._posts(path, params, place, me))[0]

    async def _followers(self, me: base.Identity, place: dict[str, str]) -> Page:
        params = [("max_results", str(FOLLOWERS_PAGE)), ("user.fields", USER_FIELDS)]
        token = [("pagination_token", place["token"])] if place.get("token") else []
        path = f"users/{me.external_id}/followers"
        body, answer = await self._list(path, "follows.read", *params, *token)
        rows = posts.rows_of(body, "followers")
        found, bad = people.parse_followers(rows)
        self._bill.charge(answer.received_at, users=ids_in(rows), own_list=True)
        unparsed = tuple(base.Unparsed(fields.find_id(row), why, row) for row, why in bad)
        return self._placed(Page(mentions=tuple(found), unparsed=unparsed), body, {})

    async def _posts(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        place: dict[str, str],
        me: base.Identity,
    ) -> tuple[Page, Any, asking.Response]:
        """One page of a list of posts, with its place in the list and what it cost."""
        name = "next_token" if path.endswith("/recent") else "pagination_token"
        token = [(name, place["token"])] if place.get("token") else []
        body, answer = await self._list(path, "tweet.read", *params, *token)
        own_list = path.startswith("users/")
        author = me.external_id if path.endswith(f"{me.external_id}/tweets") else ""
        page = self._read(body, answer, me, own_list=own_list, author=author)
        return self._placed(page, body, dict(params)), body, answer

    def _read(
        self,
        body: Any,
        answer: asking.Response,
        me: base.Identity,
        *,
        own_list: bool = False,
        author: str = "",
    ) -> Page:
        """The posts of an answer, charged; `gone` are those it says are deleted."""
        rows = posts.rows_of(body, "posts")
        page = posts.parse_posts(rows, posts.around_of(body, me.external_id, author))
        beside, users = posts.included_ids(body)
        at = answer.received_at
        self._bill.charge(at, posts=ids_in(rows), own_list=own_list)
        self._bill.charge(at, posts=beside, users=users - {me.external_id})
        return replace(page, gone=posts.gone_in(body), cost=self._bill.take())

    def _placed(self, page: Page, body: Any, params: dict[str, str]) -> Page:
        token = posts.next_token(body)
        place = {"token": token, **({"start": s} if (s := params.get("start_time")) else {})}
        cost = page.cost + self._bill.take()
        return replace(page, next_cursor=place if token else None, more=bool(token), cost=cost)

    async def _who(self) -> base.Identity:
        """Our account; asked once in the life of this object."""
        if self._me is None:
            self._me, _ = await self._identify()
        return self._me

    async def _identify(self) -> tuple[base.Identity, base.JsonObject]:
        name = (self._settings.username or "").lstrip("@")
        path = f"users/by/username/{name}" if name else "users/me"
        body, answer = await self._list(path, "users.read", ("user.fields", USER_FIELDS))
        found = account.parse_identity(body)
        self._bill.charge(answer.received_at, users=[found[0].external_id], own_list=True)
        return found

    async def _list(
        self, path: str, right: str, *params: tuple[str, str]
    ) -> tuple[Any, asking.Response]:
        answer = await self._get(path, right, params)
        return answer.json(), answer

    async def _get(
        self, path: str, right: str, params: Sequence[tuple[str, str]]
    ) -> asking.Response:
        """The one way to X: signed, and what it refuses sorted."""
        url = f"{self._root}/{path}"

        async def send(token: str) -> asking.Response:
            return await self._http.request(
                "GET",
                url,
                params=params,
                headers=self._sign(token, url, params),
                expect=refusals.EXPECTED,
            )

        answer = await self._token.ask(send)
        if answer.status != 200:  # noqa: PLR2004
            paged = any(name.endswith("_token") for name, _ in params)
            raise refusals.refusal(answer, paged=paged, right=right)
        return answer


OLD = datetime(2006, 1, 1, tzinfo=UTC)
SHORT_LIFE = (
    "The token has nothing to renew it with: a user's token ends after two hours. Connect by X's "
    "own page, or name the user with the app's bearer token."
)


def parse_place(cursor: Cursor | None) -> dict[str, str]:
    """`{"token": …, "start": …}`: where a list goes on, and where it was said to end."""
    place = cursor or {}
    if not all(isinstance(place.get(name, ""), str) for name in ("token", "start")):
        raise failures.CursorRefused("The place in X's list could not be read.")
    return {name: place[name] for name in ("token", "start") if place.get(name)}


def start_of(since: datetime | None) -> str:
    return "" if since is None else f"{since.astimezone(UTC) - MORE_OVERLAP:%Y-%m-%dT%H:%M:%SZ}"


def _cut_at(page: Page, start: str) -> Page:
    """A list that was asked for down to a moment is read to its end: before that its last page is
    not the place to stop, however much of it is known.
    """
    return replace(page, oldest_at=page.newest_at) if page.more and start else page


def _with_newer(page: Page, newer: Page) -> Page:
    """The latest versions in place of earlier ones."""
    latest = {one.external_id: one for one in newer.mentions}
    mentions = tuple(latest.get(one.external_id, one) for one in page.mentions)
    return replace(page, mentions=mentions, cost=page.cost + newer.cost)


def ids_in(rows: Sequence[Any]) -> list[str]:
    return [one for row in rows if (one := fields.find_id(row)) is not None]


PLATFORM = base.Platform(
    name="x",
    title="X",
    connector=X,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=True,
    default_interval=timedelta(minutes=5),
    minimum_interval=timedelta(minutes=1),
    capabilities=base.Capabilities(
        own_answers="exact", edits="re-read", deletions="re-read", follows=True
    ),
    notes=(
        "Every post that X returns is paid for. Without a budget of yours: 25 USD a month at most.",
        "A follower has no date with X: he counts from when we first see him.",
        "Direct messages are not read.",
    ),
    docs="docs/platforms/x.md",
    in_short=terms.InShort(
        credential="a user's token (OAuth 2.0 or 1.0a), or an app's bearer token",
        answers="a post of ours that replies to the item, from our own posts",
        idle_poll="2 requests, no money",
        hundred=timedelta(minutes=5),
        limit="money: about 0.03 USD a mention",
    ),
    quota=base.Quota("USD", limit=15_000.0, period="month", default=25.0),
    access=terms.Access(
        review="No review; a developer account, and credits bought in advance.",
        shortest="Own the developer app with the very account that is read: its mentions and posts "
        "then cost a fifth.",
        price="0.005 USD a post (0.001 of your own lists, where the account owns the app), 0.010 a "
        "user; an empty answer is free.",
    ),
    retention=terms.Retention(
        source="X Developer Guidelines: what is deleted or suspended is removed within 24 hours",
        wipe_gone=True,
    ),
    thrift=account.THRIFT,
    oauth=oauth.OAuth(
        scopes=account.SCOPES,
        endpoints=account.endpoints,
        accounts=account.accounts,
        client_auth=account.CLIENT_AUTH,
    ),
)
