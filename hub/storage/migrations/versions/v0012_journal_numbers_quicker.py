"""Numbers of the journal on PostgreSQL, drawn in half the time: every commit draws some."""

from alembic import op

revision = "0012"
down_revision = "0011"

# As before (revision 0003 says why it is right). The sequence's name is looked up once, here; what `journal_tx` holds
# is asked of the sequence, not of a query; and what would change nothing is not set.
_POSTGRESQL = """
    DO $do$
    BEGIN
      EXECUTE format($create$
        CREATE OR REPLACE FUNCTION journal_numbers(wanted bigint, OUT first bigint, OUT tx bigint)
        LANGUAGE plpgsql AS $$
        DECLARE newest bigint;
        BEGIN
          tx := pg_current_xact_id()::text::bigint;
          PERFORM pg_advisory_lock(7462951039);
          newest := coalesce(pg_sequence_last_value('journal_tx'::regclass), -1);
          IF newest < tx THEN PERFORM setval('journal_tx'::regclass, tx); ELSE tx := newest; END IF;
          first := nextval(%1$L::regclass);
          IF wanted > 1 THEN PERFORM setval(%1$L::regclass, first + wanted - 1); END IF;
          PERFORM pg_advisory_unlock(7462951039);
        END $$
      $create$, pg_get_serial_sequence('journal', 'seq'));
    END $do$
"""


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL)
