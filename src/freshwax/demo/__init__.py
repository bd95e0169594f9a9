"""A world of invented artists through time, and a Spotify-shaped server that serves it."""
