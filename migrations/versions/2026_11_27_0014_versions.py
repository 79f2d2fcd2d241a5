"""Labels and saved filters have versions, so that If-Match holds for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("label", "view")


def upgrade() -> None:
    for table in TABLES:
        version = sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False)
        op.add_column(table, version)


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "version")
