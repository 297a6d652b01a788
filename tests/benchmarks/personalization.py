"""Speed and memory of training at a profile's true size, on random weights: nothing is downloaded.

    python tests/benchmarks/personalization.py --profile sd15 --batch 1 4 --steps 30
    python tests/benchmarks/personalization.py --profile sd15 --script diffusers/examples/dreambooth/train_dreambooth.py

prints a line of JSON for each method and batch size: steps a second, peak memory, and what `sidkit doctor` said. With
`--script`, diffusers' own script trains the same random pipeline on the same pictures with the same settings, and the
ratio of the two is printed too. Speed is that of the steps between a short and a longer run, so that starting is not
counted; on a CPU the process's own seconds count, so that other work on the machine does not (use one thread:
OMP_NUM_THREADS=1). Written for a GPU, on which it has not run yet; on a CPU it runs with `--profile stickers`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sidkit.config import Profile, load_profile
from sidkit.doctor import needs
from sidkit.doctor.architectures import empty_pipeline
from sidkit.models import DTYPES, text_parts
from sidkit.personalization.loop import personalize
from sidkit.personalization.methods import METHODS

CAPTION = "a photo of a sks dog"
# torchvision's operators are declared first: without them it does not import beside a CPU-only torch.
START = (
    "import sys, runpy, sidkit.torchvision_ops; sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
PYTHON = [sys.executable, "-c", START]


def measure(profile: Profile, method: str, steps: int, device: str) -> dict:
    """Steps a second after a warm-up of the same length, and the peak of memory in bytes (GPU only)."""
    pipe = empty_pipeline(profile, "cpu")
    for part in (pipe.unet, *(text.encoder for text in text_parts(pipe))):
        part.to(DTYPES[profile.memory.weights])
    pipe.to(device)
    pipe.unet.register_to_config(sample_size=profile.resolution // pipe.vae_scale_factor)
    lengths = [replace(profile.training[method], steps=count) for count in (steps, steps, 3 * steps)]  # a warm-up first
    seconds = [_run(pipe, profile, method, training, device) for training in lengths]
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else _resident(resource.RUSAGE_SELF)
    return {"steps_per_second": round(2 * steps / (seconds[2] - seconds[1]), 3), "peak_gb": round(peak / 1e9, 2)}


def diffusers_script(script: Path, profile: Profile, method: str, steps: int) -> dict:
    """The same of diffusers' DreamBooth script, whose peak is the GPU's memory while it runs, or the process's."""
    training = profile.training[method]
    with tempfile.TemporaryDirectory() as folder:
        empty_pipeline(profile, "cpu").save_pretrained(f"{folder}/pipe")
        (Path(folder) / "pictures").mkdir()
        for index, picture in enumerate(_pictures(profile)):
            picture.save(f"{folder}/pictures/{index}.png")
        told = {
            "pretrained_model_name_or_path": f"{folder}/pipe", "instance_data_dir": f"{folder}/pictures",
            "instance_prompt": CAPTION, "resolution": profile.resolution, "train_batch_size": training.batch_size,
            "learning_rate": training.learning_rate, "lr_scheduler": "constant", "output_dir": f"{folder}/out",
            "mixed_precision": "no" if training.precision == "fp32" else training.precision, "seed": 0,
        }  # fmt: skip
        options = [word for name, value in told.items() for word in (f"--{name}", str(value))]
        options += ["--gradient_checkpointing"] if training.gradient_checkpointing else []
        watch = _Watch()
        times = [_timed([*PYTHON, str(script), *options, "--max_train_steps", str(n)]) for n in (steps, 3 * steps)]
        return {"steps_per_second": round(2 * steps / (times[1] - times[0]), 3), "peak_gb": round(watch.stop(), 2)}


def _run(pipe, profile, method, training, device) -> float:
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    pictures = _pictures(profile)
    prior = (pictures, ["a photo of a dog"] * len(pictures)) if training.prior_weight else None
    clock = time.process_time if device == "cpu" else time.monotonic
    started = clock()
    personalize(pipe, pictures, [CAPTION] * len(pictures), method, training, seed=0, prior=prior, progress=False)
    return clock() - started


def _pictures(profile: Profile) -> list[Image.Image]:
    shape = (profile.resolution, profile.resolution, 3)
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, shape, np.uint8)) for _ in range(4)]


def _timed(command: list[str]) -> float:
    """Seconds that a command takes, on a CPU its own ones."""
    started, before = time.monotonic(), _of_children()
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"the script failed: {run.stderr[-2000:]}")
    return time.monotonic() - started if torch.cuda.is_available() else _of_children() - before


def _of_children() -> float:
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


class _Watch(threading.Thread):
    """The most memory that was in use, GB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.on = 0.0, torch.cuda.is_available()
        self.start()

    def run(self) -> None:
        while self.on:
            free, total = torch.cuda.mem_get_info()
            self.most = max(self.most, (total - free) / 1e9)
            time.sleep(0.1)

    def stop(self) -> float:
        self.on = False
        self.join()
        return self.most if torch.cuda.is_available() else _resident(resource.RUSAGE_CHILDREN) / 1e9


def _resident(whose: int) -> float:
    """The most main memory that this process, or the largest of those it started, has held, bytes (Linux)."""
    return 1024 * resource.getrusage(whose).ru_maxrss


def main() -> None:
    """Measure every method of the profile, or those that are named."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--profile", default="sd15")
    reader.add_argument("--method", nargs="*", default=None, choices=sorted(METHODS))
    reader.add_argument("--batch", nargs="*", type=int, default=[1, 4])
    reader.add_argument("--steps", type=int, default=30)
    reader.add_argument("--script", type=Path, default=None)
    reader.add_argument("--repeat", type=int, default=1, help="ours and the script's in turn, this often")
    given = reader.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    profile = load_profile(given.profile)
    for method in given.method or sorted(profile.training):
        for batch in given.batch * given.repeat:
            training = replace(profile.training[method], batch_size=batch)
            if given.script:  # it weighs no class pictures here, so neither do we
                training = replace(training, prior_weight=0, prior_images=0)
            sized = replace(profile, training={**profile.training, method: training})
            speed = needs.matrix_speed(device, training.precision)
            row = {"profile": profile.name, "method": method, "batch": batch, "device": device}
            row |= measure(sized, method, given.steps, device)
            row["doctor"] = {
                "steps_per_second": round(1 / needs.step_seconds(sized, method, speed), 3),
                "peak_gb": round(needs.training_memory(sized, method).total / 1e9, 2),
            }
            if given.script:
                row["diffusers"] = diffusers_script(given.script, sized, method, given.steps)
                row["speed_ratio"] = round(row["steps_per_second"] / row["diffusers"]["steps_per_second"], 2)
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
