"""A source's column for the right to renew its credential."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
    op.add_column("source", sa.Column("renewing_until", moment, nullable=True))


def downgrade() -> None:
    op.drop_column("source", "renewing_until")
