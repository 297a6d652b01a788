"""Answers of describers, read with suspicion: an answer has to prove that it is a description.

An answer is data. It is taken apart, cleaned where that is safe, and becomes a caption or an error with the model's own
words; nothing in it is obeyed or shown as markup.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.description import Description, marked
from sidkit.describe.instructions import Instruction
from sidkit.describe.plain_words import EDGES, clean, has_thoughts, without_thoughts, words
from sidkit.describe.refusals import UNFILLED, denies, objection, to_asker
from sidkit.describe.structure import objects_in, read_structure
from sidkit.inflection import pattern

LONGEST_RAW = 100_000  # characters of an answer with its thoughts
LONGEST = 4_000  # characters of an answer; a caption of 77 tokens has under 500

_PROMISE = r"(?:sure(?: thing)?|certainly|of course|okay|ok|absolutely|great|yes|alright)"
_HERE = r"here(?:'s|’s| is| are)\b"
_PICTURE = r"(?:image|picture|photo|photograph|scene)"
PREAMBLE = re.compile(
    rf"^\W*(?:{_PROMISE}(?:[.:!,]\s*|\s+(?={_HERE}))|{_HERE}[^:]{{0,150}}:\s*|I (?:can )?see\s+|"
    rf"(?:in|based on|from|looking at) the {_PICTURE}[^,]{{0,30}},\s*(?:there (?:is|are)\s+)?|"
    rf"(?:the|this) {_PICTURE} (?:shows|depicts|features|captures|displays|portrays|is of)\s+)+",
    re.IGNORECASE,
)
_LABELED = r"(?:caption|description|answer|output|sentence|response|alt text|option \d+|assistant|model)"
LABEL = re.compile(
    rf"^\W*(?:(?:final|image|the|a|detailed|my)\s+)*{_LABELED}\s*(?:\([^)]*\))?\s*[:=]\s*", re.IGNORECASE
)
SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=\W*[A-Z\d])")
STUCK = re.compile(r"\b(\w+(?:\W+\w+){0,4}?)(?:\W+\1\b){3,}", re.IGNORECASE)  # the same words four times
QUOTES = "\"'“”„‘’‚«»‹›「」『』 "
# Words without which there is hardly an English sentence.
ENGLISH = re.compile(
    r"\b(?:a|an|the|of|in|on|at|with|to|and|is|are|by|near|next|from|its|his|her|this|two|three|some|behind|under|over)\b",
    re.IGNORECASE,
)
ENDS_OPEN = re.compile(r"\b(?:an?|the|of|in|at|with|and|or|from|by)\W*$", re.IGNORECASE)
# How a caption begins that was not begun as asked: up to the class word no verb but one that puts the thing there.
_NUMBER = r"(?:an?|the|this|one|two|three|four|five|six|several|some|many)"
_NO_VERB = (
    r"(?!(?:is|was|are|were|be|been|to|should|would|could|can|must|not|wants?|asks?|shows?|request|user|caption|"
    r"instructions?|describ\w+)\b)"
)
BEGINNING = (
    r"^(?:(?:in|on|at|under|beside|inside|by|near|next to|against|through|with|amid|among|behind|before|between|\w+ing|"
    r"\w+ed)\b[^,]{0,80},\s*)?"
    rf"(?:(?:there (?:is|are)|this is)\s+)?(?:{_NUMBER}\s+)?(?:{_NO_VERB}[\w'’-]+\s+){{0,7}}"
)
FOREIGN = re.compile(r"[\u0370-\u1dff\u2c00-\ua71f\ua800-\ud7ff\uf900-\ufaff]{2,}")  # of other scripts than Latin


def read_answer(raw: str | None, class_word: str, instruction: Instruction, model: str) -> Description:
    """The description that an answer holds. Raises AnswerError, whose `kind` says what is wrong with it."""
    if raw is None or not raw.strip():
        raise AnswerError("empty")
    if len(raw) > LONGEST_RAW:
        raise AnswerError("too long", raw)
    text = without_thoughts(raw)
    if not text:
        raise AnswerError("only thoughts" if has_thoughts(raw) else "empty", raw)
    if len(text) > LONGEST:
        raise AnswerError("too long", text)
    if instruction.answer == "structure":
        description = read_structure(text, class_word, of_style=instruction.style)
    else:
        description = Description(class_word, sentence=_sentence(text, class_word, instruction))
        if not instruction.source.endswith(".txt"):  # which may be in any language
            _check_english(description.sentence, class_word)
        _on_the_point(description.sentence, class_word, instruction.style)
    return replace(description, raw=raw, model=model, of_style=instruction.style)


def _sentence(text: str, class_word: str, instruction: Instruction) -> str:
    """The sentence that was asked for, out of what a model has said around it."""
    blocks = words(_out_of_json(text))
    whole = " ".join(blocks)
    if instruction.answer == "sentence":
        question = clean(instruction.text)
        blocks = [block.replace(question, "").strip() for block in blocks]  # some say the question again
    blocks = [block for block in blocks if block.strip(QUOTES + EDGES)]
    if not blocks:
        raise AnswerError("broken" if whole.strip(QUOTES) else "empty", whole)
    if objection(whole) == "no picture":
        raise AnswerError("no picture", whole)
    beginning = _beginning(instruction)
    before, found = _found(blocks, beginning, class_word)
    sentence = _without_closing(found)
    _check_said(before, sentence, whole)
    if instruction.answer == "sentence" and ENDS_OPEN.search(sentence):
        raise AnswerError("broken", whole)
    if instruction.answer == "start" and not sentence.lower().startswith(instruction.text.lower()):
        return f"{instruction.text} {sentence}"
    return sentence


def _out_of_json(text: str) -> str:
    """The one text in a JSON object or list, where a model took a sentence for one; any other text as it is."""
    inside = re.sub(r"^```\w*\s*|\s*```$", "", text)
    if not re.match(r"[{\[]\s*[\"'{\[]", inside):
        return text
    value = next(objects_in(inside), None)
    if value is None:
        with suppress(ValueError, RecursionError):
            value = dict(enumerate(json.loads(inside)))
    texts = [part for part in (value or {}).values() if isinstance(part, str)]
    if len(texts) == 1:
        return texts[0]
    raise AnswerError(objection(text) or "broken", text)


def _beginning(instruction: Instruction) -> str:
    """How the answer was asked to start; "" where that was not said."""
    asked = re.search(r'start with "([^"]+)"', instruction.text)
    return asked.group(1) if asked else ""


def _found(blocks: list[str], beginning: str, class_word: str) -> tuple[str, str]:
    """What stands before the sentence that was asked for, and that sentence.

    It is the first block that begins as was asked; else the part of a block that does; else the first block that
    speaks of the subject.
    """
    bare = [_without_label(block) for block in blocks]
    if beginning:
        for index, block in enumerate(bare):
            if block.lower().startswith(beginning.lower()):
                return " ".join(blocks[:index]), block
        inside = re.compile(rf"(?:^|[.:!?,\"“'‘—–-])\s*[\"“'‘]?({re.escape(beginning)}\s+\w.*)", re.DOTALL)
        for index, block in enumerate(bare):
            part = inside.search(block)
            if part:
                return " ".join([*blocks[:index], block[: part.start(1)]]), part.group(1).rstrip(QUOTES)
    complete = [block for block in bare if not block.endswith(":")] or bare
    naming = [block for block in complete if re.search(pattern(class_word), block, re.IGNORECASE)]
    return "", (naming or complete)[0]


def _without_label(block: str) -> str:
    """A block without "Sure! Here is the caption:" and without the quotation marks around it."""
    for opening in (PREAMBLE, LABEL):
        rest = opening.sub("", block)
        block = rest if rest.strip(QUOTES) else block
    quoted = block[:1] in QUOTES and block.rstrip(".")[-1:] in QUOTES
    return block.strip(QUOTES) if quoted else block.strip(EDGES.replace('"', "").replace("'", ""))


def _without_closing(block: str) -> str:
    """The block up to where the model begins to speak to who asks: "A dog on a beach. Let me know ..."."""
    end = len(block)
    for gap in SENTENCE_END.finditer(block):
        following = block[gap.end() :]
        if to_asker(following.split(". ")[0]) or objection(following):
            end = gap.start()
            break
    return block[:end]


def _check_said(before: str, sentence: str, whole: str) -> None:
    """Raise AnswerError for a sentence that refuses, asks, speaks to who asks, or is stuck in a few words."""
    kind = objection(sentence) or objection(before)
    if kind:
        raise AnswerError(kind, whole)
    is_question = sentence.rstrip(EDGES).endswith("?")
    if is_question or to_asker(sentence) or STUCK.search(sentence) or UNFILLED.search(sentence):
        raise AnswerError("broken", whole)


def _check_english(sentence: str, class_word: str) -> None:
    """Raise AnswerError for a sentence in another language, as models fall into; signs in the picture may be in any."""
    without_signs = re.sub(r"[\"“].*?[\"”]", "", sentence)
    other_script = class_word.isascii() and FOREIGN.search(without_signs)
    if other_script or not ENGLISH.search(sentence):
        raise AnswerError("off the point", sentence)


def _on_the_point(sentence: str, class_word: str, style: bool) -> None:
    """Raise AnswerError for a sentence without the subject, or that says so."""
    noun = pattern(class_word)
    begins = re.match(rf"\W?{BEGINNING}{noun}(?![./]\w)", sentence, re.IGNORECASE)
    if denies(sentence, noun) or not (begins or style):
        raise AnswerError("off the point", sentence)
    try:
        marked(sentence, class_word, of_style=style)
    except ValueError as error:
        raise AnswerError("off the point", sentence) from error
