"""What loading and trusting model packs promises."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from kith.errors import ModelCorrupt, ModelMissing
from kith.types import Crop, PhotoId
from kith.vision.analysis import analyse
from kith.vision.embed import Embedder
from kith.vision.manifest import parse_manifest, read_manifest
from kith.vision.packs import Pack, load_pack
from kith.vision.selfcheck import self_check
from kith.vision.session import open_session
from packs import DATA, make_test_pack

MANIFEST = (DATA / "test-pack.toml").read_text()


def test_a_missing_pack_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="kith models install"):
        load_pack(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["face_detection_yunet_2023mar.onnx", "mobilefacenet.onnx"])
def test_a_changed_byte_is_noticed(shared: Path, tmp_path: Path, name: str) -> None:
    folder = make_test_pack(shared, tmp_path / "test")
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelCorrupt, match=re.escape(name)):
        load_pack(folder)
    (folder / name).unlink()
    with pytest.raises(ModelCorrupt, match=re.escape(name)):
        load_pack(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "yunet"', 'kind = "yolo"'),
        ("[embedder]", "[embedder]\nnorm = 2"),
        ('name = "mobilefacenet.onnx"', 'name = "../../etc/passwd"'),
        ('sha256 = "8f', 'sha256 = "zz'),
        ("size = 112", 'size = "large"'),
        ("[70.7299, 92.2041]]", "[70.7299]]"),
        ("measured = true", ""),
        ("[detector]", "[detector"),
        ("cohort = [\n", 'cohort = [\n  "AAAA",\n'),
        ("cohort = [\n", 'cohort = [\n  "no base64",\n'),
    ],
)
def test_a_description_with_a_mistake_is_refused(old: str, new: str) -> None:
    assert MANIFEST.count(old) == 1
    parse_manifest(MANIFEST, "pack.toml")
    with pytest.raises(ModelCorrupt, match=r"pack\.toml"):
        parse_manifest(MANIFEST.replace(old, new), "pack.toml")


def test_a_file_that_is_no_model_is_refused(shared: Path, tmp_path: Path) -> None:
    folder = make_test_pack(shared, tmp_path / "test")
    (folder / "mobilefacenet.onnx").write_bytes(b"no model")
    import hashlib

    text = (folder / "pack.toml").read_text()
    pinned = read_manifest(folder).files.embedder.sha256
    (folder / "pack.toml").write_text(text.replace(pinned, hashlib.sha256(b"no model").hexdigest()))
    with pytest.raises(ModelCorrupt, match="don't load"):
        load_pack(folder)


def test_the_calibration_is_what_the_description_says(test_pack: Pack) -> None:
    assert test_pack.calibration.measured
    cuts = test_pack.calibration.cosine_fmr
    assert set(cuts) == {"1e-3", "1e-4", "1e-5"}
    assert cuts["1e-3"] < cuts["1e-4"] < cuts["1e-5"]


@pytest.fixture(scope="module")
def crops(shared: Path, test_pack: Pack) -> list[tuple[PhotoId, Crop]]:
    photos = sorted((shared / "data" / "photos").iterdir())[::3]
    return [(PhotoId(n), face.crop) for n, path in enumerate(photos) for face in analyse(path, test_pack).faces]


def altered(pack: Pack, **changes: object) -> Pack:
    embedder = msgspec.structs.replace(pack.manifest.embedder, **changes)
    manifest = msgspec.structs.replace(pack.manifest, embedder=embedder)
    template = np.array(embedder.template, np.float32)
    return Pack(pack.folder, manifest, pack.detector, Embedder(pack.embedder.session, embedder), template)


def shuffled(pack: Pack) -> Pack:
    """The same pack with the weights of every layer in another order."""
    model = onnx.load(str(pack.folder / pack.manifest.files.embedder.name))
    order = np.random.default_rng(1)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.ndim >= 2:
            mixed = order.permutation(values.ravel()).reshape(values.shape)
            tensor.CopyFrom(onnx.numpy_helper.from_array(mixed, tensor.name))
    session = open_session(model.SerializeToString(), (0,))
    return Pack(pack.folder, pack.manifest, pack.detector, Embedder(session, pack.manifest.embedder), pack.template)


def test_a_sound_pack_is_trusted(test_pack: Pack, crops) -> None:
    assert self_check(test_pack, crops) is True


def test_a_collage_of_one_person_is_no_reason_for_distrust(test_pack: Pack, crops) -> None:
    photos = [photo for photo, _ in crops]
    alone = next(crop for photo, crop in crops if photos.count(photo) == 1)
    collage = [(PhotoId(10_000), alone)] * 30
    assert self_check(test_pack, crops + collage) is True


def test_a_few_faces_are_no_reason_for_trust(test_pack: Pack, crops) -> None:
    assert self_check(test_pack, []) is False
    assert self_check(test_pack, crops[:3]) is False


def test_shuffled_weights_are_not_trusted(test_pack: Pack, crops) -> None:
    with pytest.raises(ModelCorrupt, match="test"):
        self_check(shuffled(test_pack), crops)


@pytest.mark.parametrize(
    "changes",
    [
        {"std": (10_000.0, 10_000.0, 10_000.0)},
        {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)},
        {"template": ((51.7, 38.3), (51.5, 73.5), (71.7, 56.0), (92.4, 41.5), (92.2, 70.7))},
    ],
)
def test_wrong_preprocessing_is_not_trusted(test_pack: Pack, crops, changes) -> None:
    with pytest.raises(ModelCorrupt, match="Nothing is named by it"):
        self_check(altered(test_pack, **changes), crops)
