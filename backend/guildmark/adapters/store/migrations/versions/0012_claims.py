"""Who claimed a part first, by the hidden code of its label."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the claims."""
    op.create_table(
        "claims",
        sa.Column("log", whole(), primary_key=True),
        sa.Column("entry", whole(), primary_key=True),
        sa.Column("claimant", sa.LargeBinary, nullable=False),
        sa.Column("at", whole(), nullable=False),
        sqlite_with_rowid=False,
    )
