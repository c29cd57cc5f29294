"""Mails as the world sends them."""
