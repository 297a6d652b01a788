"""Masks: which pixels of a picture are the subject; given by files, or found in the picture."""
