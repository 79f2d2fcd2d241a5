"""Tables of the audit trail, whose rows triggers keep as they were written."""

from __future__ import annotations

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, String, Table, event

from app.db import Id, JsonType, UtcTime, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("actor_kind", String(20), nullable=False),  # user, token, session, local, nobody
    Column("actor_id", BigInteger),  # counts within its kind
    Column("actor_name", String(200), nullable=False),
    Column("token_id", BigInteger),
    Column("session_id", BigInteger),
    Column("address", String(100)),  # of the network
    Column("request_id", String(64)),
    Column("operation", String(100), nullable=False),  # an operationId, or a command
    Column("outcome", String(20), nullable=False),  # done, denied, refused
    Column("answer_status", Integer),  # HTTP; null: done, or no request
    Column("object", String(100)),  # like item:5
    Column("source_id", BigInteger),
    Column("before_hash", String(64)),
    Column("after_hash", String(64)),
    Column("details", JsonType, nullable=False),
    Index("ix_audit_actor", "actor_kind", "actor_id", "id"),
    Index("ix_audit_object", "object", "id"),
    Index("ix_audit_operation", "operation", "id"),
    Index("ix_audit_at", "at"),
    sqlite_autoincrement=True,
)

audit_end = Table(
    "audit_end",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The trigger lets rows up to here be deleted: those whose time is over.
    Column("forgotten", BigInteger, nullable=False),
)

_KEPT_ON_SQLITE = (
    """
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
""",
    """
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
WHEN OLD.id > COALESCE((SELECT forgotten FROM audit_end WHERE id = 1), 0)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
""",
)
_KEPT_ON_POSTGRESQL = (
    """
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE'
     AND OLD.id <= COALESCE((SELECT forgotten FROM audit_end WHERE id = 1), 0) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit trail is append-only';
END
$$
""",
    """
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_stays()
""",
)

for _dialect, _statements in (("sqlite", _KEPT_ON_SQLITE), ("postgresql", _KEPT_ON_POSTGRESQL)):
    for _statement in _statements:
        event.listen(audit, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]  # theirs
