"""The hub: owns the truth about customers, interactions, agents and offers, and changes it only through services."""
