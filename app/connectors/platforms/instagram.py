"""Instagram: comments below the posts of one professional account, and posts that tag it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from app.connectors import asking, base, failures, fields, oauth
from app.connectors.base import Cursor, Mention, Page, Parent
from app.connectors.meta import consent, media, nodes, rights, streams
from app.connectors.meta.graph import VERSION, Graph, Reply, app_token, onwards, quoted
from app.connectors.meta.refusals import NotOffered, UnknownField
from app.connectors.renewal import Renewing
from app.connectors.secret import secret
from app.connectors.terms import Access, InShort, requests_a_day

FACEBOOK, INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"
INTERVAL = timedelta(minutes=10)
THREAD_PAGES = 20
REPLY_PAGES = 20
RENEW_AHEAD = timedelta(days=30)
RIGHTS = {
    "facebook": ("instagram_basic", "instagram_manage_comments"),
    "instagram": ("instagram_business_basic", "instagram_business_manage_comments"),
}
SCOPES = {
    "facebook": ("pages_show_list", "pages_read_engagement", *RIGHTS["facebook"]),
    "instagram": RIGHTS["instagram"],
}
BLIND = (
    "Meta counts comments below the newest posts and shows none of them: the token lacks the right "
    "to manage comments, or the posts are for adults."
)
NAMELESS = "Meta does not tell who wrote these comments: each is a person of its own."


class Settings(base.Fields):
    """Which account, and by which of Meta's two ways in."""

    login: Literal["facebook", "instagram"] = Field(
        default="instagram",
        title="Way in",
        description="instagram: the token of the account itself. facebook: the token of the Page "
        "that the account is linked to; only this one shows posts that tag the account.",
    )
    account_id: str = Field(
        default="",
        pattern=r"^[0-9]{0,30}$",
        title="Account id",
        description="The number of the account. Left empty, the one the token belongs to.",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] | None = Field(
        default=None, title="API address", description="Another server that speaks the Graph API."
    )

    @property
    def root(self) -> str:
        return self.api_url or (FACEBOOK if self.login == "facebook" else INSTAGRAM)


class Credential(base.Fields):
    """A token of the account, or of its Page. A token of the account is renewed by itself."""

    access_token: str = secret(
        min_length=1,
        title="Access token",
        description="Of the account (Instagram Login) or of its Page (Facebook Login).",
    )
    client_id: str = Field(default="", title="App id")
    client_secret: str = secret(
        default="",
        title="App secret",
        description="Needed where the app demands proof of it (Require App Secret).",
    )
    expires_at: str = Field(
        default="", title="Token ends at", description="Filled in when the token is renewed."
    )


