"""The doctor: needs and gaps of every profile, told before anything starts."""

import pytest

from sidkit.config import load_profile
from sidkit.doctor import report as doctor
from sidkit.doctor.memory_table import memory_table
from sidkit.doctor.planned import plans_of


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine whose speed and memory are known."""
    monkeypatch.setattr("sidkit.doctor.machine.matrix_speed", lambda *_: 1e13)
    monkeypatch.setattr("sidkit.doctor.machine.main_memory", lambda: 8e9)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


def told(report):
    return dict(report.rows)


def test_stickers_are_ready_and_small():
    report = doctor.examine(load_profile("stickers"))
    assert not report.missing and str(report).endswith("ready")
    assert told(report)["download"] == "nothing"
    assert float(told(report)["dreambooth"].split()[0]) < 3


def test_a_large_profile_says_what_it_lacks_and_how_to_make_it_smaller(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    report = doctor.examine(load_profile("sd15"))
    assert "stable-diffusion-v1-5 4.3 GB" in told(report)["download"]  # 1.066 billion numbers of 4 bytes
    missing = "\n".join(report.missing)
    assert "8.0 GB free; set gradient_checkpointing: true, optimizer: adamw8bit" in missing
    assert "a GPU: none" in missing and "HF_HUB_OFFLINE" in missing


def test_an_optimizer_that_is_not_installed_is_missing(monkeypatch):
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda _: None)
    profile = load_profile("stickers", training={"dreambooth": {"optimizer": "adamw8bit"}})
    assert "pip install bitsandbytes" in str(doctor.examine(profile))


def test_the_plan_of_a_notebook_is_counted_and_not_run(monkeypatch):
    monkeypatch.setattr("sidkit.study.run.run_study", lambda *_, **__: pytest.fail("ran"))
    (plan,) = plans_of("02_description_cases", {"scale": "quick", "subjects": ["dog"], "pictures": 3}).values()
    assert plan.runs == 4 and plan.pictures_total == 4 * 4 * 3
    assert "4 personalizations and 48 pictures" in told(doctor.examine(plan.profile, [plan]))["plan"]


def test_a_wrong_parameter_is_refused_as_everywhere():
    with pytest.raises(ValueError, match="unknown parameter 'step'"):
        plans_of("02_description_cases", {"step": 3})


def test_the_memory_table_falls_from_left_to_right():
    rows = memory_table([load_profile(name) for name in ("sd15", "sdxl")])
    for row in rows:
        sizes = [float(value) for key, value in row.items() if key != "profile"]
        assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0] / 1.5
    assert [row["profile"] for row in rows] == ["sd15", "sdxl"]
