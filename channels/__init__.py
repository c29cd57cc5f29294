"""Channels: each translates one provider into the hub's words and back, and knows nothing else of the hub."""
