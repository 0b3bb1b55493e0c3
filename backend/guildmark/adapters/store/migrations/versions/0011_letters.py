"""Letters: who wants to hear of recalls, what was told, what waits to be sent."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "watches",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "told",
        sa.Column("recall", sa.String, primary_key=True),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("told_by_stage", "told", ["stage"])
    op.create_table(
        "letters",
        sa.Column("number", whole(), primary_key=True),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("watch", sa.String, nullable=False),
        sa.Column("recall", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("due", whole(), nullable=False),
        sa.Column("tries", whole(), nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("until", whole(), nullable=False, server_default="0"),
        sa.UniqueConstraint("watch", "id"),
        sqlite_autoincrement=True,
    )
    op.create_index("letters_by_state", "letters", ["state", "due"])
    op.create_index("letters_by_recall", "letters", ["watch", "recall", "state"])
