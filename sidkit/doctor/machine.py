"""The machine that a run would have: its device, how fast that is, and how much memory is free on it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from sidkit.config import Profile
from sidkit.doctor.needs import matrix_speed
from sidkit.doctor.units import gigabytes


@dataclass(frozen=True)
class Machine:
    """`speed` in operations a second of a matrix product in `precision`; `free` memory of the device in bytes."""

    device: str  # cpu or cuda
    name: str
    precision: str
    speed: float
    free: float

    def __str__(self) -> str:
        return f"{self.name}, {self.speed / 1e12:.3g} TFLOP/s in {self.precision}, {gigabytes(self.free)} free"

    @property
    def lacks_bf16(self) -> bool:
        """Whether it is a card that is too old for bf16."""
        return self.device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)


def this_machine(profile: Profile) -> Machine:
    """The GPU that torch sees, or else the CPU; its speed is measured now, in the precision that the profile takes."""
    if not torch.cuda.is_available():
        name = f"CPU, {torch.get_num_threads()} threads"
        return Machine("cpu", name, "fp32", matrix_speed("cpu", "fp32"), main_memory())
    precision = _precision(profile)
    free, _ = torch.cuda.mem_get_info()
    return Machine("cuda", torch.cuda.get_device_name(), precision, matrix_speed("cuda", precision), free)


def main_memory() -> int:
    """Bytes of the main memory that are free."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def _precision(profile: Profile) -> str:
    """That of the profile's first method."""
    first = next(iter(profile.training.values()), None)
    return first.precision if first else "fp32"
