"""How much of a caption a model reads: CLIP's tokenizer, or that of a folder of weights, without loading any model."""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from sidkit.config import locate
from sidkit.files import read_json
from sidkit.shown import shown

CLIP_LENGTH = 77  # tokens, start and end included
CLIP_MERGES = 49152 - 256 - 2  # its tokens, but for the bytes and the two ends
LENGTH, SHORTEST, LONGEST = "model_max_length", 3, 10**31  # start, a word, end
END = "</w>"  # of a word
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
    if (folder / "tokenizer" / "tokenizer.json").is_file():
        return folder_limit(folder)
    return clip_limit()


@lru_cache(maxsize=1)
def clip_limit() -> Limit:
    """CLIP's: 77 tokens. Its vocabulary is the one that the open_clip package brings along."""
    merges = _clip_merges()
    vocabulary = _clip_vocabulary(merges)
    model = models.BPE(vocabulary, merges, end_of_word_suffix=END, continuing_subword_prefix="")
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    pieces = pre_tokenizers.Split(Regex(_PIECES), behavior="removed", invert=True)
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pieces, to_bytes])
    return Limit("CLIP", CLIP_LENGTH, tokenizer)


def _clip_merges() -> list[tuple[str, ...]]:
    """The pairs that CLIP's tokenizer joins, the most frequent first."""
    package = importlib.util.find_spec("open_clip")
    folder = Path(package.submodule_search_locations[0])
    path = folder / "bpe_simple_vocab_16e6.txt.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    _version, *lines = text.split("\n")
    return [tuple(line.split()) for line in lines[:CLIP_MERGES]]


def _clip_vocabulary(merges: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """Ids of bytes, of bytes that end a word, and of what merges make."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = list(letters)
    tokens += [letter + END for letter in letters]
    tokens += map("".join, merges)
    vocabulary: dict[str, int] = {}
    for token in tokens:
        vocabulary.setdefault(token, len(vocabulary))
    return vocabulary


def folder_limit(folder: Path | str) -> Limit:
    """That of a pipeline's folder, as transformers saves it. ValueError where there is none, or one that is broken."""
    folder = Path(folder)
    file = folder / "tokenizer" / "tokenizer.json"
    if not file.is_file():
        raise ValueError(f"expected a tokenizer at {file}, found none; give a pipeline's folder")
    length = _length(file.with_name("tokenizer_config.json"))
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # which is all that the library raises
        raise ValueError(f"{file}: expected a tokenizer, but {error}; copy or download the model again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Limit(folder.name, length, tokenizer)


def _length(config: Path) -> int:
    """How many tokens a model reads, by its tokenizer's settings; transformers writes 1e30 where it does not know."""
    settings = read_json(config)
    length = settings.get(LENGTH) if isinstance(settings, dict) else None
    if isinstance(length, bool) or not isinstance(length, int | float) or not SHORTEST <= length <= LONGEST:
        expected = f"expected {LENGTH} to be a number of tokens from {SHORTEST} on, got {shown(length)}"
        raise ValueError(f"{config}: {expected}; copy or download the model again")
    return int(length)
