"""What the topics of the memory store share."""

from __future__ import annotations

from tests.memory_store.state import State


class Part:
    """One topic of the store, on shared dictionaries."""

    def __init__(self) -> None:
        self._state = State()
