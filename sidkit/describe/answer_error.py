"""What can go wrong between a question to a describer and its description, and what to do about each of it."""

from __future__ import annotations

from typing import Literal, get_args

from sidkit.shown import shown

# What comes of the answer, and so of this picture.
OfAnswer = Literal[
    "refused", "no picture", "only thoughts", "empty", "cut off", "broken", "too long", "off the point", "secret"
]
# What may pass, or may lie in this picture.
OfTry = Literal["failing", "too slow", "too large", "not accepted"]
# What stays as it is, whatever picture is asked about next.
OfAll = Literal[
    "unreachable", "proxy", "address", "key", "forbidden", "quota", "busy", "unknown model", "no vision", "no chat"
]
Kind = OfAnswer | OfTry | OfAll

ADVICE: dict[Kind, str] = {
    "refused": "the model would not describe this picture: describe it by hand in captions.json, or try another model",
    "no picture": "the model saw no picture: take one that can see (a vision model), or look whether the server passes "
    "pictures on",
    "only thoughts": "the model only thought and came to no answer: raise --tokens, or turn its thinking off",
    "empty": "the model said nothing: ask again, or try another model or instruction",
    "cut off": "the answer ran into the limit of tokens: raise it with --tokens",
    "broken": "the answer is not what was asked for: ask again, or try another model, or another --instruction",
    "too long": "an answer of this length is no description: ask again, or try another model",
    "off the point": "the answer does not speak of the subject: ask again, or describe the picture by hand",
    "secret": "the answer has the key in it, which must be in no file: look at what this server does with it",
    "failing": "the server fails: ask again later, or look into its own log",
    "too slow": "no whole answer came in time: give a try more seconds with --timeout, or take a smaller model",
    "too large": "the question with its picture is too large: lower --tokens, take a model with a longer context, or "
    "raise what the server lets in",
    "not accepted": "the server does not accept the question: try another model or instruction, or look into its log",
    "unreachable": "check that the server runs, and its address",
    "proxy": "check the proxy, or leave it out for this address with NO_PROXY",
    "address": "the server has no chat at this address: most have it under /v1",
    "key": "the server refuses the key: export one of this server in OPENAI_API_KEY",
    "forbidden": "the server does not let this key in here: ask for access, or take another model",
    "quota": "there is no credit left for this key: pay, or raise its limit, at the server's",
    "busy": "the server has too many questions: ask again later",
    "unknown model": "the server has no such model: say with --model one that it has",
    "no vision": "the model takes no pictures: say with --model one that can see",
    "no chat": "what answers does not speak OpenAI's protocol: give --base-url the address that does, most often with "
    "/v1 at its end",
}


class AnswerError(ValueError):
    """A question that came to no description. `kind` says in which way.

    `words` are the model's or the server's own. `advice` stands in the place of the usual one of its kind.
    """

    def __init__(self, kind: Kind, words: str = "", advice: str = ""):
        self.kind: Kind = kind
        self.words, self.advice = words, advice
        quoted = f" (it said {shown(words)})" if words else ""
        super().__init__(f"{kind}: {advice or ADVICE[kind]}{quoted}")

    @property
    def for_all(self) -> bool:
        """Whether the next picture would have come to the same."""
        return self.kind in get_args(OfAll)

    @property
    def of_try(self) -> bool:
        """Whether it may have been this picture, or this moment, and the next may fare better."""
        return self.kind in get_args(OfTry)
