"""TikTok: comments below the videos of one account, over the API for Business (Accounts API)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.connectors import asking, base, failures, fields, oauth, terms
from app.connectors.base import (
    Cursor,
    JsonObject,
    Kind,
    LostRange,
    Mention,
    Page,
    Parent,
    Shape,
    StreamSpec,
)
from app.connectors.renewal import Renewing
from app.connectors.text import parse_time
from app.connectors.tiktok import account, comments, lists, mentions, refusals, videos

INTERVAL = timedelta(minutes=10)
AT_ONCE = 30
PAGES, IN_VAIN = 20, 3
LOOKED_AT = 3
BLIND_FROM = 10
"""Comments that TikTok counts below the newest videos and shows none of. Its counters are up to two
days late: a few may have been deleted since.
"""
RENEW_AHEAD = timedelta(hours=1)
NEWEST_FIRST = (("sort_field", "create_time"), ("sort_order", "desc"))
OF_ALL = (("status", "ALL"), ("max_count", str(AT_ONCE)))
"""Also what is hidden."""
VIDEOS = ("business/video/list/", "videos")
COMMENTS = ("business/comment/list/", "comments")
REPLIES = ("business/comment/reply/list/", "comments")
MENTIONS = ("business/mention/comment/list/", "comments")
"""Lists: their paths, and what their rows are called."""
RIGHT_FOR = {
    "business/get/": "user.info.username",
    VIDEOS[0]: "video.list",
    COMMENTS[0]: "comment.list",
    REPLIES[0]: "comment.list",
    MENTIONS[0]: account.MENTIONS_RIGHT,
}
LAST = datetime(9000, 1, 1, tzinfo=UTC)
KEPT_BACK = LostRange(
    "not_shown", "Comments that TikTok's own safety rules keep back are left out of its lists."
)
NEWEST = LostRange("cap", "Of comments elsewhere that name the account TikTok lists 1,000.")
ELSEWHERE = LostRange(
    "not_shown",
    "Below videos of others TikTok shows neither who wrote a comment, but for a display name, nor "
    "our answers.",
)
BLIND = (
    "TikTok counts comments below the newest videos and shows none of them: the token lacks "
    "comment.list, or the account keeps its comments to itself."
)
SHORT_LIFE = (
    "The token has nothing to renew it with, and ends after a day. Give the refresh token, and the "
    "app's id and secret, as well; or connect by TikTok's own page."
)
UNTOLD = "Without the app's id TikTok does not tell the rights of the token."


class TikTok:
    """Beside the credential it keeps who we are."""

    most_at_once = AT_ONCE

    def __init__(
        self,
        *,
        settings: account.Settings,
        credential: account.Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._settings = settings
        self._http = http
        self._token = Renewing(
            credential=credential.model_dump(),
            renew=account.by_refresh_token(settings.root),
            http=http,
            save_credential=save_credential,
            ahead=RENEW_AHEAD,
            refused=refusals.is_of_a_token,
        )
        self._identity: base.Identity | None = None

    def streams(self) -> Sequence[StreamSpec]:
        """`mentions` as the settings say."""
        below = (Kind.COMMENT, Kind.REPLY)
        listed = StreamSpec("videos", Shape.BACKWARD, rescan_all=True)  # for their counters
        first = StreamSpec(
            "comments", Shape.PARENT, below, parents_from="videos", lost=(KEPT_BACK,)
        )
        answers = StreamSpec(
            "replies", Shape.PARENT, (Kind.REPLY,), parents_from="comments", lists_replies=True
        )
        if not self._settings.mentions:
            return (listed, first, answers)
        elsewhere = StreamSpec(
            "mentions",
            Shape.BACKWARD,
            (Kind.MENTION,),
            rescan_all=True,  # TikTok takes hours to list one, at its old place
            interval=timedelta(hours=1),
            cap=mentions.CAP,
            lost=(NEWEST, ELSEWHERE),
        )
        return (listed, first, answers, elsewhere)

    async def check(self) -> base.Check:
        """Whose account it is, what the token may do, and the newest comments it can see."""
        self._identity = None
        us = await self._who()
        granted = await self._granted()
        needed = self._settings.needed
        missing = tuple(each for each in needed if granted is not None and each not in granted)
        held = self._token.fields
        lasts = bool(held["refresh_token"] and held["client_id"])
        told = [] if lasts else [SHORT_LIFE]
        told += [UNTOLD] if granted is None else []
        ends = parse_time(held["refresh_expires_at"]) if lasts else self._token.expires_at
        found = base.Check(
            self._identity,
            granted or (),
            missing,
            warnings=tuple(told),
            expires_at=ends,
            estimate=terms.requests_a_day(INTERVAL, 1, hourly=1 if self._settings.mentions else 0),
        )
        return found if missing else replace(found, sample=await self._look(us))

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """One page of a list, newest first; of a conversation usually all of it. TikTok filters
        nothing by time.
        """
        _ = since
        us = await self._who()
        if stream == "videos":
            listing = await self._list(*VIDEOS, *videos.ASKED, place=cursor)
            return _placed(videos.parse_videos(listing.rows), listing)
        if stream == "comments" and parent is not None:
            video = videos.video_of(parent, us.username)
            listing = await self._list(
                *COMMENTS,
                ("video_id", parent.external_id),
                ("include_replies", "true"),
                *NEWEST_FIRST,
                *OF_ALL,
                place=cursor,
            )
            return _placed(comments.parse_comments(listing.rows, video, us), listing)
        if stream == "replies" and parent is not None:
            video_id, _ = comments.parts_of(parent.external_id)
            video = videos.video_of(replace(parent, external_id=video_id), us.username)
            return await self._replies(comments.first_of(parent), video, us, cursor)
        if stream == "mentions" and self._settings.mentions:
            listing = await self._list(*MENTIONS, *mentions.ASKED, place=cursor)
            return _placed(mentions.parse_mentions(listing.rows, us), listing)
        raise failures.BadResponse(f"TikTok has no stream {stream!r} that is read like this.")

    async def fetch_thread(self, root: str) -> Page:
        """A comment and the replies below it, in order of writing."""
        us = await self._who()
        first = await self.fetch_item(root)
        video_id, _ = comments.parts_of(root)
        video = self._video(video_id, us)
        page = await self._replies(first, video, us, None)
        below = sorted(page.mentions, key=lambda each: (each.occurred_at or LAST, each.external_id))
        return replace(page, mentions=(first, *below))

    async def fetch_item(self, external_id: str) -> Mention:
        page = await self.fetch_items([external_id])
        if page.gone:
            raise failures.Gone("The comment is deleted, or TikTok keeps it back.")
        for mention in page.mentions:
            return mention
        raise failures.BadResponse(page.unparsed[0].reason)

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """Comments by their ids, one request for each video; what TikTok leaves out is gone."""
        us = await self._who()
        asked: dict[str, list[str]] = {}
        silent: list[base.Unparsed] = []
        for each in dict.fromkeys(external_ids):
            if mentions.is_mention(each):
                silent.append(base.Unparsed(each, "TikTok shows it in its list only", {"id": each}))
                continue
            try:
                video_id, comment_id = comments.parts_of(each)
            except fields.Unreadable:
                silent.append(base.Unparsed(each, "no id of a comment", {"id": each}))
                continue
            asked.setdefault(video_id, []).append(comment_id)
        found = [await self._asked(video_id, ids, us) for video_id, ids in asked.items()]
        return Page(
            mentions=tuple(each for page in found for each in page.mentions),
            gone=tuple(each for page in found for each in page.gone),
            unparsed=(*silent, *(each for page in found for each in page.unparsed)),
        )

    async def _asked(self, video_id: str, comment_ids: Sequence[str], us: comments.Us) -> Page:
        """Some comments below one video. Where other ones come than were asked for, or one that
        can't be read, nothing is known of those that are missing.
        """
        wanted = {comments.joined_id(video_id, each) for each in comment_ids}
        params = (("video_id", video_id), ("comment_ids", json.dumps(list(comment_ids))))
        listing = await self._to_the_end(*COMMENTS, *params, *OF_ALL)
        page = comments.parse_asked(listing.rows, self._video(video_id, us), us)
        told = {each.external_id for each in page.mentions} | set(page.gone)
        told |= {each.external_id or "" for each in page.unparsed}
        left_out = sorted(wanted - told)
        shown = tuple(each for each in page.mentions if each.external_id in wanted)
        if told <= wanted and listing.place is None:
            return replace(page, mentions=shown, gone=(*page.gone, *left_out))
        unread = (base.Unparsed(each, "TikTok did not show it", {"id": each}) for each in left_out)
        return replace(page, mentions=shown, unparsed=(*page.unparsed, *unread))

    async def _replies(
        self, first: Mention, video: videos.Video, us: comments.Us, place: Cursor | None
    ) -> Page:
        """The replies below a comment: all of them, so that each answer of ours finds whom it is
        for; in parts where there are more than 600.
        """
        _, comment_id = comments.parts_of(first.external_id)
        asked = (("video_id", video.id), ("comment_id", comment_id), *NEWEST_FIRST, *OF_ALL)
        listing = await self._to_the_end(*REPLIES, *asked, place=place)
        whole = place is None and listing.place is None
        page = comments.parse_replies(listing.rows, first, video, us, whole=whole)
        return _placed(page, listing)

    async def _look(self, us: comments.Us) -> base.Sample:
        """The newest comments by others below a few of the newest videos."""
        listed = await self.fetch_page("videos", None)
        commented = [each for each in listed.parents if each.counter != 0][:LOOKED_AT]
        pages = [await self.fetch_page("comments", None, parent=each) for each in commented]
        shown = [each for page in pages for each in page.mentions]
        counted = sum(each.counter or 0 for each in commented)
        if counted >= BLIND_FROM and not shown and not any(page.unparsed for page in pages):
            raise failures.Blind(BLIND)
        theirs = [each for each in shown if not us.around.is_ours(each)]
        times = [each.occurred_at for each in theirs if each.occurred_at is not None]
        return base.Sample(len(theirs), max(times, default=None))

    async def _granted(self) -> tuple[str, ...] | None:
        """The scopes of the token, `None` where TikTok can't be asked."""
        client_id = self._token.fields["client_id"]
        if not client_id:
            return None

        async def send(token: str) -> asking.Response:
            return await self._http.request(
                "POST",
                f"{self._settings.root}/tt_user/token_info/get/",
                json={"app_id": client_id, "access_token": token},
                expect=refusals.EXPECTED,
            )

        data = refusals.data_of(await self._token.ask(send), right=account.RIGHTS[0])
        return account.granted_in(data, self._settings.business_id)

    async def _who(self) -> comments.Us:
        """Our account; asked once in the life of this object."""
        if self._identity is None:
            data = await self._get("business/get/", *account.WHO)
            self._identity = account.parse_identity(data, self._settings.business_id)
        me = self._identity
        return comments.Us(me.external_id, me.handle if me.aliases else "")

    @staticmethod
    def _video(video_id: str, us: comments.Us) -> videos.Video:
        """A video of ours of which only the id is at hand."""
        return videos.Video(video_id, permalink=videos.address_of(video_id, us.username))

    async def _to_the_end(
        self, path: str, name: str, *params: tuple[str, str], place: Cursor | None = None
    ) -> lists.Listing:
        """The rows of all pages, or of the first 20 and where the list goes on. So it does after
        three pages in a row with nothing new: whether they lead anywhere is for the poller to say.
        """
        rows: list[object] = []
        in_vain = 0
        for _ in range(PAGES):
            listing = await self._list(path, name, *params, place=place)
            in_vain = 0 if any(row not in rows for row in listing.rows) else in_vain + 1
            rows += listing.rows
            if (place := listing.place) is None or in_vain == IN_VAIN:
                break
        return lists.Listing(rows, place)

    async def _list(
        self, path: str, name: str, *params: tuple[str, str], place: Cursor | None
    ) -> lists.Listing:
        data = await self._get(path, *params, *lists.params_of(place), paged=bool(place))
        return lists.read_list(data, name)

    async def _get(self, path: str, *params: tuple[str, str], paged: bool = False) -> JsonObject:
        """The one way to TikTok's data of the account."""

        async def send(token: str) -> asking.Response:
            return await self._http.request(
                "GET",
                f"{self._settings.root}/{path}",
                params=(("business_id", self._settings.business_id), *params),
                headers={"Access-Token": token},
                expect=refusals.EXPECTED,
            )

        return refusals.data_of(await self._token.ask(send), right=RIGHT_FOR[path], paged=paged)


