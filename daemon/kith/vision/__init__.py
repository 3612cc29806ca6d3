"""Pixels to faces: decode, detect, align, embed, judge. Runs inside worker processes; see README.md.

Importing this package loads neither OpenCV nor onnxruntime; its modules that look at pixels do.
"""

from kith.vision.formats import PHOTO_SUFFIXES, Limits, is_photo
from kith.vision.settings import VisionSettings

__all__ = ["PHOTO_SUFFIXES", "Limits", "VisionSettings", "is_photo"]
