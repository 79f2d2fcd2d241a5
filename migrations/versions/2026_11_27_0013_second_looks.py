"""What the platform counts below a parent and does not show; marks of passes over several polls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SOME = sa.text("unaccounted > 0")


def upgrade() -> None:
    moment = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
    for name in ("unaccounted", "counter_reads"):
        column = sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
        op.add_column("watched", column)
    op.create_index(
        "ix_watched_unaccounted",
        "watched",
        ["stream_id"],
        sqlite_where=_SOME,
        postgresql_where=_SOME,
    )
    for table in ("item", "reply"):
        op.add_column(table, sa.Column("shown_in_pass", moment, nullable=True))


def downgrade() -> None:
    for table in ("reply", "item"):
        op.drop_column(table, "shown_in_pass")
    op.drop_index("ix_watched_unaccounted", "watched")
    for name in ("counter_reads", "unaccounted"):
        op.drop_column("watched", name)
