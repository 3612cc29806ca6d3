"""What finding, aligning, embedding and judging faces promises."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drawn
from kith.errors import PhotoUnreadable
from kith.geometry import overlap
from kith.pools import SpawnPool
from kith.types import Analysis, Box, Crop
from kith.vision import VisionSettings, align, worker
from kith.vision.analysis import analyse, embed_crops
from kith.vision.detect import Detections, suppressed
from kith.vision.packs import Pack
from kith.vision.quality import judge, ramp

ARC = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]], np.float32)
STEPS = {"read", "decode", "detect", "align", "embed", "judge"}


@pytest.fixture(scope="session")
def group(shared: Path, test_pack: Pack) -> Path:
    """A photo of several people."""
    photos = sorted((shared / "data" / "photos").glob("*.jpg"))[::4]
    return max(photos, key=lambda path: len(analyse(path, test_pack).faces))


@pytest.fixture(scope="session")
def pictures(shared: Path) -> list[Path]:
    """The same person twice, for twelve people."""
    people = [sorted(folder.glob("*.jpg")) for folder in sorted((shared / "data" / "lfw").iterdir())]
    return [path for pair in [p[:2] for p in people if len(p) > 3][:12] for path in pair]


def middle(analysis: Analysis):
    return min(analysis.faces, key=lambda face: math.hypot(face.box.x - 0.5, face.box.y - 0.5))


def test_the_same_person_is_nearer_than_anyone_else(pictures: list[Path], test_pack: Pack) -> None:
    vectors = np.array([middle(analyse(path, test_pack)).embedding for path in pictures])
    similar = vectors @ vectors.T - 2 * np.eye(len(vectors))
    partner = np.arange(len(vectors)) ^ 1
    assert (similar.argmax(1) == partner).mean() >= 0.9
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_an_analysis_is_a_pure_function(group: Path, test_pack: Pack) -> None:
    first, second = analyse(group, test_pack), analyse(str(group).encode(), test_pack)
    assert [face.box for face in first.faces] == [face.box for face in second.faces]
    assert all(np.array_equal(a.embedding, b.embedding) for a, b in zip(first.faces, second.faces, strict=True))
    assert set(first.seconds) == STEPS


def test_faces_lie_in_the_frame_and_are_judged(group: Path, test_pack: Pack) -> None:
    faces = analyse(group, test_pack).faces
    assert len(faces) >= 2
    for face in faces:
        assert 0 < face.box.w <= 1 and 0 < face.box.h <= 1
        assert 0 <= face.quality <= 1 and 0 < face.score <= 1
        assert face.embedding.shape == (128,) and face.embedding.dtype == np.float32
        assert face.landmarks.shape == face.crop.landmarks.shape == (5, 2)


def test_a_stored_crop_gives_the_photos_embedding(group: Path, pictures: list[Path], test_pack: Pack) -> None:
    faces = [face for path in [group, *pictures] for face in analyse(path, test_pack).faces]
    again = embed_crops([face.crop for face in faces], test_pack)
    same = (again * np.array([face.embedding for face in faces])).sum(1)
    good = np.array([face.quality for face in faces]) >= 0.5
    assert np.median(same) > 0.99 and same[good].min() > 0.97
    assert max(len(face.crop.jpeg) for face in faces) < 60_000


def test_a_broken_crop_says_so(test_pack: Pack) -> None:
    for jpeg in (b"", b"rubbish"):
        with pytest.raises(PhotoUnreadable):
            embed_crops([Crop(jpeg, ARC)], test_pack)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_boxes_are_those_of_the_displayed_photo(group: Path, test_pack: Pack, tmp_path: Path, orientation: int) -> None:
    from PIL import Image as Pillow

    turns = {3: Pillow.ROTATE_180, 6: Pillow.ROTATE_90, 8: Pillow.ROTATE_270}
    exif = Pillow.Exif()
    exif[274] = orientation
    with Pillow.open(group) as picture:
        picture.convert("RGB").transpose(turns[orientation]).save(tmp_path / "t.jpg", quality=95, exif=exif.tobytes())
        upright = picture.size
    expected, turned = analyse(group, test_pack), analyse(tmp_path / "t.jpg", test_pack)
    assert (turned.width, turned.height) == (upright if orientation == 3 else upright[::-1])
    assert turned.orientation == orientation
    ious = overlap([f.box for f in expected.faces], [f.box for f in turned.faces])
    assert (ious.max(1) > 0.8).mean() > 0.9


@pytest.mark.parametrize("turn", [cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE])
def test_a_face_on_its_side_is_known_where_no_orientation_is_told(pictures, test_pack, tmp_path, turn) -> None:
    alike = []
    for path in pictures[:8]:
        upright = middle(analyse(path, test_pack))
        cv2.imwrite(str(tmp_path / "side.png"), cv2.rotate(cv2.imread(str(path)), turn))
        alike.append(float(middle(analyse(tmp_path / "side.png", test_pack)).embedding @ upright.embedding))
    assert min(alike) > 0.8


def test_a_told_orientation_is_believed(pictures, test_pack, tmp_path: Path) -> None:
    from PIL import Image as Pillow

    exif = Pillow.Exif()
    exif[274] = 1
    Pillow.open(pictures[0]).transpose(Pillow.ROTATE_90).save(tmp_path / "side.jpg", quality=95, exif=exif.tobytes())
    assert not analyse(tmp_path / "side.jpg", test_pack).faces


def test_small_faces_in_a_large_photo_are_found_and_known(pictures, test_pack, tmp_path: Path) -> None:
    canvas = np.full((3000, 4000, 3), 120, np.uint8)
    upright = [middle(analyse(path, test_pack)).embedding for path in pictures[:6:2]]
    for n, path in enumerate(pictures[:6:2]):
        canvas[400 + 800 * n : 650 + 800 * n, 600 + 900 * n : 850 + 900 * n] = cv2.imread(str(path))
    cv2.imwrite(str(tmp_path / "large.jpg"), canvas, [cv2.IMWRITE_JPEG_QUALITY, 95])
    faces = analyse(tmp_path / "large.jpg", test_pack).faces
    best = (np.array(upright) @ np.array([face.embedding for face in faces]).T).max(1)
    assert best.min() > 0.7


def test_settings_are_obeyed(group: Path, test_pack: Pack) -> None:
    everything = analyse(group, test_pack, VisionSettings(min_score=0.3, min_size=1)).faces
    usual = analyse(group, test_pack).faces
    assert len(everything) >= len(usual) > len(analyse(group, test_pack, VisionSettings(min_score=0.999)).faces)
    assert not analyse(group, test_pack, VisionSettings(min_size=5000)).faces


def test_a_worker_process_sees_what_the_caller_sees(group, test_pack, pack: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    here = analyse(group, test_pack)
    pool = SpawnPool(1, worker.initialise, (pack, VisionSettings()))
    try:
        there = pool.submit(worker.analyse_file, worker.Request(str(group).encode())).result(timeout=120)
        with pytest.raises(PhotoUnreadable, match="text"):
            pool.submit(worker.analyse_file, worker.Request(bytes(tmp_path / "text.jpg"))).result(timeout=120)
        again = pool.submit(worker.embed_stored, [face.crop for face in there.faces]).result(timeout=120)
    finally:
        pool.shutdown()
    assert [face.box for face in here.faces] == [face.box for face in there.faces]
    assert np.array_equal(again, embed_crops([face.crop for face in here.faces], test_pack))


@given(st.floats(-math.pi, math.pi), st.floats(0.2, 5), st.floats(-300, 300), st.floats(-300, 300))
def test_alignment_undoes_any_turn_scale_and_shift(angle: float, scale: float, x: float, y: float) -> None:
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = (ARC @ turn.T * scale + (x, y)).astype(np.float32)
    matrix = align.similarity(moved, ARC)
    assert np.allclose(moved @ matrix[:, :2].T + matrix[:, 2], ARC, atol=0.01)
    assert np.linalg.det(matrix[:, :2]) > 0
    assert align.residual(moved, ARC) < 1e-3


def test_a_mirrored_mirror_is_the_picture() -> None:
    image = np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8)
    back, points = align.mirrored(*align.mirrored(image, ARC))
    assert np.array_equal(back, image) and np.allclose(points, ARC)


@given(st.lists(st.tuples(*[st.floats(0, 100)] * 4, st.floats(0.1, 1)), max_size=20))
def test_suppression_leaves_no_two_boxes_on_one_face(rows) -> None:
    boxes = np.array([(x, y, x + w + 1, y + h + 1) for x, y, w, h, _ in rows], np.float32).reshape(-1, 4)
    scores = np.array([row[4] for row in rows], np.float32)
    kept = suppressed(Detections(boxes, scores, np.zeros((len(rows), 5, 2), np.float32)))
    unit = [Box((b[0] + b[2]) / 2, (b[1] + b[3]) / 2, b[2] - b[0], b[3] - b[1]) for b in kept.boxes]
    assert (overlap(unit, unit) - np.eye(len(unit)) < 0.31).all()
    assert len(kept) == 0 or kept.scores.max() == scores.max()


@given(st.floats(-100, 100), st.floats(-50, 50), st.floats(-50, 50).filter(lambda v: abs(v) > 0.1))
def test_a_ramp_stays_between_nothing_and_all(value: float, start: float, step: float) -> None:
    assert 0 <= ramp(value, start, start + step) <= 1
    assert ramp(start, start, start + step) == 0 and ramp(start + 2 * step, start, start + step) == 1


def test_worse_pictures_of_a_face_are_worth_less(pictures: list[Path], test_pack: Pack, tmp_path: Path) -> None:
    def quality_of(image: np.ndarray) -> float:
        cv2.imwrite(str(tmp_path / "x.png"), image)
        faces = analyse(tmp_path / "x.png", test_pack).faces
        return middle(Analysis("", 1, 1, 1, None, faces)).quality if faces else 0.0

    images = [cv2.imread(str(path)) for path in pictures[:8]]
    good, blurred, tiny = [], [], []
    for image in images:
        good.append(quality_of(image))
        blurred.append(quality_of(cv2.GaussianBlur(image, (0, 0), 4)))
        small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        tiny.append(quality_of(cv2.copyMakeBorder(small, 0, 190, 0, 190, cv2.BORDER_CONSTANT)))
    assert np.median(good) > 2 * np.median(blurred)
    assert np.median(good) > np.median(tiny) + 0.1


def test_a_turned_head_is_worth_less_than_a_frontal_one() -> None:
    profile = ARC.copy()
    profile[:, 0] = 56 + (profile[:, 0] - 56) * 0.3
    profile[2, 0] += 15
    chip = np.random.default_rng(1).integers(0, 255, (112, 112, 3), np.uint8)
    frontal, turned = (judge(points, ARC, chip, 0.9, 1.0, None) for points in (ARC, profile))
    assert frontal.pose == 1 and turned.pose < 0.2
    assert turned.quality <= turned.pose


def test_a_given_box_that_no_detector_fills_is_a_face_all_the_same(tmp_path: Path, test_pack: Pack) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), tmp_path / "a.jpg")
    (seen,) = analyse(photo, test_pack).faces
    corner = Box(0.06, 0.9, 0.08, 0.12)
    found = analyse(photo, test_pack, given=[corner, seen.box]).faces
    detected, given_face = found
    assert detected.box == seen.box
    assert given_face.box.x == pytest.approx(corner.x, abs=1e-4)
    assert given_face.score == 0.0
    assert given_face.quality < 0.1


def test_a_given_box_around_a_face_too_faint_to_be_found_gets_its_real_landmarks(
    tmp_path: Path, test_pack: Pack
) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), tmp_path / "a.jpg")
    (seen,) = analyse(photo, test_pack).faces
    (given,) = analyse(photo, test_pack, VisionSettings(min_size=2000), given=[seen.box]).faces
    assert np.abs(given.landmarks - seen.landmarks).max() < 0.02
    assert float(given.embedding @ seen.embedding) > 0.8
