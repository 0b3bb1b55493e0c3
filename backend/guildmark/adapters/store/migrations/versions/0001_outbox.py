"""The outbox: what is signed and not yet final."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the outbox's tables."""
    op.create_table(
        "transactions",
        sa.Column("number", whole(), primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("idempotency", sa.String, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("sender", sa.LargeBinary, nullable=False),
        sa.Column("contract", sa.String, nullable=False),
        sa.Column("function", sa.String, nullable=False),
        sa.Column("target", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("gas", whole()),
        sa.Column("nonce", whole()),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("changed", whole(), nullable=False),
        sa.Column("hash", sa.LargeBinary),
        sa.Column("block_number", whole()),
        sa.Column("block_hash", sa.LargeBinary),
        sa.Column("block_time", whole()),
        sa.Column("gas_used", whole()),
        sa.Column("logs", sa.Text),
        sa.Column("code", sa.String),
        sa.Column("reason", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("transactions_by_state", "transactions", ["state"])
    op.create_table(
        "attempts",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("transaction", whole(), sa.ForeignKey("transactions.number"), nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("nonce", whole(), nullable=False),
        sa.Column("gas", whole(), nullable=False),
        sa.Column("max_fee", sa.String, nullable=False),
        sa.Column("priority", sa.String, nullable=False),
        sa.Column("at", whole(), nullable=False),
    )
    op.create_index("attempts_by_transaction", "attempts", ["transaction"])
    op.create_table(
        "nonces",
        sa.Column("chain_id", sa.BigInteger, primary_key=True),
        sa.Column("sender", sa.LargeBinary, primary_key=True),
        sa.Column("next", whole(), nullable=False),
    )
