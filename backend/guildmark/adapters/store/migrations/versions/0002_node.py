"""The node: index, own log, documents."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of index, log and documents."""
    _make_index()
    _make_batches()
    _make_queue()


def _make_index() -> None:
    op.create_table(
        "facts",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cursor",
        sa.Column("number", whole(), primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("time", whole(), nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def _make_batches() -> None:
    op.create_table(
        "batches",
        sa.Column("number", whole(), primary_key=True),
        sa.Column("log", whole(), nullable=False),
        sa.Column("seq", whole(), nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("draws", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("batches_by_place", "batches", ["log", "seq"])
    op.create_index("batches_by_state", "batches", ["state"])


def _make_queue() -> None:
    op.create_table(
        "queue",
        sa.Column("number", whole(), primary_key=True),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("kind", whole(), nullable=False),
        sa.Column("subject", sa.LargeBinary, nullable=False),
        sa.Column("site_recipe", sa.LargeBinary, nullable=False),
        sa.Column("machine", sa.LargeBinary, nullable=False),
        sa.Column("maker", sa.LargeBinary, nullable=False),
        sa.Column("dependencies", sa.LargeBinary, nullable=False),
        sa.Column("previous", whole(), nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("lane", whole(), nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("counter", whole(), nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("batch", whole(), sa.ForeignKey("batches.number")),
        sa.Column("position", whole()),
        sa.Column("log_index", whole()),
        sa.Column("unit", whole()),
        sa.Column("code", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index("queue_by_digest", "queue", ["digest"])
    op.create_index("queue_by_payload", "queue", ["payload"])
    op.create_index("queue_by_counter", "queue", ["machine", "counter"])
    op.create_index("queue_by_label", "queue", ["label"])
    op.create_index("queue_by_lane", "queue", ["lane", "state"])
    op.create_index("queue_by_batch", "queue", ["batch", "position"])
