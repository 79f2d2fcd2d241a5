"""Facebook: one Page, its posts, what visitors write, recommendations and, if wanted, Messenger."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from app.connectors import asking, base, failures, fields, oauth
from app.connectors.base import Cursor, Mention, Page, Parent, Shape, ThreadRef
from app.connectors.meta import consent, messages, nodes, posts, ratings, rights, streams
from app.connectors.meta.graph import VERSION, Graph, Reply, app_token, onwards, quoted
from app.connectors.meta.refusals import NotOffered, TooMuch, UnknownField
from app.connectors.secret import secret
from app.connectors.terms import Access, InShort, requests_a_day

API, WEB = "https://graph.facebook.com", "https://www.facebook.com"
INTERVAL = timedelta(minutes=10)
RANKED_FOR = timedelta(days=7)
LIMITS = ("100", "25")
THREAD_PAGES = 20
RATING_PAGES = 10
KNOWN = 20_000
NEEDED = ("pages_read_engagement", "pages_read_user_content")
MESSAGING = "pages_messaging"
SCOPES = ("pages_show_list", *NEEDED)
NAMELESS = (
    "Meta does not tell who wrote these comments: each is a person of its own. The app needs "
    "Advanced Access for comments by people who have no role on it."
)
BLIND = (
    "Meta counts comments below the newest posts and shows none of them: the token lacks "
    "pages_read_user_content, or it is not the token of the Page."
)
UNTOLD = "Meta did not tell the rights of this token."


class Settings(base.Fields):
    """Which Page; the token says it too."""

    page_id: str = Field(
        default="",
        pattern=r"^[0-9]{0,30}$",
        title="Page id",
        description="The number of the Page. Left empty, the Page that the token belongs to.",
    )
    messages: bool = Field(
        default=False,
        title="Read Messenger",
        description="Also the conversations of the Page; needs the right pages_messaging.",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="API address", description="Another server that speaks the Graph API."
    )


class Credential(base.Fields):
    """A token of the Page. With id and secret of the app its rights can always be looked at."""

    access_token: str = secret(
        min_length=1,
        title="Page access token",
        description="The token of the Page, not that of the person who made it.",
    )
    client_id: str = Field(default="", title="App id")
    client_secret: str = secret(
        default="",
        title="App secret",
        description="Needed where the app demands proof of it (Require App Secret).",
    )


class Facebook:
    """Beside the token it keeps which Page we are and the conversations it has come across."""

    def __init__(
        self,
        *,
        settings: Settings,
        credential: Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        _ = save_credential  # the token of a Page has no date of expiry and can't be renewed
        self._settings = settings
        self._graph = Graph(
            http=http,
            root=settings.api_url,
            token=credential.access_token,
            client_secret=credential.client_secret,
        )
        app = app_token(credential.client_id, credential.client_secret)
        self._app = Graph(http=http, root=settings.api_url, token=app) if app else self._graph
        self._us: base.Identity | None = None
        self._threads: OrderedDict[str, ThreadRef] = OrderedDict()

    def streams(self) -> Sequence[base.StreamSpec]:
        """`feed` brings our posts and those of visitors, `tagged` those that name us elsewhere."""
        return streams.of_a_page(messages=self._settings.messages)

    async def check(self) -> base.Check:
        """Which Page the token belongs to, its rights, and the newest comments it can see."""
        self._us = None
        us = await self._who()
        token = await rights.token_of(self._app, self._graph.token, us.external_id)
        needed = (*NEEDED, MESSAGING) if self._settings.messages else NEEDED
        missing = token.missing(needed)
        if missing:
            return base.Check(us, token.scopes or (), missing, expires_at=token.ends_at)
        path, few = f"{us.external_id}/published_posts", ("limit", "10")
        reply = await self._graph.get(path, ("fields", posts.LOOK_FIELDS), few)
        look = posts.look_at(reply.rows, us.external_id)
        if look.is_blind:
            raise failures.Blind(BLIND)
        told = [NAMELESS] if look.theirs and not look.named else []
        told += [UNTOLD] if token.scopes is None else []
        return base.Check(
            us,
            token.scopes or (),
            sample=base.Sample(look.theirs, look.newest_at),
            warnings=tuple(told),
            expires_at=token.ends_at,
            estimate=requests_a_day(INTERVAL, 4 if self._settings.messages else 3, hourly=1),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        us = (await self._who()).external_id
        names = {spec.name: spec for spec in self.streams()}
        if stream not in names or (names[stream].shape is Shape.PARENT and parent is None):
            raise failures.BadResponse(f"Facebook has no stream {stream!r} that is read like this.")
        try:
            return await self._page(stream, us, cursor, parent, since)
        except failures.Gone:
            await self._confirm_rights(us)
            raise
        except NotOffered:
            if parent is not None:
                raise
            return Page(skipped={"list_not_offered": 1})  # this Page has none, and never will

    async def _page(
        self, stream: str, us: str, cursor: Cursor | None, parent: Parent | None, since: Any
    ) -> Page:
        if stream == "feed":
            return await self._feed(us, cursor, since)
        if stream == "messages" and parent is not None:
            return await self._messages(messages.thread_of(parent), cursor, since)
        if parent is not None:
            place = posts.place_of(parent, us)
            reply = await self._comments(parent.external_id, cursor, "reverse_chronological")
            page = onwards(posts.parse_comments(reply.rows, place), reply)
            for mention in page.mentions:
                self._remember(place.thread, mention.external_id.partition("_")[0])
            return page
        if stream == "tagged":
            reply = await self._list(f"{us}/tagged", posts.POST_FIELDS, cursor)
            return self._kept(onwards(posts.parse_tagged(reply.rows, us), reply))
        if stream == "ratings":
            reply = await self._list(f"{us}/ratings", ratings.RATING_FIELDS, cursor)
            return self._kept(onwards(ratings.parse_ratings(reply.rows), reply))
        platform = ("platform", "messenger")
        reply = await self._list(
            f"{us}/conversations", messages.CONVERSATION_FIELDS, cursor, platform
        )
        return onwards(messages.parse_conversations(reply.rows, us), reply)

    async def fetch_thread(self, root: str) -> Page:
        """A post with everything below it; a recommendation; a conversation of Messenger."""
        us = (await self._who()).external_id
        if root.startswith("t_"):
            page = await self._messages(ThreadRef(root), None, None)
            return replace(page, mentions=tuple(reversed(page.mentions)), next_cursor=None)
        top = await self.fetch_item(root)
        place = posts.Place(top.thread, top.author.external_id, us)
        rows: list[Any] = []
        at: Cursor | None = None
        for _ in range(THREAD_PAGES):
            reply = await self._comments(root, at, "chronological")
            rows += reply.rows
            if (at := reply.place) is None:
                break
        page = posts.parse_comments(rows, place)
        return replace(page, mentions=(top, *page.mentions), more=at is not None)

    async def fetch_item(self, external_id: str) -> Mention:
        """One post, comment, recommendation or message."""
        us = (await self._who()).external_id
        try:
            return await self._item(external_id, us)
        except failures.Gone:
            await self._confirm_rights(us)
            raise

    async def _item(self, external_id: str, us: str) -> Mention:
        if ratings.is_rating(external_id):
            return await self._rating(external_id, us)
        if external_id.startswith("m_"):
            return await self._message(external_id)
        if not external_id.startswith(f"{us}_"):
            try:
                return await self._comment(external_id, us)
            except UnknownField:
                pass  # a post of somebody who named us: its id looks like that of a comment
        reply = await self._one(external_id, posts.POST_FIELDS)
        post = posts.parse_post(reply.body, us)
        if post.external_id != external_id:
            raise fields.Unreadable("another post was sent than the one that was asked for")
        self._remember(post.thread)
        return post

    async def _comment(self, external_id: str, us: str) -> Mention:
        prefix = external_id.partition("_")[0]
        thread = self._threads.get(prefix) or posts.thread_of_comment(external_id, us)
        reply = await self._one(external_id, posts.COMMENT_FIELDS)
        return posts.one_comment(reply.body, posts.Place(thread, "", us), external_id)

    async def _message(self, external_id: str) -> Mention:
        """Meta calls a message deleted as soon as twenty newer ones stand in its conversation."""
        try:
            reply = await self._one(external_id, messages.MESSAGE_FIELDS)
        except failures.Gone:
            raise failures.BadResponse(
                "Meta shows this message in its conversation only, if it still stands there."
            ) from None
        thread = self._threads.get(external_id) or ThreadRef(external_id)
        return messages.parse_message(reply.body, thread)

    async def _rating(self, external_id: str, us: str) -> Mention:
        """Recommendations can be listed only: the list is read until it shows this one."""
        at: Cursor | None = None
        for _ in range(RATING_PAGES):
            reply = await self._list(f"{us}/ratings", ratings.RATING_FIELDS, at)
            if (row := ratings.find_rating(reply.rows, external_id)) is not None:
                return ratings.parse_rating(row)
            if (at := reply.place) is None:
                raise failures.Gone("The recommendation stands in the list no longer.")
        raise failures.BadResponse("The recommendation is too far down in the list.")

    async def _messages(
        self, thread: ThreadRef, place: Cursor | None, since: datetime | None
    ) -> Page:
        """Newest first, as far back as the first reading went."""
        path = f"{quoted(thread.external_id)}/messages"
        reply = await self._list(path, messages.MESSAGE_FIELDS, place, item=True)
        page = onwards(messages.parse_messages(reply.rows, thread), reply)
        for mention in page.mentions:
            self._remember(thread, mention.external_id)
        if since is not None and page.oldest_at is not None and page.oldest_at < since:
            return replace(page, next_cursor=None, more=False)
        return page

    async def _feed(self, us: str, cursor: Cursor | None, since: datetime | None) -> Page:
        """First the feed, which alone has the posts of visitors: Meta ranks it, so it is read to
        its end, but only as far back as a week or as is asked for. Then our own posts in the order
        of time, with how many comments each has by now.
        """
        state: Cursor = cursor or {"list": "feed", "from": self._ranked_from(since), "place": None}
        place = state.get("place")
        if state.get("list") == "posts":
            reply = await self._list(f"{us}/published_posts", posts.POST_FIELDS, place)
            page = posts.parse_posts(reply.rows, us, own=True)
            return self._kept(onwards(page, reply, {"list": "posts"}))
        start = state.get("from")
        window = (("since", str(start)),) if type(start) is int else ()
        reply = await self._list(f"{us}/feed", posts.POST_FIELDS, place, *window)
        page = self._kept(onwards(posts.parse_posts(reply.rows, us), reply, {**state}))
        ahead = page.next_cursor or {"list": "posts", "place": None}
        return replace(page, oldest_at=None, next_cursor=ahead, more=True)

    def _ranked_from(self, since: datetime | None) -> int | None:
        heard = self._graph.heard_at
        if since is None or heard is None:
            return None
        return int(min(since, heard - RANKED_FOR).timestamp())

    async def _who(self) -> base.Identity:
        """Which Page the token belongs to. Asked before all else: with the token of a person, lists
        of comments are empty and nothing tells why.
        """
        if self._us is None:
            try:
                reply = await self._graph.get("me", ("fields", "id,name,username,category"))
            except UnknownField:
                raise failures.Blind(rights.OF_A_PERSON) from None
            self._us = rights.parse_page(reply.body, self._settings.page_id)
        return self._us

    async def _confirm_rights(self, us: str) -> None:
        """Meta says "does not exist" as well where a right was lost: then nothing is gone."""
        token = await rights.token_of(self._app, self._graph.token, us)
        if missing := token.missing(NEEDED):
            detail = f"The token lacks the right {missing[0]}."
            raise failures.PermissionMissing(detail, rights=missing)

    async def _comments(self, root: str, place: Cursor | None, order: str) -> Reply:
        path = f"{quoted(ratings.story_of(root))}/comments"
        shown = (("filter", "stream"), ("order", order), ("summary", "true"))
        return await self._list(path, posts.COMMENT_FIELDS, place, *shown, item=True)

    async def _list(
        self,
        path: str,
        asked: str,
        place: Cursor | None,
        *params: tuple[str, str],
        item: bool = False,
    ) -> Reply:
        """A page of 100, or of 25 where so many posts are too much at once."""
        wanted = ("fields", asked)
        for limit in LIMITS:
            try:
                many = ("limit", limit)
                return await self._graph.get(path, wanted, many, *params, place=place, item=item)
            except TooMuch:
                continue
        raise failures.Transient("Meta gives not even a short page of this list.")

    async def _one(self, external_id: str, asked: str) -> Reply:
        return await self._graph.get(quoted(external_id), ("fields", asked), item=True)

    def _kept(self, page: Page) -> Page:
        for mention in page.mentions:
            self._remember(mention.thread)
        return page

    def _remember(self, thread: ThreadRef, key: str = "") -> None:
        """By the number that the ids of its comments begin with, which is not always the post's; or
        by the id of a message.
        """
        self._threads[key or nodes.last_part(ratings.story_of(thread.external_id))] = thread
        while len(self._threads) > KNOWN:
            self._threads.popitem(last=False)


def _endpoints(settings: Settings) -> oauth.Endpoints:
    web = WEB if settings.api_url == API else settings.api_url
    return oauth.Endpoints(
        authorize=f"{web}/{VERSION}/dialog/oauth",
        token=f"{settings.api_url}/{VERSION}/oauth/access_token",
    )


PLATFORM = base.Platform(
    name="facebook",
    title="Facebook Page",
    connector=Facebook,
    settings=Settings,
    credential=Credential,
    credential_required=True,
    default_interval=INTERVAL,
    minimum_interval=timedelta(minutes=5),
    capabilities=base.Capabilities(
        own_answers="exact", edits="re-read", deletions="re-read", direct_messages=True
    ),
    notes=(
        "Pages only, never personal profiles.",
        "A Page has no list of its followers: only their number.",
        "What a Page may ask in 24 hours grows with its readers: 4,800 calls for each engaged one.",
    ),
    docs="docs/platforms/facebook.md",
    access=Access(
        review="For Pages of others: App Review with Advanced Access, and Business Verification.",
        shortest="For a Page of your own: an app of type Business of your own, left in development "
        "mode. Standard Access and a role on the app are enough; nothing is reviewed.",
    ),
    in_short=InShort(
        credential="token of the Page",
        answers="a comment of our Page below the item, or one in the same branch that names its "
        "author",
        idle_poll="3 requests, and 1 an hour for recommendations",
        hundred=timedelta(minutes=15),
        limit="4,800 requests in 24 hours for each engaged person, each Page for itself",
    ),
    oauth=oauth.OAuth(
        scopes=SCOPES,
        endpoints=_endpoints,
        accounts=consent.pages_opened,
        pkce=False,
        scope_separator=",",
    ),
)
