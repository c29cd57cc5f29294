"""Storage: one small interface, two hand-written back ends (SQLite, PostgreSQL), SQL kept here and nowhere else."""
