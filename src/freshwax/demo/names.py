"""Invented names of artists and titles of releases, put together from plain words."""

from __future__ import annotations

from freshwax.demo.chance import Dice


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words("""
amber ashen bitter borrowed brass broken candle cedar chalk cobalt copper crooked distant drowsy dusty echoing
empty faded feral folded foreign frozen gentle gilded glass golden half-lit hollow idle inland ivory jagged
kindled late lavender leaden lonesome lucid marble mellow midnight mossy muted narrow northern opal outer
painted paper patient pewter quiet restless rusted salted scarlet second silent silver slow smoky sober southern
spare static stolen sunken tangled tender tidal timber tin unlit upper velvet violet wandering waxen western
winter woven yellow
""")

NOUNS = _words("""
acre almanac anchor arcade atlas attic avenue beacon bell bramble bridge canyon carousel cathedral cinder
circuit cistern comet compass corridor creek curtain daybreak delta drift ember engine estuary ferry field fjord
foundry fountain garden gate glacier granary grove harbour hallway harvest heron hillside horizon island kettle
kingfisher ladder lagoon lantern ledger lighthouse linden machine magnet marsh meadow meridian mill mirror moth
motorway mountain museum nebula needle nocturne observatory orchard origin outpost parade parcel pavilion
pendulum pier plaza prairie quarry radio railway rain reservoir ridge river rooftop sail satellite season shadow
shore signal skyline sparrow spire station stove summit sundial telegraph terrace thicket thread tide timetable
tower tram transit tunnel valley veranda viaduct village window winery yard zenith
""")

FIRST = _words("""
Adela Amparo Anouk Asta Basil Bertil Bruna Caspian Cleo Dagny Delphin Edda Elio Emeka Fenna Florin Freya Gideon
Greta Hadi Halla Ilse Imre Ines Jory Juno Kaito Kalle Lazlo Linnea Lior Maren Mattis Mirela Nadim Nevena Odalys
Oskar Paloma Perrin Quill Rafi Romy Runa Sabela Severin Signe Tamsin Teodor Tove Ulla Veda Viggo Wanda Yara
Yusuf Zelda Zoltan
""")

LAST = _words("""
Abernay Aldercott Arkwell Bellgrove Birkmoor Braithen Calloran Carvelle Dahlquay Dellamere Dunmarrow Eastlake
Ellingrove Fairbrook Farrowdale Feldmark Garrowby Glenhollow Graystone Hallmere Hartwend Hollowell Ivesdale
Jarnvik Kestlebury Kirkmoor Lindvall Lorrimar Marchetta Marlowick Merrowby Northcote Oakenfell Okondera
Ostrander Pellworth Penhallick Quarrell Ravensby Rosenvale Sandmoor Selwick Sorrento-Hale Stonebarrow Tavistern
Thornquist Umberfield Valdemere Vantongeren Wainscott Westerlund Wyndhall Yarrowdene Zabrinsky
""")

SMALL_WORDS = frozenset({"and", "of", "the"})
ODD_TITLES = ("÷", "?", "🌊", "Io", "∞", "1", "x", "...", "&", "No")

HOSTILE = (
    "\x1b[2J\x1b[31mRed Alert\x1b[0m",
    "\x1b]0;owned\x07Window Title",
    '=HYPERLINK("http://127.0.0.1/","Click")',
    "+1+1",
    "@SUM(A1:A9)",
    "-2+3",
    "\u202eEmordnilap\u202c",
    "<script>alert(1)</script>",
    "<b>Bold</b> & \"Quoted\"; 'Single'",
    "Line\nBreak\r\nTab\tEnd",
    "BEGIN:VEVENT\r\nSUMMARY:Injected",
    "Nul\x00Byte",
    "Zero\u200bWidth\ufeff",
    "%s %d {0} ${HOME}",
    "Z̷a̸l̵g̶o̷" * 8,
    "Endless " * 60,
)


def title_case(words: str) -> str:
    """Words with capitals, as titles have them: not on the small words, but on the first."""
    first, *rest = words.split()
    return " ".join((_capital(first), *(word if word in SMALL_WORDS else _capital(word) for word in rest)))


def plural(noun: str) -> str:
    """More than one of a thing."""
    if noun.endswith("y") and noun[-2] not in "aeou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "ch", "sh", "x")) else f"{noun}s"


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def artist_name(dice: Dice) -> str:
    """A name for a person or a band."""
    person = f"{dice.pick(FIRST)} {dice.pick(LAST)}"
    adjective, noun = dice.pick(ADJECTIVES), dice.pick(NOUNS)
    band, bands = title_case(f"{adjective} {noun}"), title_case(f"{adjective} {plural(noun)}")
    forms = ((person, 0.45), (band, 0.3), (f"The {bands}", 0.15), (f"{person} & the {bands}", 0.1))
    return dice.weighted(forms)


def release_title(dice: Dice) -> str:
    """A title for a single or an album."""
    first, second = dice.pick(NOUNS), dice.pick(NOUNS)
    adjective, number = dice.pick(ADJECTIVES), dice.below(98) + 2
    forms = (
        (f"{adjective} {first}", 0.4),
        (f"the {first} and the {second}", 0.1),
        (f"{first} of {plural(second)}", 0.15),
        (f"{number} {plural(first)}", 0.05),
        (f"under the {adjective} {first}", 0.1),
        (f"{first}, {second}", 0.1),
        (f"no {first} tonight", 0.05),
        (f"{adjective} {first} {number}", 0.05),
    )
    return title_case(dice.weighted(forms))


class Titles:
    """Titles for one artist, none twice: two releases are two even to those who know nothing but their titles."""

    def __init__(self, dice: Dice, odd: float, hostile: float) -> None:
        self._dice = dice
        self._odd = odd
        self._hostile = hostile
        self._used: set[str] = set()

    def next(self) -> str:
        """A title that was not given before; now and then an odd one, an empty one, or, if wanted, a hostile one."""
        title = self._draw()
        while title in self._used:
            title = f"{release_title(self._dice)} {len(self._used)}"
        if title:
            self._used.add(title)
        return title

    def _draw(self) -> str:
        if self._dice.chance(self._hostile):
            return self._dice.pick(HOSTILE)
        if self._dice.chance(self._odd):
            return self._dice.pick(("", *ODD_TITLES))
        return release_title(self._dice)
