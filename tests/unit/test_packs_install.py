"""What getting model packs promises."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tomllib
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from kith.errors import BadRequest, ModelCorrupt, ModelMissing, NotFound
from kith.vision import dlib_onnx
from kith.vision.analysis import analyse
from kith.vision.install import Source, available, find, install, recipes, to_toml
from kith.vision.manifest import Manifest, read_manifest
from kith.vision.packs import Pack, load_pack
from kith.vision.session import open_session
from packs import make_test_pack

NETWORK = "urllib.request.urlopen"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host answers, neither for downloads nor for pip."""

    def unreachable(*_args, **_options):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(NETWORK, unreachable)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


def test_every_recipe_makes_a_valid_description() -> None:
    assert [recipe.id for recipe in recipes()] == ["opencv-zoo", "base"]
    for recipe in recipes():
        files = {role: {"name": s.name, "sha256": s.sha256} for role, s in recipe.sources.items()}
        manifest = msgspec.convert(tomllib.loads(to_toml({**recipe.pack, "files": files})), Manifest, strict=False)
        cuts = manifest.calibration.cosine_fmr
        assert cuts["1e-3"] < cuts["1e-4"] < cuts["1e-5"]


def test_a_pack_folder_is_installed_as_it_is(shared: Path, tmp_path: Path) -> None:
    source = make_test_pack(shared, tmp_path / "source")
    (source / "holiday.jpg").write_bytes(b"not of the pack")
    said: list[str] = []
    pack = install(tmp_path / "packs", "auto", source=source, say=said.append)
    assert pack.id == "test" and pack.folder == tmp_path / "packs" / "test"
    assert names(pack.folder) == ["face_detection_yunet_2023mar.onnx", "mobilefacenet.onnx", "pack.toml"]
    assert names(tmp_path / "packs") == ["test"]
    assert "test" in said[-1]
    assert {row.id: row.installed for row in available(tmp_path / "packs")} == {
        "opencv-zoo": False,
        "base": False,
        "test": True,
    }


def test_a_corrupt_pack_folder_leaves_the_installed_one_alone(shared: Path, tmp_path: Path) -> None:
    source = make_test_pack(shared, tmp_path / "source")
    install(tmp_path / "packs", "test", source=source)
    (source / "mobilefacenet.onnx").write_bytes(b"something else")
    with pytest.raises(ModelCorrupt):
        install(tmp_path / "packs", "test", source=source)
    assert names(tmp_path / "packs") == ["test"]
    load_pack(tmp_path / "packs" / "test")


def test_installing_again_replaces_a_damaged_pack(shared: Path, tmp_path: Path) -> None:
    source = make_test_pack(shared, tmp_path / "source")
    folder = install(tmp_path / "packs", "test", source=source).folder
    (folder / "mobilefacenet.onnx").write_bytes(b"damaged")
    install(tmp_path / "packs", "test", source=source)
    load_pack(folder)
    assert names(tmp_path / "packs") == ["test"]


def test_a_wrong_name_or_source_is_told(shared: Path, tmp_path: Path) -> None:
    source = make_test_pack(shared, tmp_path / "source")
    with pytest.raises(BadRequest, match="test"):
        install(tmp_path / "packs", "base", source=source)
    with pytest.raises(NotFound, match="opencv-zoo"):
        install(tmp_path / "packs", "bass")
    with pytest.raises(BadRequest, match="doesn't exist"):
        install(tmp_path / "packs", "base", source=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadRequest, match=r"centerface.*sha256 09189dea"):
        install(tmp_path / "packs", "base", source=tmp_path / "empty")


def test_without_a_network_every_attempt_is_told_with_what_to_do(tmp_path: Path, offline: None) -> None:
    with pytest.raises(ModelMissing) as failed:
        install(tmp_path / "packs", "auto")
    for told in ("opencv-zoo", "Network is unreachable", "base", "pip", "--from"):
        assert told in failed.value.message
    assert not list(tmp_path.glob("packs/*"))
    with pytest.raises(ModelMissing, match="opencv-zoo --from"):
        install(tmp_path / "packs", "opencv-zoo")


def test_auto_passes_over_packs_that_failed_before(tmp_path: Path, offline: None) -> None:
    with pytest.raises(ModelMissing) as failed:
        install(tmp_path / "packs", "auto", but=["opencv-zoo"])
    assert "opencv-zoo" not in failed.value.message
    with pytest.raises(ModelMissing, match="ruled out"):
        install(tmp_path / "packs", "auto", but=["opencv-zoo", "base"])


