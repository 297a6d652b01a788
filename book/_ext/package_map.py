"""`{package-map}`: the rooms of the package as a house, drawn from its imports while the page is built.

Each room leads to its source, and those that it uses light up under the pointer; a table says what each one is for.
`{door-table}` has what `import sidkit` offers.
"""

from __future__ import annotations

import ast
import html
from collections.abc import Iterable
from dataclasses import dataclass, field

from definitions import PACKAGE, definitions, modules, summary
from docutils import nodes
from rooms import Room, depth_of, drawn_uses, rooms
from sources import page_of
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

WIDTH = 800
ROW, BOX = 66, 28  # heights: of a floor, and of the boxes on it
LETTER, PADDING, GAP = 7.6, 8, 14  # widths: of a letter in a box, around its text, between two boxes
LANE = 4  # width of the way of an arrow past a floor
SWEEPS = 12  # over all floors, in which each is put in order by the places of its neighbours


@dataclass(eq=False)
class Spot:
    """A place on a floor: a room, or ("") the way of an arrow past the floor."""

    room: str
    floor: int
    width: float
    x: float = 0.0  # of its middle
    below: list[Spot] = field(default_factory=list)
    above: list[Spot] = field(default_factory=list)

    @property
    def y(self) -> float:
        """Of its middle."""
        return self.floor * ROW + ROW / 2


def spots() -> list[list[Spot]]:
    """The floors from above, each with its spots in order and in place."""
    spot_of = {name: Spot(name, depth_of(name), LETTER * len(name) + 2 * PADDING) for name in sorted(rooms())}
    floors: list[list[Spot]] = [[] for _ in range(max(map(depth_of, rooms())) + 1)]
    for spot in spot_of.values():
        floors[spot.floor].append(spot)
    for name, spot in spot_of.items():
        for used in drawn_uses(name):
            _connect(spot, spot_of[used], floors)
    _arrange(floors)
    return floors


def _connect(user: Spot, used: Spot, floors: list[list[Spot]]) -> None:
    """Lay an arrow down to a room, past the floors between."""
    upper = user
    for floor in range(user.floor + 1, used.floor + 1):
        lower = used if floor == used.floor else Spot("", floor, LANE)
        if lower is not used:
            floors[floor].append(lower)
        upper.below.append(lower)
        lower.above.append(upper)
        upper = lower


def _arrange(floors: list[list[Spot]]) -> None:
    """Put the spots of each floor in the order of the middles of their neighbours, so that few arrows cross."""
    for floor in floors:
        _spread(floor)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for floor in floors if downwards else reversed(floors):
            middles = {spot: _middle(spot, spot.above if downwards else spot.below) for spot in floor}
            floor.sort(key=middles.get)
            _spread(floor)


def _middle(spot: Spot, neighbours: list[Spot]) -> float:
    return sum(other.x for other in neighbours) / len(neighbours) if neighbours else spot.x


def _spread(floor: list[Spot]) -> None:
    """Place the spots of a floor from left to right over the whole width."""
    taken = sum(spot.width for spot in floor)
    gap = min((WIDTH - taken) / (len(floor) + 1), 6 * GAP)
    x = (WIDTH - taken - gap * (len(floor) - 1)) / 2
    for spot in floor:
        spot.x = x + spot.width / 2
        x += spot.width + gap


def drawing(app: Sphinx, page: str) -> str:
    """The map as SVG, whose boxes link to the source pages as seen from a page of the book."""
    floors = spots()
    height = ROW * len(floors)
    all_spots = [spot for floor in floors for spot in floor]
    arrows = [_arrow(spot) for spot in all_spots if spot.room]
    boxes = [_box(app, spot, page) for spot in all_spots if spot.room]
    head = f'<svg class="package-map" viewBox="0 0 {WIDTH} {height}" xmlns="http://www.w3.org/2000/svg">'
    return "\n".join([head, *arrows, *boxes, "</svg>"])


def _arrow(spot: Spot) -> str:
    """The lines from a room to those that it uses, in one path each."""
    paths = []
    for below in spot.below:
        path, last = [f"M{spot.x:.1f},{spot.y + BOX / 2:.1f}"], spot
        upper = spot.y + BOX / 2
        while True:
            lower = below.y - (BOX / 2 if below.room else 0)
            bend = (upper + lower) / 2
            path.append(f"C{last.x:.1f},{bend:.1f} {below.x:.1f},{bend:.1f} {below.x:.1f},{lower:.1f}")
            if below.room:
                break
            last, upper, below = below, lower, below.below[0]
        paths.append(f'<path data-from="{spot.room}" data-to="{below.room}" d="{" ".join(path)}"/>')
    return "\n".join(paths)


def _box(app: Sphinx, spot: Spot, page: str) -> str:
    room = rooms()[spot.room]
    left, top = spot.x - spot.width / 2, spot.y - BOX / 2
    kind = "folder" if room.is_folder else "file"
    name = f"{room.name}/" if room.is_folder else room.name
    return (
        f'<a href="{app.builder.get_relative_uri(page, page_of(room.module))}" class="{kind}" '
        f'data-room="{room.name}" data-uses="{" ".join(sorted(room.uses))}">'
        f"<title>{html.escape(room.purpose)}</title>"
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{spot.width:.1f}" height="{BOX}" rx="6"/>'
        f'<text x="{spot.x:.1f}" y="{spot.y + 4.5:.1f}">{name}</text></a>'
    )


class PackageMap(SphinxDirective):
    """The map and, folded away below it, what each room is for."""

    def run(self) -> list[nodes.Node]:
        figure = f'<div class="package-map-frame" tabindex="0">{drawing(self.env.app, self.env.docname)}</div>'
        return [nodes.raw("", figure, format="html"), *self.parse_text_to_nodes("\n".join(_table(_from_above())))]


def _from_above() -> list[Room]:
    return sorted(rooms().values(), key=lambda room: (depth_of(room.name), room.name))


def _table(ordered: Iterable[Room]) -> list[str]:
    """MyST's lines of a table, a row a room."""
    rows = []
    for room in ordered:
        purpose = room.purpose.replace("|", "\\|")
        rows.append(f"| {{source}}`{room.module.name}` | {purpose} |")
    head = [":::{table} The rooms, from the top of the house to its ground.", ":name: rooms", ":class: stacked", ""]
    return [*head, "| Room | What it is |", "| --- | --- |", *rows, ":::"]


class DoorTable(SphinxDirective):
    """A row for each name of the front door: what it does, and a link to it."""

    def run(self) -> list[nodes.Node]:
        lines = ["| Name | What it does |", "| --- | --- |"]
        for name, room in _offered().items():
            lines.append(f"| {{source}}`{PACKAGE}.{name}` | {summary(modules()[room], name)} |")
        return self.parse_text_to_nodes("\n".join(lines))


def _offered() -> dict[str, str]:
    """The names of the front door in their order, each with its module."""
    table = definitions(modules()[PACKAGE])["_ROOM_OF"]
    return ast.literal_eval(table.value)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("package-map", PackageMap)
    app.add_directive("door-table", DoorTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
