"""Words, states and allowed moves. No I/O, no framework, no other package of ours."""
