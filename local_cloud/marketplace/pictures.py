"""Product pictures: small SVGs that tell a high-top from a hoodie, and a brand by its colours and mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

_INK: Final = "#2b2b2b"

_SOLED: Final = {
    # body, sole, and where the brand's mark goes (x, y, size)
    "low": (
        "M14 62C14 50 18 42 26 40C31 46 40 47 46 42C56 52 70 55 90 57C101 58 106 62 106 68L14 68Z",
        "M12 66H107C109 72 106 76 100 76H18C13 76 11 71 12 66Z",
        (58, 58, 7),
    ),
    "runner": (
        "M12 58C12 46 18 38 26 36C30 43 38 44 44 38C56 50 74 51 94 56C104 58 108 62 108 66L14 66Z",
        "M8 62C30 68 80 62 110 64C112 71 104 77 96 77H24C14 77 8 72 8 62Z",
        (56, 54, 8),
    ),
    "vulc": (
        "M14 62C14 46 20 40 30 38C36 46 44 48 50 43C60 54 78 56 96 57C105 58 107 61 107 64L14 64Z",
        "M12 60C40 64 80 64 108 60V75H14C12 72 11 65 12 60Z",
        (30, 51, 7),
    ),
    "loafer": (
        "M16 66C13 52 18 43 28 40C38 46 50 46 60 44C76 44 94 54 104 60C107 62 108 64 108 67Z",
        "M14 65H109V70H46V78H16ZM54 45C62 40 72 43 76 49L66 53C62 49 58 47 54 45Z",
        (38, 55, 6),
    ),
    "high": (
        "M20 68V18C28 14 40 14 46 18L48 36C56 50 70 54 90 57C101 58 106 62 106 68Z",
        "M16 66H107C109 73 106 77 100 77H22C16 77 15 72 16 66Z",
        (34, 44, 9),
    ),
    "boot": (
        "M22 66V12H52L54 36C64 42 84 44 98 50C105 53 107 60 107 66Z",
        "M18 64H108V72L102 72L102 77L94 77L94 72H84V77H76V72H64V77H56V72H44V77H36V72H28V77H20V72H18Z",
        (38, 34, 9),
    ),
    "slide": (
        "M36 66C38 46 52 38 70 44C82 48 88 56 88 66L74 66C70 56 56 54 52 66Z",
        "M10 64C30 60 44 66 60 66C82 66 96 62 110 66C112 74 106 77 98 77H20C12 77 8 71 10 64Z",
        (66, 52, 6),
    ),
}

_CLOTH: Final = {
    # body, a trim in the second colour, mark
    "tee": (
        "M40 16C46 24 74 24 80 16L108 28L100 46L88 41V80H32V41L20 46L12 28Z",
        "M40 16C46 24 74 24 80 16L75 14C70 20 50 20 45 14Z",
        (60, 46, 11),
    ),
    "hoodie": (
        "M42 20C44 6 76 6 78 20L104 30L112 72L98 75L90 46V82H30V46L22 75L8 72L16 30Z",
        "M42 20C46 34 74 34 78 20C74 10 46 10 42 20ZM44 64H76L82 82H38Z",
        (60, 48, 9),
    ),
    "cap": (
        "M22 58C20 30 40 18 60 18C82 18 94 36 92 56C70 50 44 50 22 58Z",
        "M56 54C76 50 98 52 114 64C116 70 108 72 100 69C84 64 68 62 54 64Z",
        (54, 37, 10),
    ),
    "bag": (
        "M32 30C32 20 88 20 88 30L94 80C94 84 26 84 26 80Z",
        "M46 26C46 4 74 4 74 26L69 26C69 12 51 12 51 26ZM30 56H90L91 64H29Z",
        (60, 43, 9),
    ),
}

SILHOUETTES: Final = (*_SOLED, *_CLOTH)
MARKS: Final = ("stripes", "star", "wave", "chevron", "dot", "bolt", "ring", "cross")


@dataclass(frozen=True)
class Colours:
    """Of one product, as `#rrggbb`: its body, its trim, the brand's mark on the body, and what it lies on."""

    body: str
    trim: str
    mark: str
    ground: str


def draw(silhouette: str, mark: str, colours: Colours, *, title: str) -> str:
    """An SVG of 120 x 90 units, as text.

    :param silhouette: one of SILHOUETTES.
    :param mark: the brand's sign, one of MARKS.
    :param title: what a screen reader says; plain text.
    """
    body, second, place = (_SOLED | _CLOTH)[silhouette]
    title = title.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 90"><title>{title}</title>'
        f'<rect width="120" height="90" rx="6" fill="{colours.ground}"/>'
        f'<g stroke="{_INK}" stroke-width="1.5" stroke-linejoin="round">'
        f'<path d="{body}" fill="{colours.body}"/><path d="{second}" fill="{colours.trim}"/></g>'
        f"{_details(silhouette)}{_mark(mark, place, colours.mark)}</svg>"
    )


def data_uri(svg: str) -> str:
    """As an <img> takes it; percent-encoded, which is shorter than base64 and can be read."""
    return "data:image/svg+xml," + quote(svg, safe=" =:/'(),;").replace("%22", "'")


def _details(silhouette: str) -> str:
    """Laces of what is laced, so that a shoe reads as one at 60 pixels."""
    laces = {"low": (50, 46), "runner": (49, 43), "vulc": (55, 48), "high": (49, 36), "boot": (54, 32)}.get(
        silhouette
    )
    if laces is None:
        return ""
    x, y = laces
    lines = "".join(f"M{x + 6 * step} {y + 3 * step}l5 -5" for step in range(3))
    return f'<path d="{lines}" stroke="#fff" stroke-width="2.5" stroke-linecap="round" fill="none"/>'


def _mark(mark: str, place: tuple[int, int, int], colour: str) -> str:
    x, y, size = place
    shape = {
        "stripes": '<path d="M-9 8L-3 -8M-2 8L4 -8M5 8L11 -8" fill="none" stroke-width="4"/>',
        "star": '<path d="M0 -10L3 -3L10 -3L4.5 2L6.5 9L0 5L-6.5 9L-4.5 2L-10 -3L-3 -3Z"/>',
        "wave": '<path d="M-11 3C-6 -9 -1 -5 1 0S7 6 11 -4" fill="none" stroke-width="4.5"/>',
        "chevron": '<path d="M-10 -6L0 3L10 -6M-10 2L0 11L10 2" fill="none" stroke-width="4"/>',
        "dot": '<circle r="8"/>',
        "bolt": '<path d="M3 -11L-7 2H-1L-3 11L7 -2H1Z"/>',
        "ring": '<circle r="7.5" fill="none" stroke-width="4"/>',
        "cross": '<path d="M-8 -8L8 8M-8 8L8 -8" fill="none" stroke-width="4.5"/>',
    }[mark]
    return (
        f'<g transform="translate({x} {y}) scale({size / 11:.2f})" fill="{colour}" stroke="{colour}" '
        f'stroke-linecap="round" stroke-linejoin="round">{shape}</g>'
    )
