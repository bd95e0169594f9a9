"""Spotify, as it is in 2026."""
