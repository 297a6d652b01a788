"""What is seen of notebooks that run side by side: a bar of each, and what they say, under their names."""

from __future__ import annotations

import re

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from sidkit.shown import without_orders

MOVES = re.compile(r"\x1b\[[0-9;]*[A-Km]")  # of the cursor, as several bars of tqdm make them, and colours
BAR = re.compile(r"(?P<what>[^|]*?):? *\d+%\|.*\| *(?P<done>\d+)/(?P<all>\d+) \[")  # as tqdm draws one


class Screen(Progress):
    """A bar of the notebooks, below it one of each that runs, and above them whatever else they say."""

    def __init__(self, count: int, console: Console | None = None) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        super().__init__(*columns, console=console or Console(stderr=True))
        self.notebooks = self.add_task("notebooks", total=count)
        self.task_by_name: dict[str, TaskID] = {}

    def show(self, name: str, line: str) -> None:
        """A line that a notebook wrote: a bar of tqdm moves the notebook's own, anything else is printed."""
        line = without_orders(MOVES.sub("", line))
        if not line:
            return
        drawn = BAR.match(line)
        if not drawn:
            self.say(f"{name}: {line}")
            return
        if name not in self.task_by_name:
            self.task_by_name[name] = self.add_task(name)
        description = f"{name}: {drawn['what']}" if drawn["what"] else name
        counts = dict(completed=int(drawn["done"]), total=int(drawn["all"]))
        self.update(self.task_by_name[name], description=description, **counts)

    def say(self, line: str) -> None:
        """A line as it is."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def finish(self, name: str) -> None:
        """A notebook is done: its own bar goes, that of all moves."""
        self.remove(name)
        self.say(f"executed {name}")
        self.advance(self.notebooks)

    @property
    def finished_count(self) -> int:
        """How many notebooks are done."""
        return int(self._tasks[self.notebooks].completed)

    def remove(self, name: str) -> None:
        """The bar of a notebook goes."""
        if name in self.task_by_name:
            self.remove_task(self.task_by_name.pop(name))
