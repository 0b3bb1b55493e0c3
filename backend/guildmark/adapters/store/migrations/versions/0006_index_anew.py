"""The index read anew: machines' keys, proposed controllers and names are found by it now."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forget what was read of the chain; the next command reads it again."""
    op.execute(sa.text("DELETE FROM facts"))
    op.execute(sa.text("DELETE FROM cursor"))
