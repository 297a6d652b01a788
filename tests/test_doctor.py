"""The doctor: needs and gaps of every profile, told before anything starts."""

import http.server
import threading

import pytest
from PIL import Image
from typer.testing import CliRunner

from sidkit import chapters
from sidkit.cli.main import app
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


class Server(http.server.BaseHTTPRequestHandler):
    """Notes what it is asked."""

    seen = []

    def do_POST(self):
        self.seen.append(self.path)
        self.send_error(500)

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def asked(monkeypatch):
    """What a server of OpenAI's kind is asked, to which everything that would ask one is sent."""
    Server.seen.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody")
    yield Server.seen
    server.shutdown()


@pytest.mark.parametrize("describer", ["stickers", "openai:my-model"])
def test_of_one_s_own_pictures_nothing_is_described_written_or_sent(tmp_path, asked, describer):
    for index in range(3):
        Image.new("RGB", (64, 64), (index, 90, 90)).save(tmp_path / f"{index}.png")
    values = [f"folder={tmp_path}", "class_word=dog", f"describer={describer}", "spend_at_most=1"]
    options = [part for value in values for part in ("-p", value)]
    result = CliRunner().invoke(app, ["doctor", "--notebook", "11_your_images", *options])
    assert "plan" in result.output and "personalizations and" in result.output, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png", "2.png"]
    assert not asked


@pytest.mark.parametrize("name", chapters.NOTEBOOKS)
def test_of_every_chapter_that_trains_the_work_is_told(name):
    plans = list(plans_of(name, {}).values())
    report = doctor.examine(load_profile("stickers"), plans)
    assert ("plan" in told(report)) == (name not in ("00_sticker_world", "12_claims"))


def test_a_wrong_parameter_is_refused_as_everywhere():
    with pytest.raises(ValueError, match="unknown parameter 'step'"):
        plans_of("02_description_cases", {"step": 3})


def test_the_memory_table_falls_from_left_to_right():
    rows = memory_table([load_profile(name) for name in ("sd15", "sdxl")])
    for row in rows:
        sizes = [float(value) for key, value in row.items() if key != "profile"]
        assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0] / 1.5
    assert [row["profile"] for row in rows] == ["sd15", "sdxl"]


@pytest.mark.parametrize("notebook", ["00_sticker_world", "12_claims"])
def test_a_page_that_trains_nothing_has_no_plan_and_no_profile(notebook):
    result = CliRunner().invoke(app, ["doctor", "--notebook", notebook])
    assert result.exit_code == 0 and "personalizations" not in result.output, result.output
