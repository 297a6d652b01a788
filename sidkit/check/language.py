"""Whether a caption is in English, which is all that the checker can judge; no list of words is complete."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from sidkit.check import words as w
from sidkit.mark import MARK, TRIGGER

ENGLISH = w.DETERMINERS | w.PREPOSITIONS | w.LINKS | w.PRONOUNS | w.BEING | w.HAVING | w.ADVERBS
# Little words that captions have, by language.
LITTLE_WORDS = {
    "Czech": "a na v ve se u pod nad vedle před za je fotografie fotka jeden jedna",
    "Danish, Norwegian, Swedish": "en et ett på med og och ved vid ved i av af foran under bredvid er är bilde foto",
    "Dutch": "een het de van op met voor naast bij en in aan onder achter is zit staat foto",
    "Finnish": "ja on kuva joka vieressä alla päällä kanssa edessä valokuva",
    "French": "un une le la les du des de dans sur sous avec et à au aux près devant derrière est en photo",
    "German": "ein eine einen einem einer der die das den dem des und auf mit von vor neben bei im am in an unter ist",
    "Hungarian": "egy az a és mellett alatt egyik fotó kép van",
    "Indonesian": "sebuah seekor di dengan dan dari yang pada foto gambar atas bawah sebelah",
    "Italian": "un uno una il lo la le gli di del della dei su sul sulla in con e nel nella accanto vicino foto è da",
    "Polish": "na w we z ze i obok pod nad przed przy jest zdjęcie psa",
    "Portuguese": "um uma o a os as de do da dos das em no na nos nas com e ao sobre ao lado foto",
    "Romanian": "un o pe cu și lângă în la din sub fotografie este",
    "Spanish": "un una el la los las de del en con y sobre junto al ante bajo es está foto su",
    "Turkish": "bir ve ile üzerinde yanında bu fotoğrafı altında önünde",
    "Vietnamese": "một con trên với và của bên cạnh bức ảnh trong",
}
WORDS_BY_LANGUAGE = {language: frozenset(words.split()) for language, words in LITTLE_WORDS.items()}


def is_english(text: str) -> bool:
    """Whether a caption reads as English; what has no little word of any language counts as that."""
    text = TRIGGER.sub(" ", text.replace(MARK, " "))
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters)
    if 2 * latin < len(letters):
        return False
    counts = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    accented = sum(count for word, count in counts.items() if not word.isascii())
    if accented > _count(counts, ENGLISH):
        return False
    return not any(_is_rather(words, counts) for words in WORDS_BY_LANGUAGE.values())


def _is_rather(words: frozenset[str], counts: Counter[str]) -> bool:
    """Whether a text has more words that only this language has than words that only English has."""
    return _count(counts, words - ENGLISH) > _count(counts, ENGLISH - words)


def _count(counts: Counter[str], words: frozenset[str]) -> int:
    return sum(counts[word] for word in words)
