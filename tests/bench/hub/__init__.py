"""The hub as its users meet it: `hub serve` in a process of its own, spoken to by its real protocols."""