class Instagram:
    """Beside the token it keeps who we are."""

    def __init__(
        self,
        *,
        settings: Settings,
        credential: Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._settings = settings
        root, secret = settings.root, credential.client_secret
        self._renewing = Renewing(
            credential=credential.model_dump(),
            renew=consent.by_living_token(root, "ig"),
            http=http,
            save_credential=save_credential,
            ahead=RENEW_AHEAD,
            on_refusal=False,
            unknown_ends=True,
        )
        self._graph = Graph(
            http=http,
            root=root,
            token=credential.access_token,
            client_secret=secret,
            renewing=self._renewing if settings.login == "instagram" else None,
        )
        app = app_token(credential.client_id, secret)
        self._app = Graph(http=http, root=root, token=app) if app else self._graph
        self._us: media.Us | None = None
        self._identity: base.Identity | None = None

    def streams(self) -> Sequence[base.StreamSpec]:
        """`tags` is offered to those who come in through Facebook only."""
        return streams.of_an_account(tags=self._settings.login == "facebook")

    async def check(self) -> base.Check:
        """Which account the token opens, its rights, and the newest comments it can see."""
        self._us = None
        us = await self._who()
        token = rights.Token(expires_at=self._renewing.expires_at)
        needed = RIGHTS[self._settings.login]
        if self._settings.login == "facebook":
            token = await rights.token_of(
                self._app, self._graph.token, us.external_id, persons_may=True
            )
        found = base.Check(self._identity, token.scopes or (), expires_at=token.ends_at)
        if missing := token.missing(needed):
            return replace(found, missing=missing)
        try:
            look = await self._look(us)
        except failures.PermissionMissing as error:
            return replace(found, missing=error.rights or needed[1:])
        if look.is_blind:
            raise failures.Blind(BLIND)
        return replace(
            found,
            rights=found.rights or needed,
            sample=base.Sample(look.theirs, look.newest_at),
            warnings=(NAMELESS,) if look.theirs and not look.named else (),
            estimate=requests_a_day(INTERVAL, 2 if self._settings.login == "facebook" else 1),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        _ = since  # Meta filters nothing here by time; the poller decides where a pass ends
        us = await self._who()
        if stream == "media":
            reply = await self._list(f"{us.external_id}/media", media.MEDIA_FIELDS, cursor)
            return onwards(media.parse_own(reply.rows, us), reply)
        if stream == "comments" and parent is not None:
            try:
                return await self._comments(media.thread_of(parent), cursor, us)
            except failures.Gone:
                await self._look(us)  # refused where a right was lost: then nothing is gone
                raise
        if stream == "tags" and self._settings.login == "facebook":
            return await self._tags(us, cursor)
        raise failures.BadResponse(f"Instagram has no stream {stream!r} that is read like this.")

    async def fetch_thread(self, root: str) -> Page:
        """A post with the comments below it, in order of time; Meta shows those below ours only."""
        us = await self._who()
        reply = await self._graph.get(quoted(root), ("fields", media.MEDIA_FIELDS), item=True)
        top = media.parse_post(reply.body, us)
        found: list[Page] = []
        at: Cursor | None = None
        for _ in range(THREAD_PAGES):
            found.append(await self._comments(top.thread, at, us))
            if (at := found[-1].next_cursor) is None:
                break
        mentions = [each for page in found for each in page.mentions]
        moments = {each.external_id: each.occurred_at or top.occurred_at for each in mentions}
        mentions.sort(key=lambda each: (str(moments[each.external_id]), each.external_id))
        unparsed = tuple(each for page in found for each in page.unparsed)
        return Page(mentions=(top, *mentions), unparsed=unparsed, more=at is not None)

    async def fetch_item(self, external_id: str) -> Mention:
        """One comment, or one post. All ids are plain numbers: only a comment has a text."""
        us = await self._who()
        path = quoted(external_id)
        try:
            asked = ("fields", media.ONE_COMMENT_FIELDS)
            reply = await self._graph.get(path, asked, item=True)
        except UnknownField:
            return await self._post(external_id, us)
        except failures.Gone:
            await self._look(us)
            raise
        return media.one_comment(reply.body, us, external_id)

    async def _post(self, external_id: str, us: media.Us) -> Mention:
        asked = ("fields", media.TAG_FIELDS)
        reply = await self._graph.get(quoted(external_id), asked, item=True)
        post = media.parse_post(reply.body, us)
        if post.external_id != external_id:
            raise fields.Unreadable("another post was sent than the one that was asked for")
        return post

    async def _comments(self, thread: base.ThreadRef, place: Cursor | None, us: media.Us) -> Page:
        """The newest 50 with the answers below each; answers beyond those shown with a comment
        are read one request more for each 50.
        """
        path = f"{quoted(thread.external_id)}/comments"
        reply = await self._list(path, media.COMMENT_FIELDS, place, item=True)
        is_end = reply.place is None
        listing = media.parse_comments(reply.rows, thread, us, is_end=is_end)
        if not listing.more_below:
            return onwards(listing.page, reply)
        whole = [await self._with_replies(row, listing.more_below) for row in reply.rows]
        return onwards(media.parse_comments(whole, thread, us, is_end=is_end).page, reply)

    async def _with_replies(self, row: Any, more_below: Sequence[str]) -> Any:
        """A comment with all of its answers, where it came with the first of them."""
        if (external_id := nodes.find_node_id(row)) not in more_below:
            return row
        rows: list[Any] = []
        at: Cursor | None = None
        for _ in range(REPLY_PAGES):
            reply = await self._list(f"{quoted(str(external_id))}/replies", media.REPLY_FIELDS, at)
            rows += reply.rows
            if (at := reply.place) is None:
                break
        return {**row, "replies": {"data": rows}}

    async def _tags(self, us: media.Us, cursor: Cursor | None) -> Page:
        try:
            reply = await self._list(f"{us.external_id}/tags", media.TAG_FIELDS, cursor)
        except NotOffered:
            return Page(skipped={"list_not_offered": 1})
        return onwards(media.parse_tags(reply.rows, us), reply)

    async def _look(self, us: media.Us) -> media.Look:
        path, few = f"{us.external_id}/media", ("limit", "5")
        reply = await self._graph.get(path, ("fields", media.LOOK_FIELDS), few)
        return media.look_at(reply.rows, us)

    async def _list(
        self, path: str, asked: str, place: Cursor | None, *, item: bool = False
    ) -> Reply:
        limit = ("limit", str(media.CAP))
        return await self._graph.get(path, ("fields", asked), limit, place=place, item=item)

    async def _who(self) -> media.Us:
        """Our account, asked once in the life of this object."""
        if self._us is None:
            account = self._settings.account_id
            if self._settings.login == "instagram":
                asked, path = "id,user_id,username,name", "me"
            elif account:
                asked, path = "id,username,name", account
            else:
                asked, path = "instagram_business_account{id,username,name}", "me"
            try:
                reply = await self._graph.get(path, ("fields", asked))
            except UnknownField:
                raise failures.Blind(rights.OF_A_PERSON) from None
            self._us, self._identity = parse_account(reply.body, account)
        return self._us


def parse_account(body: base.JsonObject, account_id: str) -> tuple[media.Us, base.Identity]:
    """Our account in the answer to any of the three questions for it."""
    linked = body.get("instagram_business_account")
    if "username" not in body and linked is None:
        nodes.node_id(body)
        raise failures.PermissionMissing(
            "No professional account of Instagram is linked to this Page, or the token lacks "
            "instagram_basic.",
            rights=("instagram_basic",),
        )
    account = fields.as_object(linked) if linked is not None else body
    own_id = nodes.node_id(account)
    external_id = nodes.find_node_id(account, "user_id") or own_id
    if account_id and account_id not in {external_id, own_id}:
        raise failures.AuthFailed(f"This token opens another account than {account_id}.")
    username = fields.find_text(account, "username")
    us = media.Us(external_id, username, frozenset({own_id}))
    aliases = tuple(sorted(us.names - {external_id}))
    name = fields.find_text(account, "name")
    return us, base.Identity(external_id, username, name, aliases=aliases)


def _endpoints(settings: Settings) -> oauth.Endpoints:
    other = settings.api_url
    if settings.login == "facebook":
        return oauth.Endpoints(
            authorize=f"{other or 'https://www.facebook.com'}/{VERSION}/dialog/oauth",
            token=f"{settings.root}/{VERSION}/oauth/access_token",
        )
    return oauth.Endpoints(
        authorize=f"{other or 'https://www.instagram.com'}/oauth/authorize",
        token=f"{other or 'https://api.instagram.com'}/oauth/access_token",
    )


async def _accounts(http: asking.Http, granted: oauth.Granted) -> Sequence[oauth.Account]:
    """Through Facebook: the account linked to each Page. Through Instagram: the one account."""
    settings: Settings = granted.settings
    client = granted.client
    if settings.login == "facebook":
        token = await consent.longer_user_token(http, granted, settings.root)
        graph = Graph(http=http, root=settings.root, token=token, client_secret=client.secret)
        asked = "id,name,access_token,tasks,instagram_business_account{id,username,name}"
        return await consent.pages_of(graph, asked, lambda row: consent.linked_account(row, client))
    longer = await consent.longer_account_token(http, granted, settings.root, "ig")
    token = longer["access_token"]
    graph = Graph(http=http, root=settings.root, token=token, client_secret=client.secret)
    reply = await graph.get("me", ("fields", "id,user_id,username,name"))
    us, identity = parse_account(reply.body, "")
    return [
        oauth.Account(
            us.external_id,
            handle=us.username,
            name=identity.name,
            credential={**consent.credential_of(token, client), **longer},
            settings={"login": "instagram", "account_id": us.external_id},
        )
    ]


PLATFORM = base.Platform(
    name="instagram",
    title="Instagram",
    connector=Instagram,
    settings=Settings,
    credential=Credential,
    credential_required=True,
    default_interval=INTERVAL,
    minimum_interval=timedelta(minutes=5),
    capabilities=base.Capabilities(own_answers="exact", edits="re-read", deletions="re-read"),
    notes=(
        "Professional accounts only (business or creator), never personal ones.",
        "@mentions are pushed by Meta and can't be asked for: they are not seen.",
        "In 24 hours an account may be asked 4,800 times for each time its content was seen.",
    ),
    docs="docs/platforms/instagram.md",
    access=Access(
        review="For accounts of others: App Review with Advanced Access, and Business "
        "Verification.",
        shortest="For an account of your own: an app of your own with Instagram Login, the account "
        "added as a tester. Standard Access is enough; nothing is reviewed.",
    ),
    in_short=InShort(
        credential="token of the account or of its Page",
        answers="a comment of our account below the item, or one in the same branch that names "
        "its author",
        idle_poll="1 request, 2 with tags",
        hundred=timedelta(minutes=15),
        limit="4,800 requests in 24 hours for each time content was seen, each account for itself",
    ),
    oauth=oauth.OAuth(
        scopes=SCOPES["instagram"],
        scopes_of=lambda settings: SCOPES[settings.login],
        endpoints=_endpoints,
        accounts=_accounts,
        pkce=False,
        scope_separator=",",
    ),
)
