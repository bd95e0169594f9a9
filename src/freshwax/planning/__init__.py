"""Whom to check, and in which order: pure."""
