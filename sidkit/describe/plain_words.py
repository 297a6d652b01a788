"""The words of an answer without what is no word of a caption: thoughts, chat tokens, markup, markdown.

words("<think>Hm, a dog.</think>**A dog** sits on a *beach*.<|im_end|>")  ->  ["A dog sits on a beach."]
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING

from sidkit.mark import MARK

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# How models fence off their thoughts: DeepSeek and Qwen, Magistral, Kimi, MedGemma, Cohere.
_THINK = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|scratchpad|analysis)"
_OPEN = rf"<{_THINK}(?:\s[^<>]*)?>|\[THINK\]|◁think▷|<unused94>|<\|(?:begin_of_thought|start_thinking)\|>"
_CLOSE = rf"</{_THINK}\s*>|\[/THINK\]|◁/think▷|<unused95>|<\|(?:end_of_thought|end_thinking)\|>"
THOUGHTS = re.compile(rf"(?:{_OPEN}).*?(?:{_CLOSE})", re.IGNORECASE | re.DOTALL)
OPENED, CLOSED = re.compile(_OPEN, re.IGNORECASE), re.compile(_CLOSE, re.IGNORECASE)
# gpt-oss has channels, whose names stay where a server drops the tokens around them.
FINAL = re.compile(r"^.*<\|channel\|>\s*final\s*(?:<\|message\|>)?|^analysis.*assistant\s?final", re.DOTALL)
UNDECIDED = re.compile(r"<\|channel\|>\s*(?:analysis|commentary)\b")
_ANSWER = r"answer|response|output|caption|description|final"
ANSWER = re.compile(rf"<({_ANSWER})>(.*?)(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)

_ROLE = r"(?:assistant|model|user|system)?"
TURN = re.compile(
    rf"(?:<\|(?:im_start|start_header_id|start)\|>|<start_of_turn>)\s*{_ROLE}\b|^\s*(?:assistant|model)\s*\n",
    re.IGNORECASE,
)
_NAMED = r"</?s>|[<\[](?:bos|eos|pad|unk|cls|sep|mask|image|img)[>\]]|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
OTHER_TURN = re.compile(
    r"(?:<\|(?:im_start|start_header_id|start)\|>|<start_of_turn>)\s*(?:user|human|system)\b|"
    r"\n\s*(?:\W*(?:user|human|instruction|question)\s*:)",
    re.IGNORECASE,
)
BOXED = re.compile(r"\\(?:boxed|text)\{([^{}]*)\}")
ASKED = re.compile(r"^.*(?:\[/INST\]|\bASSISTANT:)", re.DOTALL)  # the question, where the answer begins with it
TOKENS = re.compile(rf"<[|｜][^<>|｜]{{1,40}}[|｜]>|{_NAMED}", re.IGNORECASE)
_ENDS = "im_end|endoftext|end_of_text|eot_id|eom_id|eos|end|return"
END = re.compile(rf"<\|(?:{_ENDS})\|>|<[|｜]end▁of▁sentence[|｜]>|</s>|<end_of_turn>|<eos>", re.IGNORECASE)

HIDDEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
TAGS = re.compile(r"</?[a-zA-Z!][^<>]*>?")
SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")
# Also half of a letter that was cut in two, which no file can hold.
INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd\ud800-\udfff]"
)
LEFT_OVER = re.compile(r"`|\*{2,}|(?<!\w)_{2,}|_{2,}(?!\w)")  # of markdown that does not close
SENTENCE_LINE = re.compile(r"(?<=[.!?:])\n|(?<=[.!?:][\"'”’)])\n")  # a line that is a sentence ends there
EDGES = " \"'`*#-"


def without_thoughts(text: str) -> str:
    """The text without the model's thoughts, closed or not, and without chat tokens; "" where it only thought."""
    text = FINAL.sub("", text.replace("\r\n", "\n"), count=1)
    if UNDECIDED.search(text):
        return ""
    text = THOUGHTS.sub(" ", text)
    *_, text = CLOSED.split(text)  # the tag that opens is often part of the question
    text, *_ = OPENED.split(text)
    answer = ANSWER.search(text)
    return _own_turn(answer.group(2) if answer else text).strip()


def has_thoughts(text: str) -> bool:
    """Whether thoughts are marked in the text."""
    return any(marks.search(text) for marks in (OPENED, CLOSED, UNDECIDED))


def words(text: str) -> list[str]:
    """The text's blocks (paragraphs, headings, points of a list), each a line of plain words."""
    blocks = []
    for token in _markdown().parse(INVISIBLE.sub("", _without_markup(text))):
        if token.type == "inline":
            lines = "".join(map(_inline, token.children or ()))
            blocks += map(_bare, SENTENCE_LINE.split(lines))
        elif token.type in ("fence", "code_block"):
            blocks += [_bare(part) for part in token.content.split("\n\n")]
    return [block for block in blocks if block]


def clean(text: str, *, listed: bool = False) -> str:
    """One line of plain words: no tags, no markdown, no control characters, no repeated spaces, and no `[v]`."""
    return without_edges(", ".join(words(text)) if listed else " ".join(words(text)))


def without_edges(text: str) -> str:
    """A text without marks at its ends, and without the quotation marks around it, but with those of a part of it."""
    bare = text.strip(EDGES)
    outer = text.strip(" *#-")
    return outer if bare.count('"') % 2 and not outer.count('"') % 2 else bare


def _own_turn(text: str) -> str:
    """What the model said in its own turn: some go on with the user's next one."""
    text = BOXED.sub(r"\1", ASKED.sub("", text))
    text = TURN.sub(" ", _up_to(OTHER_TURN, text))
    return TOKENS.sub(" ", _up_to(END, text))


def _up_to(end: re.Pattern[str], text: str) -> str:
    """The text before the first end that has a word before it."""
    for found in end.finditer(text):
        before = text[: found.start()]
        if TOKENS.sub("", TURN.sub("", before)).strip():
            return before
    return text


def _without_markup(text: str) -> str:
    unescaped = html.unescape(_without_tags(text))
    return _without_tags(unescaped)  # what was spelt in entities is a tag only now


def _without_tags(text: str) -> str:
    return TAGS.sub(" ", HIDDEN.sub(" ", text))


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # An entity that is left was spelt twice and is no tag; a definition of a link would vanish with its words.
    unread = ["entity", "reference", "html_block", "html_inline"]
    return MarkdownIt("commonmark").enable(["strikethrough", "table"]).disable(unread)


def _inline(token: Token) -> str:
    return "\n" if token.type in ("softbreak", "hardbreak") else token.content


def _bare(text: str) -> str:
    text = LEFT_OVER.sub("", text.replace(MARK, " "))
    return SPACES.sub(" ", _without_tags(text)).strip()  # once more: markdown inside of a tag hid it
