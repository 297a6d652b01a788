"""How much of a caption a model reads: CLIP's tokenizer, or that of a folder of weights, without loading any model."""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from sidkit.config import locate

CLIP_LENGTH = 77  # tokens, start and end included
_PIECES = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


@dataclass(frozen=True)
class Limit:
    """A tokenizer and how many tokens its model reads, start and end included."""

    name: str
    length: int
    tokenizer: Tokenizer

    def lost(self, text: str) -> tuple[int, str]:
        """How many tokens `text` takes, and its end that the model would not see ("" where all of it fits)."""
        encoded = self.tokenizer.encode(text, add_special_tokens=False)
        count = len(encoded.ids) + 2
        if count <= self.length:
            return count, ""
        first_lost, _ = encoded.offsets[self.length - 2]
        return count, text[first_lost:]


def limit_of(pipeline: str) -> Limit:
    """A local pipeline's own tokenizer; any other is Stable Diffusion's, which is CLIP's."""
    folder = Path(locate(pipeline))
    return folder_limit(folder) if (folder / "tokenizer" / "tokenizer.json").is_file() else clip_limit()


@lru_cache(maxsize=1)
def clip_limit() -> Limit:
    """CLIP's: 77 tokens. Its vocabulary is the one that the open_clip package brings along."""
    merges = _clip_merges()
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    ends = [f"{letter}</w>" for letter in letters]
    pieces = ["".join(pair) for pair in merges]
    tokens = dict.fromkeys([*letters, *ends, *pieces])
    vocabulary = {token: index for index, token in enumerate(tokens)}
    bpe = Tokenizer(models.BPE(vocabulary, merges, end_of_word_suffix="</w>", continuing_subword_prefix=""))
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    bpe.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Lowercase()])
    split = pre_tokenizers.Split(Regex(_PIECES), behavior="removed", invert=True)
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([split, to_bytes])
    return Limit("CLIP", CLIP_LENGTH, bpe)


def _clip_merges() -> list[tuple[str, ...]]:
    """The pairs that CLIP's tokenizer joins, the most frequent first."""
    package = importlib.util.find_spec("open_clip").submodule_search_locations[0]
    path = Path(package) / "bpe_simple_vocab_16e6.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")
    last = 49152 - 256 - 2  # tokens, but for the bytes and the two ends
    return [tuple(line.split()) for line in lines[1 : last + 1]]  # the first line tells the version


def folder_limit(folder: Path | str) -> Limit:
    """That of a pipeline's folder, as transformers saves it. ValueError where there is none."""
    folder = Path(folder) / "tokenizer"
    if not (folder / "tokenizer.json").is_file():
        raise ValueError(f"expected a tokenizer at {folder / 'tokenizer.json'}, found none; give a pipeline's folder")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Limit(folder.parent.name, int(config["model_max_length"]), tokenizer)
