"""Masks: which pixels of a picture are the subject; given by files, or found in the picture.

`given` reads them and cuts pictures by them, with the fills that a profile's `encoders.fill` names.
"""
