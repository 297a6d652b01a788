"""The checker: what a folder's captions would teach wrongly, and what to write instead."""
