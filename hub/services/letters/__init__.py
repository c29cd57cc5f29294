"""Letters: written, kept in the outbox, handed to their channels, and what is reported of them."""
