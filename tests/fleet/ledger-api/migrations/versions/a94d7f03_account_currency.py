"""accounts have a currency"""
from alembic import op

revision = "a94d7f03"
down_revision = "8c20be41"


def upgrade():
    op.execute("""
        ALTER TABLE account ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR'
    """)


def downgrade():
    op.execute("""
        ALTER TABLE account DROP COLUMN currency
    """)
