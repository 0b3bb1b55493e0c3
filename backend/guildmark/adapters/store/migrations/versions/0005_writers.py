"""Who signs with a key at present; attempts that only take a transaction back."""

import sqlalchemy as sa
from alembic import op

from guildmark.adapters.store.schema import whole

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an owner to each key, whom none has yet, and say that no attempt cancels."""
    op.add_column("nonces", sa.Column("owner", sa.String))
    op.add_column("nonces", sa.Column("token", whole(), nullable=False, server_default="0"))
    op.add_column("nonces", sa.Column("until", whole(), nullable=False, server_default="0"))
    cancels = sa.Column("cancels", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("attempts", cancels)
