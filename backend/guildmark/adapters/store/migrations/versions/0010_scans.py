"""How often each label was scanned, without who scanned it."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the scans, and what outlives them."""
    op.create_table(
        "scans",
        sa.Column("log", whole(), primary_key=True),
        sa.Column("entry", whole(), primary_key=True),
        sa.Column("hour", whole(), primary_key=True),
        sa.Column("country", sa.Text, primary_key=True),
        sa.Column("network", sa.Text, primary_key=True),
        sa.Column("times", whole(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("scans_by_hour", "scans", ["hour"])
    op.create_table(
        "scanned",
        sa.Column("log", whole(), primary_key=True),
        sa.Column("entry", whole(), primary_key=True),
        sa.Column("first", whole(), nullable=False),
        sa.Column("times", whole(), nullable=False),
        sqlite_with_rowid=False,
    )
