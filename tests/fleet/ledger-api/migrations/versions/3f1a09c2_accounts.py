"""accounts"""
from alembic import op

revision = "3f1a09c2"
down_revision = None


def upgrade():
    op.execute("""
        CREATE TABLE account (
            name text PRIMARY KEY,
            opened_at timestamptz NOT NULL DEFAULT now()
        )
    """)


def downgrade():
    op.execute("""
        DROP TABLE account
    """)
