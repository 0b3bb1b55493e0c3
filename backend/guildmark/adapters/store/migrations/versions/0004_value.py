"""How much native coin goes with a transaction, in wei: too large for an integer."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the value, which was nothing so far."""
    op.add_column("transactions", sa.Column("value", sa.String, nullable=False, server_default="0"))
