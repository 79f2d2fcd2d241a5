"""How long platforms let us keep texts: by when each must be read again, and when it was wiped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_KEPT = sa.text("keep_until IS NOT NULL")
_GONE = {
    "item": ("platform", sa.text("status = 'removed' AND wiped_at IS NULL")),
    "reply": ("source_id", sa.text("removed_at IS NOT NULL AND wiped_at IS NULL")),
}


def upgrade() -> None:
    moment = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
    for table, (owner, gone) in _GONE.items():
        for name in ("keep_until", "wiped_at"):
            op.add_column(table, sa.Column(name, moment, nullable=True))
        op.create_index(
            f"ix_{table}_keep", table, ["keep_until", "id"],
            sqlite_where=_KEPT, postgresql_where=_KEPT,
        )  # fmt: skip
        op.create_index(
            f"ix_{table}_to_wipe", table, [owner, "id"],
            sqlite_where=gone, postgresql_where=gone,
        )  # fmt: skip


def downgrade() -> None:
    for table in _GONE:
        op.drop_index(f"ix_{table}_to_wipe", table)
        op.drop_index(f"ix_{table}_keep", table)
        for name in ("wiped_at", "keep_until"):
            op.drop_column(table, name)
