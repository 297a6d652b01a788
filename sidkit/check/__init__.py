"""The checker: what a folder's captions would teach wrongly, and what to write instead.

`subject.check_folder` (also `sidkit.check_folder`) checks a folder for a profile; `check.find` one subject's captions.
The word lists are in `words`, the rules in the files named after what they look for.
"""
