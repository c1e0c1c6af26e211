"""transactions and postings"""
from alembic import op

revision = "5b77d1e8"
down_revision = "3f1a09c2"


def upgrade():
    op.execute("""
        CREATE TABLE transaction (
            reference text PRIMARY KEY,
            posted_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE posting (
            reference text NOT NULL REFERENCES transaction,
            account text NOT NULL REFERENCES account,
            cents bigint NOT NULL CHECK (cents <> 0)
        )
    """)


def downgrade():
    op.execute("""
        DROP TABLE posting;
        DROP TABLE transaction
    """)
