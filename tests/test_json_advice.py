"""What is said of JSON as editors, other formats and tired people leave it."""

import json

import pytest

from sidkit.files import parse_json

TEXT = json.dumps({"class_word": "dog", "captions": {"a.jpg": "a [v] dog"}}, indent=1)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (TEXT.replace('"', "“"), "write straight double quotes"),
        (TEXT.replace('"class_word"', "„class_word“"), "write straight double quotes"),
        (TEXT.replace('"', "'"), "write straight double quotes"),
        (f"// mine\n{TEXT}", "take the comment out"),
        (TEXT.replace('"captions"', '# mine\n "captions"'), "take the comment out"),
        (TEXT.replace('"dog"', '/* or cat */ "dog"'), "take the comment out"),
        (TEXT.replace('[v] dog"', '[v] dog",'), "take out the comma before the bracket"),
        (TEXT[:-1] + ",\n}\n", "take out the comma before the bracket"),
        (TEXT.replace('"dog"', "[1,]"), "take out the comma before the bracket"),
        (TEXT.replace('"dog",', '"dog"'), """mend what is before '"captions": """),
        (TEXT.replace("a [v]", "a\t[v]"), r"write \n for an end of line and \t for a tab"),
        (TEXT.replace('dog"\n', "dog\n"), r"write \n for an end of line and \t for a tab"),
        (TEXT.replace('"dog"', "None"), "write null, true or false"),
        (f"```json\n{TEXT}\n```", "take the fence out"),
        (TEXT + TEXT, "take out what follows, '{"),
        (TEXT[: TEXT.index(" dog")], "close the text '\"a [v]"),
        (TEXT[:-1], "it ends too early"),
        ("", "it ends too early"),
        (TEXT.encode("utf-16-le").decode(), "save it as UTF-8"),
        ("\0" * 9, "save it as UTF-8"),
        (TEXT.replace('"captions"', '"class_word"'), "'class_word' is there 2 times; keep one"),
    ],
)
def test_what_to_do_is_said(text, advice):
    with pytest.raises(ValueError, match="^captions.json: expected JSON, ") as told:
        parse_json(text, "captions.json")
    assert advice in str(told.value) and "\n" not in str(told.value)
