"""Selectively Informative Description: what to say in a training caption so that [v] keeps only the subject."""

from sidkit import torchvision_ops

torchvision_ops.install()
