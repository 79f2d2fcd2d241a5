"""Which counter of a watched thread everything was read at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watched", sa.Column("counter_read", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("watched", "counter_read")
