"""Self-service at work: flows, their sessions, what they say and send, and what is known of them."""
