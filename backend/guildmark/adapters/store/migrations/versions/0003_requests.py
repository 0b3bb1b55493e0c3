"""The names that clients give their requests."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of requests."""
    op.create_table(
        "requests",
        sa.Column("name", sa.LargeBinary, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("at", whole(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("requests_by_time", "requests", ["at"])
