"""Descriptions: the captions that a subject is trained with, which are all that the paper changes."""
