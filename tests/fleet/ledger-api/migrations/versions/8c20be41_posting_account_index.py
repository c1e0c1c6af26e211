"""find postings by account"""
from alembic import op

revision = "8c20be41"
down_revision = "5b77d1e8"


def upgrade():
    op.execute("""
        CREATE INDEX posting_account ON posting (account)
    """)


def downgrade():
    op.execute("""
        DROP INDEX posting_account
    """)