def test_a_download_that_is_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NETWORK, lambda *_args, **_options: io.BytesIO(b"<html>sorry</html>"))
    with pytest.raises(ModelMissing, match="another file"):
        install(tmp_path / "packs", "opencv-zoo")


def test_originals_are_found_in_folders_and_archives(tmp_path: Path) -> None:
    data = b"weights" * 100
    wanted = Source("a.onnx", hashlib.sha256(data).hexdigest(), len(data))
    decoy = b"w" * len(data)
    (tmp_path / "plain" / "deep").mkdir(parents=True)
    (tmp_path / "plain" / "deep" / "any name").write_bytes(data)
    (tmp_path / "plain" / "a.onnx").write_bytes(decoy)
    with zipfile.ZipFile(tmp_path / "some.whl", "w") as archive:
        archive.writestr("x/a.onnx", decoy)
        archive.writestr("x/b.onnx", data)
    with tarfile.open(tmp_path / "some.tar.gz", "w:gz") as archive:
        for name, content in (("../../a.onnx", decoy), ("/abs/b.onnx", data)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    for source in ("plain", "plain/deep/any name", "some.whl", "some.tar.gz", "."):
        assert find(tmp_path / source, wanted) == data
    assert find(tmp_path / "plain" / "a.onnx", wanted) is None


@pytest.mark.slow
def test_base_is_made_by_pip_and_finds_people(base_pack: Pack, shared: Path, tmp_path: Path) -> None:
    assert base_pack.id == "base"
    people = [sorted(folder.glob("*.jpg")) for folder in sorted((shared / "data" / "lfw").iterdir())]
    pairs = [p[:2] for p in people if len(p) > 3][:10]
    vectors = np.array([max(analyse(q, base_pack).faces, key=lambda f: f.box.w).embedding for p in pairs for q in p])
    similar = vectors @ vectors.T - 2 * np.eye(len(vectors))
    assert (similar.argmax(1) == np.arange(len(vectors)) ^ 1).mean() >= 0.8


@pytest.mark.slow
def test_base_installed_again_is_left_as_it_is(base_pack: Pack, offline: None) -> None:
    before = (base_pack.folder / "pack.toml").stat().st_mtime_ns
    again = install(base_pack.folder.parent, "base")
    assert (again.folder / "pack.toml").stat().st_mtime_ns == before
    assert read_manifest(again.folder).calibration.measured


def dlib_weights(base_pack: Pack) -> bytes:
    """dlib's original file, by the way that installing takes."""
    from tempfile import TemporaryDirectory

    from kith.vision.install import _obtain

    recipe = next(recipe for recipe in recipes() if recipe.id == "base")
    with TemporaryDirectory() as folder:
        return _obtain(recipe.sources.embedder, recipe, None, Path(folder), print)


@pytest.mark.slow
def test_the_converted_network_equals_dlibs(base_pack: Pack, shared: Path, tmp_path: Path) -> None:
    dlib = pytest.importorskip("_dlib_pybind11")
    data = dlib_weights(base_pack)
    (tmp_path / "dlib.dat").write_bytes(data)
    theirs = dlib.face_recognition_model_v1(str(tmp_path / "dlib.dat"))
    ours = open_session(dlib_onnx.convert(data), (0,))
    import cv2

    photos = sorted((shared / "data" / "lfw").glob("*/*.jpg"))[::400]
    chips = [cv2.resize(cv2.imread(str(path))[50:200, 50:200, ::-1], (150, 150)) for path in photos]
    blob = np.stack(chips).transpose(0, 3, 1, 2).astype(np.float32)
    expected = np.array([theirs.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips])
    assert np.abs(ours.run(None, {"input": blob})[0] - expected).max() < 1e-5
    assert dlib_onnx.convert(data) == dlib_onnx.convert(data)


@pytest.mark.parametrize("data", [b"", b"rubbish" * 100, b"\x01\x05con_4" + b"\x01\x02" * 50])
def test_what_is_not_dlibs_network_is_refused(data: bytes) -> None:
    with pytest.raises(ModelCorrupt, match="dlib"):
        dlib_onnx.convert(data)