def _placed(page: Page, listing: lists.Listing) -> Page:
    return replace(page, next_cursor=listing.place, more=listing.place is not None)


PLATFORM = base.Platform(
    name="tiktok",
    title="TikTok",
    connector=TikTok,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=True,
    default_interval=INTERVAL,
    minimum_interval=timedelta(minutes=5),
    capabilities=base.Capabilities(own_answers="exact", edits="never", deletions="re-read"),
    notes=(
        "Comments below your own videos; below those of others only where they name the account.",
        "TikTok knows no edits, and shows an account's followers as a number only.",
        "The counter of comments of a video is up to two days late.",
    ),
    docs="docs/platforms/tiktok.md",
    access=terms.Access(
        review="TikTok reviews the developer and the app (API for Business, permissions of the "
        "group TikTok Accounts), also for an account of your own.",
        shortest="An app of your own in the portal of the API for Business, with Account User, Get "
        "Account Media and Get Account Comment only. An app of developers.tiktok.com (Login Kit) "
        "reads no comments at all.",
    ),
    in_short=terms.InShort(
        credential="access and refresh token, or consent",
        answers="a comment of our account below the item, or one in the same conversation that "
        "names its author",
        idle_poll="1 request, and 1 an hour for comments elsewhere",
        hundred=timedelta(minutes=30),
        limit="600 requests a minute for all accounts of one app, 40 for each account and list",
    ),
    oauth=oauth.OAuth(
        scopes=account.RIGHTS,
        scopes_of=lambda settings: settings.needed,
        endpoints=account.endpoints,
        accounts=account.accounts,
        exchange=account.exchange,
        ends_with_slash=True,
        pkce=False,
        scope_separator=",",
        client_field="client_key",
        chosen=("business_id",),
        # Else somebody who has allowed it before comes back without a code.
        extra={"disable_auto_auth": "1"},
    ),
)
