"""How many unanswered each person was given, kept as they change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

FILL = """
INSERT INTO count_assignee (assignee_id, source_id, direct, total)
SELECT assignee_id, source_id, visibility = 'direct', count(*) FROM item
WHERE status = 'unanswered' AND needs_reply AND assignee_id IS NOT NULL
GROUP BY assignee_id, source_id, visibility = 'direct'
"""


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "count_assignee",
        sa.Column("assignee_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", key, nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["source.id"],
            name=op.f("fk_count_assignee_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "assignee_id", "source_id", "direct", name=op.f("pk_count_assignee")
        ),
    )
    op.execute(FILL)


def downgrade() -> None:
    op.drop_table("count_assignee")
