"""The full-text tables: SQLite's FTS5 (contentless) and PostgreSQL's `tsvector`, under the same tokens.

`words` holds what was said and noted, `names` the customers: few beside millions of messages, and looked for at each
key that is typed. Both hold exactly the tokens of `hub.domain.words` for a document number; what a number stands for
is in `indexed`.
"""

from collections.abc import Sequence
from typing import Literal

from hub.domain.words import Query
from hub.storage.changes import Row
from hub.storage.unit_of_work import UnitOfWork

_MERGE_PAGES = 8
"""Pages of the index that one `tidy` joins, in some 2 ms. Without it each batch leaves one more piece to search."""

_LATEST_LIMIT = 500
_LATEST_PER_HIT = 30
"""How many of the latest texts are looked through for each hit that is wanted, before the index is asked for all."""

_SQLITE = {
    "insert": "INSERT INTO {table}(rowid, tokens) "
    "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($1)",
    # A contentless index of SQLite 3.40 forgets a document only when it is told the tokens it was given.
    "delete": "INSERT INTO {table}({table}, rowid, tokens) "
    "SELECT 'delete', json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($1)",
    "newest": "SELECT rowid FROM {table} WHERE {table} MATCH $1 AND rowid < $2 ORDER BY rowid DESC LIMIT $3",
    "latest": "",
    "tidy": "INSERT INTO {table}({table}, rank) VALUES ('merge', $1)",
    "any_doc": "IN (SELECT value FROM json_each({0}))",
    "pairs": "SELECT substr(value, 1, instr(value, ':') - 1) AS interaction, "
    "CAST(substr(value, instr(value, ':') + 1) AS INTEGER) AS n FROM json_each({0})",
    "number": "CAST(substr({0}, instr({0}, ':') + 1) AS INTEGER)",
}
_POSTGRESQL = {
    "insert": "INSERT INTO {table}(doc, tokens) SELECT doc, array_to_tsvector(string_to_array(tokens, ' ')) "
    "FROM unnest($1::int8[], $2::text[]) AS fresh(doc, tokens)",
    "delete": "DELETE FROM {table} WHERE doc = ANY($1::int8[])",
    # Index first, then order: the planner's other way reads the whole table backwards for a rare word.
    "newest": "WITH hits AS MATERIALIZED (SELECT doc FROM {table} WHERE tokens @@ $1::text::tsquery AND doc < $2) "
    "SELECT doc FROM hits ORDER BY doc DESC LIMIT $3",
    "tidy": "",
    # A common word is among the latest texts often enough; its whole list would take seconds to collect.
    "latest": "SELECT doc FROM (SELECT doc, tokens FROM {table} WHERE doc < $2 ORDER BY doc DESC LIMIT $4) AS recent "
    "WHERE tokens @@ $1::text::tsquery ORDER BY doc DESC LIMIT $3",
    "any_doc": "= ANY({0}::int8[])",
    "pairs": "SELECT split_part(value, ':', 1) AS interaction, split_part(value, ':', 2)::int8 AS n "
    "FROM unnest({0}::text[]) AS value",
    "number": "split_part({0}, ':', 2)::int8",
}


class WordTable:
    """The statements on one of the tables, in the database's own dialect, for use inside a unit of work."""

    def __init__(self, table: Literal["words", "names"], *, is_postgresql: bool) -> None:
        self._is_postgresql = is_postgresql
        self._sql = _POSTGRESQL if is_postgresql else _SQLITE
        self._table = table
        self._insert, self._delete, self._newest, self._latest, self._tidy = (
            self._sql[name].format(table=table) for name in ("insert", "delete", "newest", "latest", "tidy")
        )

    async def insert(self, tx: UnitOfWork, rows: Sequence[tuple[int, str]]) -> None:
        """Add documents: (number, tokens joined by spaces)."""
        if rows:
            await tx.execute(self._insert, *self._columns(rows))

    async def delete(self, tx: UnitOfWork, rows: Sequence[tuple[int, str]]) -> None:
        """Forget documents; `rows` are the numbers and the very tokens they were added with."""
        if rows:
            columns = self._columns(rows)
            await tx.execute(self._delete, columns[0])

    async def tidy(self, tx: UnitOfWork) -> None:
        """Join a few pieces of the index; PostgreSQL does so by itself."""
        if not self._is_postgresql:
            await tx.execute(self._tidy, _MERGE_PAGES)

    async def newest(self, tx: UnitOfWork, wanted: Sequence[Query], *, below: int = 2**62, limit: int) -> list[int]:
        """Return the highest document numbers that match one of the queries, falling."""
        expression = self.expression(wanted)
        if not expression:
            return []
        rows: list[Row] = []
        if self._latest and limit <= _LATEST_LIMIT:
            rows = await tx.fetch(self._latest, expression, below, limit, limit * _LATEST_PER_HIT)
        if len(rows) < limit:
            rows = await tx.fetch(self._newest, expression, below, limit)
        return [int(row[0]) for row in rows]

    def any_doc(self, argument: int) -> str:
        """Return the condition that a number is in the list given as this argument."""
        return self._sql["any_doc"].format(f"${argument}")

    def pairs(self, argument: int) -> str:
        """Return a query that yields (interaction, n) of a list of texts `INTERACTION:n` given as this argument."""
        return self._sql["pairs"].format(f"${argument}")

    def number(self, column: str) -> str:
        """Return the expression for `n` of a column that holds `INTERACTION:n`."""
        return self._sql["number"].format(column)

    def expression(self, wanted: Sequence[Query]) -> str:
        """Return the search expression for any of the queries. Tokens are letters and digits: nothing to escape."""
        alternatives = [self._one(query) for query in wanted if query]
        if len(alternatives) < 2:
            return "".join(alternatives)
        return (" | " if self._is_postgresql else " OR ").join(f"({one})" for one in alternatives)

    def _one(self, query: Query) -> str:
        if self._is_postgresql:
            return " & ".join([f"'{word}'" for word in query.words] + ([f"'{query.prefix}':*"] if query.prefix else []))
        return " AND ".join([f'"{word}"' for word in query.words] + ([f'"{query.prefix}" *'] if query.prefix else []))

    def _columns(self, rows: Sequence[tuple[int, str]]) -> tuple[object, ...]:
        if self._is_postgresql:
            return [doc for doc, _ in rows], [tokens for _, tokens in rows]
        return ([list(row) for row in rows],)
