"""What passes prove: entries above a gap, polls that never ended, absence, who we were."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = (
    ("source", "leased_at"),
    ("source", "left_at"),
    ("source", "us_changed"),
    ("gap", "entries"),
    ("item", "unverified_passes"),
    ("reply", "stream"),
)


def _time() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    op.add_column("source", sa.Column("leased_at", _time(), nullable=True))
    op.add_column("source", sa.Column("left_at", _time(), nullable=True))
    op.add_column(
        "source",
        sa.Column("us_changed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("gap", _number("entries"))
    op.add_column("item", _number("unverified_passes"))
    op.add_column("reply", sa.Column("stream", sa.String(length=60), nullable=True))


def downgrade() -> None:
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column)
