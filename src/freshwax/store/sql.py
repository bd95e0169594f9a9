"""SQL lives in ``queries/*.sql``: blocks headed ``-- name: x``, read once, at the first use."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "queries"
_HEAD = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


@cache
def queries() -> dict[str, str]:
    """Return every query by name, ``{fragment}`` replaced by the block of that name in ``fragments.sql``."""
    fragments = _blocks((FOLDER / "fragments.sql").read_text("utf-8"))
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.sql")):
        for name, text in _blocks(path.read_text("utf-8")).items():
            if name in found:
                raise ValueError(f"two queries are named {name}")
            found[name] = text.format_map(fragments) if "{" in text else text
    return found


def _blocks(text: str) -> dict[str, str]:
    """Split a file into its blocks; comment lines between and above them are dropped."""
    _, *parts = _HEAD.split(text)
    return {name: _COMMENT.sub("", body).strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
