"""What captions.json holds: the kinds of bias, and the paper's four kinds of description."""

from __future__ import annotations

CAPTIONS = "captions.json"
BIASES = ("background", "nearby", "tied", "substance", "pose")  # what leaks into [v] (section 3.1)
WRITTEN_CASES = (1, 2, 3, 4)  # of Table 1; `sidkit.describe.cases` says what they are
USUAL_CASE = 1  # the class alone, as most people caption
SID_CASE = 3  # the paper's; a caption that is only a text is of this case
