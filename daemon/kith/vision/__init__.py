"""Pixels to faces: decode, detect, align, embed, judge. Runs inside worker processes; see README.md."""
