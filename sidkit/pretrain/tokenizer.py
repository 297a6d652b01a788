"""The tokenizer: CLIP's byte-pair encoding, trained so that every word of the grammar is one token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from sidkit.stickers import grammar

LENGTH = 48  # tokens, start and end included
IDENTIFIERS = ("sks", "zwx", "olis", "pll")  # known to the tokenizer, never seen in pretraining
START, END = "<|startoftext|>", "<|endoftext|>"


def make_tokenizer(more: Iterable[str] = ()) -> CLIPTokenizer:
    """Words of the grammar, the identifiers and `more` are single tokens; other text falls into pieces of letters."""
    bpe = _merged(sorted({*grammar.words(), *IDENTIFIERS, *more}))
    vocabulary = bpe.get_vocab()
    for special in (START, END):
        vocabulary.setdefault(special, len(vocabulary))
    merges = [tuple(pair) for pair in _merges(bpe)]
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def kept_tokenizer(folders: Sequence[Path], more: Iterable[str] = ()) -> CLIPTokenizer:
    """The tokenizer of the first folder that has one with the tokens of today; else a new one, left in the first.

    What a model has learnt hangs on the tokens' numbers, and two trainings of a tokenizer may number them differently.
    """
    made = make_tokenizer(more)
    begun = [folder for folder in folders if (folder / "tokenizer.json").is_file()]
    for folder in begun:
        kept = CLIPTokenizer.from_pretrained(folder)
        if kept.get_vocab().keys() == made.get_vocab().keys():
            return kept
    made.save_pretrained(folders[0])
    return made


def _merged(words: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    letters = [chr(code) for code in range(33, 127)]
    trainer = trainers.BpeTrainer(
        vocab_size=8000,
        end_of_word_suffix="</w>",
        initial_alphabet=letters,
        show_progress=False,
        special_tokens=[START, END],
    )
    alphabet = [f"{letter}" for letter in letters]
    tokenizer.train_from_iterator([*words, *alphabet, "".join(letters)], trainer)
    return tokenizer


def _merges(tokenizer: Tokenizer) -> list[list[str]]:
    import json

    return json.loads(tokenizer.to_str())["model"]["merges"]
