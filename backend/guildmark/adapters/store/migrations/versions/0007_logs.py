"""The logs that facts follow from, and the blocks that hold them."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; the next command reads the chain again to fill them."""
    op.create_table(
        "blocks",
        sa.Column("number", whole(), primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("time", whole(), nullable=False),
    )
    op.create_table(
        "logs",
        sa.Column("block", whole(), primary_key=True),
        sa.Column("log_index", whole(), primary_key=True),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("topics", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("transaction", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(sa.text("DELETE FROM facts"))
    op.execute(sa.text("DELETE FROM cursor"))
