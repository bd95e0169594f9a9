"""The world, the server and the user of the end-to-end tests."""

from __future__ import annotations

from tests.e2e.conftest import birds, news, nursery, server, user, world

__all__ = ["birds", "news", "nursery", "server", "user", "world"]
