"""What raters are asked, and what they may answer.

The paper asked four questions and says that the answers agree with SA, NSD and TA; their wording and the fourth are in
an appendix that we did not have. So the words are ours, and there is one question for each of the three measures.
"""

from __future__ import annotations

QUESTIONS = {
    "subject": "Which picture keeps the subject of the references better?",
    "surroundings": "Which picture shows less of what is around the subject in the references?",
    "prompt": "Which picture does better what was asked for?",
}
SIDES = ("A", "B")
UNSURE = "cannot tell"
ANSWERS = (*SIDES, UNSURE)
SIMULATED = "simulated"  # how a rater's name begins who is a program
