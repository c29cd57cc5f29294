"""Numbers of the journal on PostgreSQL: drawn so that a reader can tell whether a smaller one may still appear."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Transactions do not draw the journal's numbers in the order in which they got their own: of two that run at once the
# older may draw last and commit first. So an event does not tell its own transaction but the newest of all that have
# drawn up to now; once every transaction up to that one has ended, no smaller number can still appear. `journal_tx`
# is a sequence because that is seen at once by everybody, committed or not.
_POSTGRESQL = (
    "CREATE SEQUENCE journal_tx MINVALUE 0 START 0",
    """
    CREATE FUNCTION journal_numbers(wanted bigint, OUT first bigint, OUT tx bigint) LANGUAGE plpgsql AS $$
    BEGIN
      tx := pg_current_xact_id()::text::bigint;
      PERFORM pg_advisory_lock(7462951039);
      tx := greatest(tx, (SELECT last_value FROM journal_tx));
      PERFORM setval('journal_tx', tx);
      first := nextval(pg_get_serial_sequence('journal', 'seq'));
      PERFORM setval(pg_get_serial_sequence('journal', 'seq'), first + wanted - 1);
      PERFORM pg_advisory_unlock(7462951039);
    END $$
    """,
    "ALTER TABLE journal ALTER COLUMN tx SET DEFAULT 0",
)


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRESQL:
            op.execute(statement)
