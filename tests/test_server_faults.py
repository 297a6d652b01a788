"""What a server answers in the place of a description, over real HTTP: asked again the right way, or told by its cause.

Each line of a table is what some server really says: OpenAI, Ollama, llama.cpp, vLLM, LM Studio, OpenRouter, Gemini,
Mistral, Groq, DeepSeek, LiteLLM, and proxies before them.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from itertools import repeat

import pytest
from PIL import Image
from test_remote import QUICK, SENTENCE, STRUCTURE, ask, remote, said, server  # noqa: F401  (a fixture)
from typer.testing import CliRunner

from sidkit.cli.main import app
from sidkit.describe.address import KEY, masked
from sidkit.describe.answer_error import AnswerError
from sidkit.describe.remote import Remote

SAID = "A dog sits next to a blue ball."
PARTS = json.dumps({"objects": ["next to a ball"], "background": "on a beach", "pose": "sitting"})
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def fault(describer, instruction=SENTENCE):
    with pytest.raises(AnswerError) as found:
        ask(describer, instruction)
    assert len(str(found.value)) < 450 and "\n" not in str(found.value)
    return found.value


def error(message, **more):
    return json.dumps({"error": {"message": message} | more})


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


TOLD = [
    ("key", 401, error("Incorrect API key provided", code="invalid_api_key")),
    ("key", 401, ""),
    ("key", 400, error("API key not valid. Please pass a valid API key.", status="INVALID_ARGUMENT")),
    ("key", 401, '{"message": "Unauthorized"}'),
    ("key", 403, '{"error": "Invalid API Key"}'),
    ("key", 401, error("No auth credentials found", code=401)),
    ("key", 400, error("Missing API key")),
    ("key", 500, error("Authentication Error: no api key passed in, you must provide an api key")),
    ("key", 400, error("API_KEY_INVALID")),
    ("key", 403, error("Permission denied: invalid x-api-key")),
    ("quota", 402, error("Insufficient credits")),
    ("quota", 400, error("Not enough credits")),
    ("quota", 403, error("Key limit exceeded (total limit)")),
    ("quota", 402, error("This request requires more credits, or fewer max_tokens")),
    ("quota", 429, error("You exceeded your current quota, please check your plan", code="insufficient_quota")),
    ("quota", 400, error("Your credit balance is too low to access the API.")),
    ("quota", 402, error("Insufficient Balance")),
    ("quota", 400, error("Budget has been exceeded! Current cost: 10, Max budget: 5")),
    ("quota", 403, error("You have reached your monthly spending limit")),
    ("quota", 429, error("Billing hard limit has been reached", code="billing_hard_limit_reached")),
    ("unknown model", 404, error('model "llava" not found, try pulling it first')),
    ("unknown model", 404, error("The model `gpt-9` does not exist or you do not have access to it.")),
    ("unknown model", 400, error("gpt-9 is not a valid model ID")),
    ("unknown model", 404, error("NOT_FOUND: model llava")),
    ("unknown model", 400, error("Model 'llava' is not currently loaded")),
    ("unknown model", 400, error("The requested model is not supported")),
    ("unknown model", 400, '{"error": "No models loaded. Please load a model in the developer page"}'),
    ("unknown model", 400, '{"object": "error", "message": "Invalid model: pixtral"}'),
    ("unknown model", 404, error("models/gemini-9 is not found for API version v1beta")),
    ("unknown model", 404, error("The API deployment for this resource does not exist", code="DeploymentNotFound")),
    ("unknown model", 400, error("The model `llama-3.2-11b-vision` has been decommissioned")),
    ("no vision", 400, error("this model does not support image input")),
    ("no vision", 404, error("No endpoints found that support image input")),
    ("no vision", 500, error("image input is not supported - hint: you may need to provide the mmproj")),
    ("no vision", 400, error("Failed to deserialize: messages[0]: unknown variant `image_url`, expected `text`")),
    ("no vision", 400, error("small is not a multimodal model")),
    ("no vision", 400, error("Invalid content type. image_url is only supported by certain models.")),
    ("no vision", 400, error("messages[0].content must be a string")),
    ("no vision", 422, '{"detail": [{"loc": ["content"], "msg": "Input should be a valid string", "type": "string"}]}'),
    ("no vision", 400, error("Model does not support images")),
    ("no vision", 400, error("At most 0 image(s) may be provided in one request.")),
    ("no vision", 400, error("'messages.0.content' : value must be a string")),
    ("no vision", 400, error("unsupported content part type: image_url")),
    ("no vision", 500, error("multimodal input is disabled")),
    ("no vision", 400, error("This model only accepts text input")),
    ("too large", 413, "<html><h1>413 Request Entity Too Large</h1></html>"),
    ("too large", 400, error("This model's maximum context length is 2048 tokens, you requested 2500")),
    ("too large", 400, error("the request exceeds the available context size, try increasing it")),
    ("too large", 400, error("max_tokens is too large: 400. This model supports at most 256 completion tokens")),
    ("too large", 400, error("Image is too large")),
    ("too large", 413, error("Request too large for model in organization")),
    ("forbidden", 403, error("Country, region, or territory not supported")),
    ("forbidden", 403, ""),
    ("refused", 400, error("Your request was rejected by our safety system")),
    ("refused", 400, error("The response was filtered due to the content management policy", code="content_filter")),
    ("refused", 403, error("Your input was flagged")),
    ("address", 404, "404 page not found"),
    ("address", 404, '{"detail": "Not Found"}'),
    ("address", 405, '{"detail": "Method Not Allowed"}'),
    ("address", 404, f"<html><title>404 Not Found</title>{'x' * 3000}</html>"),
    ("not accepted", 400, error("Could not process image")),
    ("not accepted", 400, error("Unsupported image format: image/png")),
    ("not accepted", 400, error("x" * 100_000)),
    ("not accepted", 418, ""),
    ("refused", 451, error("blocked")),
    ("refused", 400, error("The image was blocked by safety filters")),
    ("not accepted", 400, error("Invalid base64 image_url")),
    ("not accepted", 422, error("field required")),
    ("busy", 429, error("Rate limit reached")),
    ("busy", 429, error("Quota exceeded for requests per minute")),
    ("busy", 400, error("too many concurrent requests")),
    ("busy", 529, error("Overloaded", type="overloaded_error")),
    ("failing", 500, error("CUDA out of memory")),
    ("failing", 503, error("Loading model", type="unavailable_error")),
    ("failing", 502, "<html><h1>502 Bad Gateway</h1></html>"),
    ("too slow", 504, "<html><h1>504 Gateway Time-out</h1></html>"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "status", "body"), TOLD)
def test_a_fault_is_told_by_its_cause_with_the_server_s_words(server, kind, status, body):  # noqa: F811
    server.script += [(status, {}, body)]
    told = fault(remote(server, retries=0))
    assert told.kind == kind, told
    assert str(status) in told.words and len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 404, 413, 400])
def test_what_stays_as_it_is_is_asked_once(server, status):  # noqa: F811
    server.script += [(status, QUICK, "{}")]
    fault(remote(server, retries=4))
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [error("insufficient_quota"), error("try again in 1 h")])
def test_a_pause_that_is_too_long_or_of_no_use_is_not_waited_for(server, body):  # noqa: F811
    server.script += [(429, {"retry-after": "3600"}, body)]
    begun = time.monotonic()
    assert fault(remote(server, retries=4)).kind in ("quota", "busy")
    assert len(server.requests) == 1 and time.monotonic() - begun < 5


INSIDE = [
    ("failing", error("upstream failed", code=503)),
    ("busy", error("model overloaded", code=503)),
    ("failing", '{"error": "something went wrong"}'),
    ("failing", '{"error": {"code": 500}, "choices": null}'),
    ("key", error("Invalid token", code=401)),
    ("unknown model", '{"object": "error", "message": "The model `x` does not exist", "code": 404}'),
    ("no vision", error("this model does not support images", code=400)),
    ("quota", error("Insufficient credits", code="402")),
    ("busy", json.dumps({"choices": [{"error": {"code": 429, "message": "Rate limited"}, "finish_reason": "error"}]})),
    ("failing", json.dumps({"choices": [{"error": {"message": "Provider returned error"}, "message": {}}]})),
    ("no chat", "<html><body>Ollama is running</body></html>"),
    ("no chat", "<!DOCTYPE html><title>Open WebUI</title>"),
    ("no chat", "Ollama is running"),
    ("no chat", json.dumps({"model": "m", "message": {"role": "assistant", "content": SAID}, "done": True})),
    ("no chat", f'data: {{"choices": [{{"delta": {{"content": "{SAID}"}}}}]}}\n\ndata: [DONE]\n\n'),
    ("no chat", json.dumps({"content": [{"type": "text", "text": SAID}], "role": "assistant"})),
    ("no chat", json.dumps({"output": [{"content": [{"type": "output_text", "text": SAID}]}]})),
    ("no chat", json.dumps({"generated_text": SAID})),
    ("no chat", json.dumps([SAID])),
    ("no chat", "{}"),
    ("no chat", ""),
    ("no chat", "[" * 100_000),
    ("empty", '{"choices": [null]}'),
    ("empty", '{"choices": [{"message": {"content": []}}]}'),
    ("empty", '{"choices": [{"message": {"content": {"a": 1}}}]}'),
    ("only thoughts", said("", reasoning_content=f"{SAID} So answer.")),
    ("only thoughts", said(None, reasoning=SAID)),
    ("only thoughts", said("", thinking=SAID, finish="length")),
    ("only thoughts", said("", reasoning_details=[{"type": "reasoning.text", "text": SAID}])),
    ("only thoughts", said([{"type": "thinking", "thinking": [{"type": "text", "text": SAID}]}])),
    ("refused", said([{"type": "refusal", "refusal": "I will not."}])),
    ("broken", said(None, tool_calls=[{"function": {"name": "describe", "arguments": PARTS}}])),
]


@pytest.mark.parametrize(("kind", "body"), INSIDE)
def test_what_comes_with_status_200_is_looked_into(server, kind, body):  # noqa: F811
    server.script += [(200, {}, body)]
    told = fault(remote(server, retries=0))
    assert told.kind == kind, told
    for words in ("upstream failed", "Provider returned error", "does not exist", "Ollama is running", "I will not"):
        assert words not in body or words in str(told)


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": SAID}],
        [{"type": "output_text", "text": SAID}],
        [{"type": "text", "text": {"value": SAID}}],
        [{"type": "text", "text": SAID[:9]}, {"type": "text", "text": SAID[9:]}],
        [SAID],
        {"type": "text", "text": SAID},
        [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": SAID}],
        [{"type": "reasoning", "reasoning": "hm"}, {"text": SAID}],
        [None, 3, {"type": "text", "text": SAID}, {"type": "audio"}],
    ],
)
def test_a_content_in_parts_is_joined(server, content):  # noqa: F811
    server.script += [(200, {}, said(content))]
    assert ask(remote(server)).sentence == SAID


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"choices": [{"message": {"content": SAID}}]}),
        json.dumps({"choices": [{"text": SAID}]}),
        json.dumps(
            {"choices": [{"message": {"content": SAID, "refusal": None}, "finish_reason": None}], "error": None}
        ),
        said(SAID, reasoning_content="hm"),
        f"\n\n  \n{said(SAID)}\n",
        json.dumps({"choices": [{"message": {"content": SAID}}], "usage": {"prompt_tokens": "many"}}),
    ],
)
def test_a_sparing_answer_is_enough(server, body):  # noqa: F811
    server.script += [(200, {}, body)]
    assert ask(remote(server)).sentence == SAID


def test_latin_1_is_read_as_the_server_says(server):  # noqa: F811
    server.script += [(200, {"Content-Type": "application/json; charset=utf-8"}, said("A dog in a café."))]
    assert ask(remote(server)).sentence == "A dog in a café."


@pytest.mark.parametrize("odd", ["\ud83c", "\udfff", "\x00", "\ufeff", "\u202e", "\ufffd"])
def test_what_no_file_or_caption_can_hold_does_no_harm(server, tmp_path, odd):  # noqa: F811
    Image.new("RGB", (40, 40)).save(tmp_path / "0.png")
    server.script += [(200, {}, said(f"A dog{odd} on a be{odd}ach \U0001f3d6."))]
    line = ["describe", str(tmp_path), "--class", "dog", "--by", "openai", "--model", "m", "--base-url", server.url]
    assert CliRunner().invoke(app, [*line, "--instruction", "sentence"]).exit_code == 0
    written = json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))
    assert written["captions"]["0.png"] == "A [v] dog on a beach \U0001f3d6"


# ---- asked again the other way

LIMIT_REFUSED = [
    (400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
    (400, "max_tokens is deprecated"),
    (422, "Extra inputs are not permitted: max_tokens"),
    (400, "Unrecognized request argument supplied: max_tokens"),
    (400, "unknown field max_tokens"),
    (500, "max_tokens is unsupported, use max_completion_tokens"),
]


@pytest.mark.parametrize(("status", "words"), LIMIT_REFUSED)
@pytest.mark.parametrize("instruction", [SENTENCE, STRUCTURE], ids=["sentence", "structure"])
def test_where_max_tokens_is_refused_the_other_name_is_taken_from_then_on(server, status, words, instruction):  # noqa: F811
    server.script += [(status, {}, error(words))] + [(200, {}, said(PARTS if instruction is STRUCTURE else SAID))] * 2
    describer = remote(server, retries=0)
    for _ in range(2):
        ask(describer, instruction)
    bodies = [body for _, _, body in server.requests]
    assert [body.get("max_tokens") for body in bodies] == [400, None, None]
    assert [body.get("max_completion_tokens") for body in bodies] == [None, 400, 400]


FORMAT_REFUSED = [
    (400, error("unknown field response_format")),
    (400, error("'response_format' of type 'json_schema' is not supported with this model.")),
    (400, error("This response_format type is unavailable now")),
    (400, error("Model does not support structured outputs")),
    (422, '{"detail": [{"type": "extra_forbidden", "loc": ["response_format"], "msg": "Extra inputs"}]}'),
    (500, error("response_format json_schema not supported: failed to compile grammar")),
    (501, '{"error": "not implemented"}'),
    (500, ""),
    (404, error("No endpoints found that can handle response_format")),
    (400, ""),
]


@pytest.mark.parametrize(("status", "body"), FORMAT_REFUSED)
def test_where_response_format_is_refused_it_is_left_out_from_then_on(server, status, body):  # noqa: F811
    server.script += [(status, {}, body)] + [(200, {}, said(PARTS))] * 2
    describer = remote(server)
    for _ in range(2):
        assert ask(describer, STRUCTURE).pose == "sitting"
    assert ["response_format" in asked for _, _, asked in server.requests] == [True, False, False]


def test_both_may_be_refused(server):  # noqa: F811
    def strict(body):
        for name in ("max_tokens", "response_format"):
            if name in body:
                return 400, {}, error(f"{name} is not supported")
        return 200, {}, said(PARTS)

    server.script += [strict] * 3
    assert ask(remote(server), STRUCTURE).pose == "sitting"


def test_a_server_that_takes_neither_name_is_given_up(server):  # noqa: F811
    def refuse(body):
        name = next(name for name in body if "tokens" in name)
        return 400, {}, error(f"{name} is not supported")

    server.script += [refuse] * 9
    assert "max_completion_tokens is not supported" in str(fault(remote(server)))
    assert len(server.requests) == 2


def test_a_schema_that_worked_stays_though_the_server_stumbles(server):  # noqa: F811
    server.script += [(200, {}, said(PARTS)), (500, QUICK, ""), (200, {}, said(PARTS))]
    describer = remote(server)
    ask(describer, STRUCTURE), ask(describer, STRUCTURE)
    assert all("response_format" in body for _, _, body in server.requests)


# ---- time


def drip(pieces):
    for piece in pieces:
        time.sleep(0.1)
        yield piece


@pytest.mark.parametrize(
    "pieces", [repeat(" "), repeat("\n"), repeat(": keep-alive\n\n"), list('{"choices": ' + " " * 50)]
)
def test_a_try_ends_in_time_whatever_the_server_drips(server, pieces):  # noqa: F811
    server.script += [lambda body: (200, {}, drip(pieces))]
    begun = time.monotonic()
    assert fault(remote(server, timeout=0.5, retries=0)).kind == "too slow"
    assert time.monotonic() - begun < 2.5


def test_a_slow_answer_in_time_is_taken(server):  # noqa: F811
    server.script += [lambda body: (200, {}, drip([" ", " ", said(SAID)]))]
    assert ask(remote(server, timeout=10, retries=0)).sentence == SAID


# ---- addresses, keys, proxies


def test_an_address_without_v1_is_named(server):  # noqa: F811
    server.script += [(404, {}, "404 page not found"), (200, {}, "<html>Ollama is running</html>")]
    base = server.url.removesuffix("/v1").replace("//", "//user:pass@")
    for _ in range(2):
        told = str(fault(remote(server, base_url=base)))
        assert f"try --base-url {server.url}" in told and "pass@" not in told


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8765/v1", "localhost:11434/v1", "//host/v1", "ftp://host/v1", "http://", "http:/host", "http://h:x/v1",
     "http://h:99999/v1", "http://[::1/v1", "host", "user:hush@host/v1", "http://host/v 1\x00", "openai",
     "http://host/v1/chat/completions", "http://host/v1/chat/completions/"],
)  # fmt: skip
def test_an_address_that_cannot_be_one_is_refused_before_anything(monkeypatch, address):
    with pytest.raises(ValueError, match="openai: expected an address.*http://localhost:11434/v1") as found:
        Remote("m", address)
    assert "hush" not in str(found.value) and len(str(found.value)) < 300


def test_blanks_around_an_address_and_a_key_do_no_harm(server, monkeypatch):  # noqa: F811
    monkeypatch.setenv(KEY, " sk-test-1234567890 \n")
    server.script += [(200, {}, said(SAID))]
    assert ask(remote(server, base_url=f" {server.url}/ \n")).sentence == SAID
    assert server.requests[0][1]["authorization"] == "Bearer sk-test-1234567890"


@pytest.mark.parametrize(
    "key", ["sk-a b", "sk-a\nb", "“sk-ab”", '"sk-ab"', "'sk-ab'", "sk-ä", "Bearer sk-ab", "sk\x00a"]
)
def test_a_key_that_cannot_be_one_is_refused_unseen(monkeypatch, key):
    monkeypatch.setattr(os, "environ", os.environ | {KEY: key})
    with pytest.raises(ValueError, match=f"{KEY}: expected a key without spaces") as found:
        Remote("m", "http://127.0.0.1:1/v1")
    assert key not in str(found.value)


def test_nobody_there_is_told_after_the_first_picture(server, tmp_path):  # noqa: F811
    for index in range(3):
        Image.new("RGB", (40, 40), (60 * index, 0, 0)).save(tmp_path / f"{index}.png")
    base = f"http://127.0.0.1:{closed_port()}/v1"
    line = ["describe", str(tmp_path), "--class", "dog", "--by", "openai", "--model", "m", "--base-url", base]
    begun = time.monotonic()
    told = CliRunner().invoke(app, line).output
    assert told.count("unreachable") == 1 and "not asked about" in told and "1.png, 2.png" in told
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_who_is_not_there_is_named(server, host):  # noqa: F811
    told = fault(remote(server, base_url=f"http://{host}:{closed_port()}/v1", retries=0))
    assert told.kind == "unreachable" and host in str(told)


def test_http_behind_https_is_named(server):  # noqa: F811
    told = fault(remote(server, base_url=server.url.replace("http", "https"), retries=0))
    assert told.kind == "unreachable" and "say http://" in str(told)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks4", "weird"])
def test_a_proxy_is_named_without_its_password(server, monkeypatch, scheme):  # noqa: F811
    port = closed_port()
    monkeypatch.setenv("http_proxy", f"{scheme}://me:hush-hush-1@127.0.0.1:{port}")
    told = fault(remote(server, retries=4))
    assert told.kind == "proxy" and f"127.0.0.1:{port}" in str(told) and "hush" not in str(told)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.script += [(200, {}, said(SAID))]
    assert ask(remote(server)).sentence == SAID


@pytest.mark.parametrize(
    "answer", [(407, {}, ""), (403, {}, "<html>Access denied</html>"), (503, {}, "<html>down</html>")]
)
def test_what_a_proxy_says_is_the_proxy_s(server, monkeypatch, answer):  # noqa: F811
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1"))
    server.script += [answer]
    told = fault(remote(server, base_url="http://model.invalid/v1"))
    assert told.kind == "proxy" and str(answer[0]) in str(told) and len(server.requests) == 1


# ---- secrets


@pytest.mark.parametrize("key", ["x", "e", "a", "test", "key", "none", "name", "dog", "beach", "ollama", "next to"[:4]])
def test_a_short_key_takes_nothing_out_of_a_caption(server, monkeypatch, tmp_path, key):  # noqa: F811
    monkeypatch.setenv(KEY, key)
    sentence = "A dog sits on a sandy beach next to a blue ball with a name, a key and a test by none of ollama"
    server.script += [(200, {}, said(sentence))]
    told = ask(remote(server))
    assert told.sentence == told.raw == sentence


def test_an_answer_with_the_key_in_it_is_kept_nowhere(server, tmp_path):  # noqa: F811
    key = os.environ[KEY]
    Image.new("RGB", (40, 40)).save(tmp_path / "0.png")
    server.script += [(200, {}, said(f"A dog with {key}."))]
    line = ["describe", str(tmp_path), "--class", "dog", "--by", "openai", "--model", "m", "--base-url", server.url]
    result = CliRunner().invoke(app, [*line, "--instruction", "sentence"])
    assert result.exit_code == 1 and "secret: " in result.output and key not in result.output
    assert {path.name for path in tmp_path.iterdir()} == {"0.png"}


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 413, 418, 500])
@pytest.mark.parametrize("form", ['{{"error": {{"message": "bad {}"}}}}', "<html>bad {}</html>", "bad {}", '["{}"]'])
def test_a_message_is_masked_whatever_it_comes_in(server, status, form):  # noqa: F811
    server.script += [(status, {}, form.format(os.environ[KEY]))]
    told = str(fault(remote(server, retries=0)))
    assert os.environ[KEY] not in told and "***" in told


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("x", "next box: ***"), ("next", "*** box: x"), ("box: x-12345", "next ***"), ("o", "next box: x")],
)
def test_a_short_secret_is_masked_as_a_word_of_its_own(secret, shown):
    assert masked("next box: x" + "-12345" * ("12345" in secret), {secret}) == shown


def test_an_address_s_password_is_sent_and_in_no_log(server, caplog):  # noqa: F811
    caplog.set_level("DEBUG")
    server.script += [(200, {}, said(SAID)), (418, {}, error("hush-hush-1"))]
    describer = remote(server, base_url=server.url.replace("//", "//me:hush-hush-1@"))
    assert ask(describer).sentence == SAID
    told = str(fault(describer)) + caplog.text + repr(describer)
    assert "hush" not in told and "Basic" not in told
    sent = {headers["authorization"] for _, headers, _ in server.requests}
    assert sent == {"Basic " + base64.b64encode(b"me:hush-hush-1").decode()}


# ---- around it


def test_a_notebook_s_running_loop_does_no_harm(server):  # noqa: F811
    import asyncio

    async def cell():
        return ask(remote(server)).sentence

    server.script += [(200, {}, said(SAID))]
    assert asyncio.run(cell()) == SAID


def test_ctrl_c_ends_a_question_at_once(server, tmp_path):  # noqa: F811
    import signal

    Image.new("RGB", (40, 40)).save(tmp_path / "0.png")
    server.script += [lambda body: (200, {}, drip([" "] * 400))]
    line = ["describe", str(tmp_path), "--class", "dog", "--by", "openai", "--model", "m", "--base-url", server.url]
    process = subprocess.Popen([sys.executable, "-m", "sidkit", *line], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not server.requests and time.monotonic() < until:
        time.sleep(0.05)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert server.requests and process.returncode != 0 and time.monotonic() - asked < 20
