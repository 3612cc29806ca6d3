"""Pixels to faces: decode, detect, align, embed, judge. Runs inside worker processes; see README.md."""

from kith.vision.analysis import VisionSettings, analyse, embed_crops
from kith.vision.decode import PHOTO_SUFFIXES, Limits, is_photo

__all__ = ["PHOTO_SUFFIXES", "Limits", "VisionSettings", "analyse", "embed_crops", "is_photo"]
