"""The text of a caption or prompt: `[v]` in it, and its length in tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sidkit.inflection import with_article
from sidkit.shown import shown

MARK = "[v]"  # stands for the identifier

# What stands for a subject elsewhere: in other trainers' guides and papers, and what an editor left of it.
_NAMES = r"v[\d_]*\*?|s[\d_]*\*|\*|tok|token|trigger|identifier|name|subject|instance|placeholder|concept|class|id"
_GAP = r"\s{0,3}"
_RARE = r"sks|zwx|ohwx|olis|pll|tok|ukj"
_MARKUP = r"b|i|u|p|s|br|em|hr|li|div|span|strong|image|unk|pad"
TRIGGER = re.compile(
    rf"(?:<{_GAP}(?!(?:{_MARKUP}){_GAP}>)[\w*-]{{0,40}}{_GAP}>)+"  # <sks>, <s0><s1>, <>
    rf"|(?!(?-i:\[v\]))[\[［【〔]{_GAP}(?:{_NAMES}|ｖ|Ｖ)?{_GAP}[\]］】〕]"  # [V], [ v ], [v1], [trigger], []
    rf"|(?<!\{{)\{{+{_GAP}(?:{_NAMES}|\d)?{_GAP}\}}+|(?<!\w)%s(?!\w)|\({_GAP}v{_GAP}\)"  # {{v}}, {{0}}, %s, (v)
    rf"|(?<![\w*-])(?:{_RARE})(?![\w-])"
    rf"|(?<![\w*])[sv]?_?\*(?![\w*])(?!\s+(?:a|an|the)\b)",  # S*, V*, * but in a list
    re.IGNORECASE,
)


def class_caption(class_word: str, *, of_style: bool = False) -> str:
    """The paper's case 1, the usual caption: the class and nothing else; of a style, how something is painted."""
    if of_style:
        return f"a painting in the style of {MARK} {class_word}"  # Fig. 3, example 2
    return f"a photo of a {MARK} {class_word}"


def check_mark(text: str, where: str) -> str:
    """Return `text` if it names the subject exactly once; otherwise raise ValueError that begins with `where`."""
    count = text.count(MARK)
    if count != 1:
        raise ValueError(
            f"{where}: expected {MARK} once, before the class word (a photo of a {MARK} dog ...), "
            f"got it {count} times in {shown(text)}"
        )
    return text


def insert(text: str, identifier: str) -> str:
    """`text` with the identifier in the place of `[v]`."""
    return text.replace(MARK, identifier)


def article_put_right(text: str) -> str:
    """ "an [v] dog" becomes "a [v] dog", as `[v]` is read "v"."""
    return re.sub(rf"\b([Aa])n(?=\s+{re.escape(MARK)})", r"\1", text)


def without_mark(text: str, mark: str = MARK) -> str:
    """The text with `[v]`, or what stands for it, taken out: "a [v] owl" becomes "an owl"."""
    marked = rf"(?<!\w){re.escape(mark)} "
    articled = re.compile(rf"\b([Aa]) {marked}(\w[\w-]*)")
    return re.sub(marked, "", articled.sub(_with_its_article, text))


def _with_its_article(match: re.Match) -> str:
    """The noun matched behind an article and a mark, with the article that it takes by itself."""
    article, noun = match.groups()
    return article + with_article(noun)[1:]


def check_ready(texts: Iterable[str], tokenizers: Sequence) -> None:
    """Raise ValueError for a text that a model would not read as it stands: with `[v]` left in it, or too long."""
    for text in texts:
        if MARK in text:
            raise ValueError(
                f"expected text with the identifier in the place of {MARK}, got {shown(text)}; insert() puts it in"
            )
        check_length(text, tokenizers, "text")


def check_length(text: str, tokenizers: Sequence, where: str) -> None:
    """Raise ValueError if a tokenizer (of transformers) would cut `text`, with what would be lost."""
    for tokenizer in tokenizers:
        limit = tokenizer.model_max_length
        tokens = tokenizer(text, truncation=False, verbose=False)["input_ids"]
        if len(tokens) > limit:
            lost = tokenizer.decode(tokens[limit - 1 : -1]).strip()
            raise ValueError(
                f"{where}: expected at most {limit} tokens, start and end included, got {len(tokens)}; "
                f"the model would not see the end of it, {shown(lost)}; shorten {shown(text)}"
            )
