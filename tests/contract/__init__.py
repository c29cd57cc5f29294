"""What storage and the services next to it promise, on SQLite and on PostgreSQL alike."""
