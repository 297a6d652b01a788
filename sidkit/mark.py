"""The text of a caption or prompt: `[v]` in it, and its length in tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MARK = "[v]"  # stands for the identifier


def check_mark(text: str, where: str) -> str:
    """Return `text` if it names the subject exactly once; otherwise raise ValueError that begins with `where`."""
    if (count := text.count(MARK)) != 1:
        raise ValueError(
            f"{where}: expected {MARK} once, before the class word (a photo of a {MARK} dog ...), "
            f"got it {count} times in {text!r}"
        )
    return text


def insert(text: str, identifier: str) -> str:
    """`text` with the identifier in the place of `[v]`."""
    return text.replace(MARK, identifier)


def check_ready(texts: Iterable[str], tokenizers: Sequence) -> None:
    """Raise ValueError for a text that a model would not read as it stands: with `[v]` left in it, or too long."""
    for text in texts:
        if MARK in text:
            raise ValueError(
                f"expected text with the identifier in the place of {MARK}, got {text!r}; insert() puts it in"
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
                f"the model would not see the end of it, {lost!r}; shorten {text!r}"
            )
