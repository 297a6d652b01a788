"""Local describers: tiny random models of transformers' own classes, saved and loaded as real ones are."""

import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AddedToken,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    BlipImageProcessor,
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    OPTConfig,
    PreTrainedTokenizerFast,
)

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.describers import LOCAL, make_describer
from sidkit.describe.instructions import load_instruction
from sidkit.describe.local import _inputs

WORDS = [
    *("a", "A", "dog", "on", "the", "beach", "<image>", "<pad>", "<s>", "</s>", "<unk>"),
    *("USER", "ASSISTANT", "Question", "Answer", ":", ",", ".", "describe"),
]
CHAT = "{% for m in messages %}USER: {% for c in m['content'] %}{% if c['type'] == 'image' %}<image> {% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endfor %} ASSISTANT:"  # noqa: E501
PICTURE = Image.new("RGB", (40, 30), "orange")


def tokenizer():
    made = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    special = dict(pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    told = PreTrainedTokenizerFast(tokenizer_object=made, **special)
    told.add_tokens([AddedToken("<image>", special=True, normalized=False)], special_tokens=True)
    return told


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    folder, words = tmp_path_factory.mktemp("llava"), tokenizer()
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=8
    )
    text = LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    image = words.convert_tokens_to_ids("<image>")
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=image, vision_feature_layer=-1)
    torch.manual_seed(0)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    pictures = CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    options = dict(patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1)
    LlavaProcessor(pictures, words, chat_template=CHAT, image_token="<image>", **options).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def blip2(tmp_path_factory):
    folder, words = tmp_path_factory.mktemp("blip2"), tokenizer()
    shape = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    vision = dict(**shape, image_size=16, patch_size=8)
    qformer = dict(**shape, encoder_hidden_size=16, vocab_size=len(words))
    text = OPTConfig(
        vocab_size=len(words), hidden_size=16, ffn_dim=16, num_hidden_layers=1, num_attention_heads=2,
        word_embed_proj_dim=16, pad_token_id=words.pad_token_id, bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    ).to_dict()  # fmt: skip
    image = words.convert_tokens_to_ids("<image>")
    config = Blip2Config(
        vision_config=vision, qformer_config=qformer, text_config=text, num_query_tokens=4, image_token_index=image
    )
    torch.manual_seed(0)
    Blip2ForConditionalGeneration(config).save_pretrained(folder)
    pictures = BlipImageProcessor(size={"height": 16, "width": 16})
    Blip2Processor(pictures, words, num_query_tokens=4).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["llava", "blip2"])
def test_a_model_of_transformers_answers(kind, request):
    """Random weights say nothing of sense; what is tested is that picture and question reach the model."""
    describer = make_describer(str(request.getfixturevalue(kind)), tokens=5, device="cpu")
    assert describer.cost([(1, 1)], load_instruction("sentence")) is None
    told = describer.describe(PICTURE, "dog", load_instruction("start").filled("dog"))
    assert told.model == describer.name and told.sentence.lower().startswith("a dog")
    again = describer.describe(PICTURE, "dog", load_instruction("start").filled("dog"))
    assert again == told


@pytest.mark.parametrize("kind", ["llava", "blip2"])
def test_the_picture_and_the_question_both_count(kind, request):
    describer = make_describer(str(request.getfixturevalue(kind)), tokens=5, device="cpu")
    processor, model = describer._loaded
    asked = [load_instruction(name).filled("dog") for name in ("start", "sentence")]
    inputs = [_inputs(processor, picture, asked[0]) for picture in (PICTURE, Image.new("RGB", (40, 30), "black"))]
    assert not torch.equal(inputs[0]["pixel_values"], inputs[1]["pixel_values"])
    assert _inputs(processor, PICTURE, asked[1])["input_ids"].shape != inputs[0]["input_ids"].shape
    with torch.no_grad():
        logits = [model(**one).logits for one in inputs]
    assert not torch.allclose(logits[0], logits[1])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_captioner_has_its_checkpoint_s_precision(dtype, llava, tmp_path):
    """Of a device that is no CPU; `meta` has no numbers, and every precision."""
    LlavaForConditionalGeneration.from_pretrained(llava, dtype=dtype).save_pretrained(tmp_path)
    LlavaProcessor.from_pretrained(llava).save_pretrained(tmp_path)
    _, model = make_describer(str(tmp_path), device="meta")._loaded
    assert model.dtype == dtype and {weight.dtype for weight in model.parameters()} == {dtype}
    _, on_cpu = make_describer(str(tmp_path), device="cpu")._loaded
    assert on_cpu.dtype == torch.float32


def test_an_answer_without_the_class_is_off_the_point(llava):
    with pytest.raises(AnswerError) as found:
        make_describer(str(llava), tokens=5).describe(PICTURE, "zebra", load_instruction("sentence").filled("zebra"))
    assert found.value.kind in ("off the point", "empty", "cut off")


def test_a_structure_that_does_not_fit_is_cut_off(llava):
    with pytest.raises(AnswerError) as found:
        make_describer(str(llava), tokens=3).describe(PICTURE, "dog", load_instruction("structure").filled("dog"))
    assert found.value.kind in ("cut off", "broken")


def test_the_names_stand_for_public_checkpoints():
    assert LOCAL["blip2"] == "Salesforce/blip2-opt-2.7b"  # the paper's bibliography
    assert make_describer("llava").name == "llava-hf/llava-1.5-7b-hf"


def test_a_model_that_is_not_there(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="expected an image-text-to-text model"):
        make_describer(str(tmp_path / "empty")).describe(PICTURE, "dog", load_instruction("start").filled("dog"))
