"""What a receiver gets: a CloudEvents 1.0 document in JSON, structured mode."""

from __future__ import annotations

import msgspec

from app.clock import Stamp
from app.outbox.schemas import EventOut

_encoder = msgspec.json.Encoder()


class Data(msgspec.Struct, kw_only=True):
    """The event, and the item as it is at the moment of sending (`null`: none, or gone)."""

    event: EventOut | None
    item: msgspec.Raw | None


class Message(msgspec.Struct, kw_only=True):
    """`id` is also the header `webhook-id`; `sequence` sorts as text (CloudEvents extension)."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    time: Stamp
    subject: str | None
    datacontenttype: str = "application/json"
    sequence: str | None
    data: Data


def body_of(source: str, event: EventOut, item: msgspec.Struct | None) -> bytes:
    """The body about an event. `source` names this installation."""
    about = None if event.item_id is None else f"items/{event.item_id}"
    if about is None and event.source_id is not None:
        about = f"sources/{event.source_id}"
    shown = None if item is None else msgspec.Raw(_encoder.encode(item))
    return _encoded(
        Message(
            id=event.id,
            source=source,
            type=event.type,
            time=event.at,
            subject=about,
            sequence=f"{event.seq:019d}",
            data=Data(event=event, item=shown),
        )
    )


def body_of_test(source: str, message_id: str, at: Stamp) -> bytes:
    """The body of `webhook.test`, which is about nothing."""
    return _encoded(
        Message(
            id=message_id,
            source=source,
            type="webhook.test",
            time=at,
            subject=None,
            sequence=None,
            data=Data(event=None, item=None),
        )
    )


def _encoded(message: Message) -> bytes:
    """Without the attributes that are null: CloudEvents has none of those."""
    fields = {
        name: getattr(message, name)
        for name in Message.__struct_fields__
        if getattr(message, name) is not None
    }
    return _encoder.encode(fields)
