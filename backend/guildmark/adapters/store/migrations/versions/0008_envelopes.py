"""Envelopes beside the queue: what never changes is not written anew with what does."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move each envelope into a row of its own."""
    op.create_table(
        "envelopes",
        sa.Column("number", whole(), primary_key=True, autoincrement=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )
    op.execute(sa.text("INSERT INTO envelopes SELECT number, envelope FROM queue"))
    op.drop_column("queue", "envelope")
