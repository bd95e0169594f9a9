"""The plot of a comparison: requests a week against mean delay, as SVG written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import floor, log10

from freshwax.replay.scores import Scores
from freshwax.reports.escape import visible

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 50, 60
# Distinguishable for the colour-blind, too (Okabe and Ito); the shapes of the points tell them apart in print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
TICKS = 5


def plot(scores: Sequence[Scores], title: str) -> str:
    """Return an SVG of the comparison: a line a policy, a point a budget."""
    points = [(one.policy, one.weekly, one.delay.mean) for one in scores]
    drawn = [(policy, x, y) for policy, x, y in points if y is not None]
    wide = _round_up(max((x for _, x, _ in drawn), default=1.0))
    high = _round_up(max((y for _, _, y in drawn), default=1.0))
    body = [*_frame(title, wide, high)]
    for number, policy in enumerate(dict.fromkeys(policy for policy, _, _ in drawn)):
        own = sorted((_x(x, wide), _y(y, high)) for name, x, y in drawn if name == policy)
        body += _line(policy, own, COLOURS[number % len(COLOURS)], number)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
    style = 'font-family="sans-serif" font-size="13" fill="#222">'
    return "\n".join([head + style, *body, "</svg>"]) + "\n"


def _frame(title: str, wide: float, high: float) -> Iterable[str]:
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    yield _text(LEFT, 28, title, 'font-size="16"')
    for step in range(TICKS + 1):
        x, y = wide * step / TICKS, high * step / TICKS
        yield f'<path d="M{LEFT} {_y(y, high):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield _text(_x(x, wide), HEIGHT - BOTTOM + 20, f"{x:g}", 'text-anchor="middle"')
        yield _text(LEFT - 8, _y(y, high) + 4, f"{y:g}", 'text-anchor="end"')
    yield f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="#222" fill="none"/>'
    yield _text(middle, HEIGHT - 16, "requests a week", 'text-anchor="middle"')
    upright = f'text-anchor="middle" transform="rotate(-90 20 {HEIGHT / 2:.0f})"'
    yield _text(20, HEIGHT / 2, "mean delay, days", upright)


def _line(policy: str, points: Sequence[tuple[float, float]], colour: str, number: int) -> Iterable[str]:
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in points:
        yield _point(x, y, colour, number)
    x, y = WIDTH - RIGHT + 20, TOP + 20 * number + 10
    yield _point(x, y, colour, number)
    yield _text(x + 14, y + 4, policy)


def _point(x: float, y: float, colour: str, number: int) -> str:
    shapes = ("M-4 -4H4V4H-4Z", "M0 -5L5 4H-5Z", "M0 -5L5 0L0 5L-5 0Z", "M0 5L5 -4H-5Z", "M-5 -2H5V2H-5Z")
    return f'<path d="{shapes[number % len(shapes)]}" transform="translate({x:.1f} {y:.1f})" fill="{colour}"/>'


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(visible(text))}</text>'


def _x(value: float, wide: float) -> float:
    return LEFT + value / wide * (WIDTH - LEFT - RIGHT)


def _y(value: float, high: float) -> float:
    return HEIGHT - BOTTOM - value / high * (HEIGHT - TOP - BOTTOM)


def _round_up(value: float) -> float:
    """Return the next value that five even steps reach legibly: 1, 2, 2.5, 5 or 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= value * 0.999999)
