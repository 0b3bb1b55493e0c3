"""The index read anew: since when each owner has a design is found by it now."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forget what was read of the chain; the next command reads it again."""
    op.execute(sa.text("DELETE FROM facts"))
    op.execute(sa.text("DELETE FROM cursor"))
    op.execute(sa.text("DELETE FROM logs"))
    op.execute(sa.text("DELETE FROM blocks"))
