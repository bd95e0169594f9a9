"""What a service can get wrong in a list of releases while it answers with 200 and JSON."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from freshwax.demo.effects import Effect
from freshwax.demo.shapes import Json
from freshwax.demo.world import WorldRelease


@dataclass(frozen=True, slots=True)
class WrongTotal(Effect):
    """``total`` is off by so many."""

    by: int

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "total": page["total"] + self.by} if "total" in page else page


@dataclass(frozen=True, slots=True)
class ShortPages(Effect):
    """Pages lack their last items; ``next`` and ``total`` are as if they had them."""

    hide: int = 2

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "items": page["items"][: max(0, len(page["items"]) - self.hide)]}


@dataclass(frozen=True, slots=True)
class Hidden(Effect):
    """Certain releases are counted, but not shown."""

    ids: frozenset[str]

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "items": [item for item in page["items"] if not item or item.get("id") not in self.ids]}


@dataclass(frozen=True, slots=True)
class EmptyPages(Effect):
    """Pages come back empty, yet name a next one."""

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        following = page["href"].replace(f"offset={page['offset']}&", f"offset={page['offset'] + page['limit']}&")
        return {**page, "items": [], "next": page["next"] or following}


@dataclass(frozen=True, slots=True)
class Shuffled(Effect):
    """The listing has no order; the same seed gives the same disorder."""

    seed: int = 0

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:
        """See ``Effect``."""
        return random.Random(self.seed).sample(releases, len(releases))


@dataclass(frozen=True, slots=True)
class Interleaved(Effect):
    """Newest first over all groups, instead of one group after the other."""

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:
        """See ``Effect``."""
        return sorted(releases, key=lambda release: release.date.value, reverse=True)


@dataclass(frozen=True, slots=True)
class OldestFirst(Effect):
    """The listing the wrong way round."""

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:
        """See ``Effect``."""
        return releases[::-1]


@dataclass(frozen=True, slots=True)
class Emptied(Effect):
    """The listing comes back without a single entry."""

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:  # noqa: ARG002 - none are kept
        """See ``Effect``."""
        return []


@dataclass(frozen=True, slots=True)
class NullItems(Effect):
    """``null`` stands where items should, at these places of a page."""

    places: tuple[int, ...] = (0,)

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "items": [None if n in self.places else item for n, item in enumerate(page["items"])]}


@dataclass(frozen=True, slots=True)
class NoPageField(Effect):
    """A field of the page is missing, ``total`` or ``next`` or ``items``."""

    name: str

    @property
    def spoils(self) -> bool:  # type: ignore[override]
        """Whether the list itself is missing."""
        return self.name == "items"

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {key: value for key, value in page.items() if key != self.name}


@dataclass(frozen=True, slots=True)
class ItemField(Effect):
    """A field of every item has another value, or is missing where ``gone``."""

    name: str
    value: object = None
    gone: bool = False

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "items": [item and self._changed(item) for item in page["items"]]}

    def _changed(self, item: Json) -> Json:
        kept = {key: value for key, value in item.items() if key != self.name}
        return kept if self.gone else {**kept, self.name: self.value}


@dataclass(frozen=True, slots=True)
class LoopingNext(Effect):
    """The next page of every page is that page itself."""

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "next": page["href"]}


@dataclass(frozen=True, slots=True)
class WronglyTyped(Effect):
    """A field of the page has a value of another type than it ever had."""

    name: str
    value: object = None
    spoils: ClassVar[bool] = True

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, self.name: self.value}
