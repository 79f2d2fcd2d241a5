"""Whose quota a source uses, where several share one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("source", sa.Column("allowance", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("source", "allowance")
