"""Reports as text: types in, strings out. ``render`` is the entry."""

from freshwax.reports.columns import ARTISTS, RELEASES, RUNS
from freshwax.reports.render import LIST_FORMATS, REPORT_FORMATS, render, render_list
from freshwax.reports.summary import failed_note, gone_note, held_note, paused_note, summary

__all__ = [
    "ARTISTS",
    "LIST_FORMATS",
    "RELEASES",
    "REPORT_FORMATS",
    "RUNS",
    "failed_note",
    "gone_note",
    "held_note",
    "paused_note",
    "render",
    "render_list",
    "summary",
]
