"""Which model pack is in use, and whether it may be trusted on this user's photos."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kith.catalogue import faces, settings, trouble, work
from kith.errors import ModelCorrupt, ModelMissing, NotFound
from kith.service.app import App
from kith.service.reports import Report
from kith.vision.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from kith.vision.packs import Pack

SAMPLES = 200  # faces that a self-check looks at
CHECK_EVERY = 25  # photos analysed between self-checks, until one succeeds

AUTO, USER = "auto", "user"  # who chose the pack
IN_USE, NEXT, CHOSEN_BY = "pack", "pack-next", "pack-chosen-by"
TRUSTED, FAILED = "pack-trusted", "packs-failed"


def in_use(app: App) -> str | None:
    """The id of the pack in use."""
    return app.catalogue.read(settings.get, IN_USE) or None


def coming(app: App) -> Pack | None:
    """The pack that was chosen and takes over as soon as it knows all faces. Raises ModelMissing, ModelCorrupt."""
    from kith.vision.packs import load_pack

    pack = app.catalogue.read(settings.get, NEXT)
    return load_pack(app.paths.packs / pack) if pack else None


def is_behind(app: App) -> bool:
    """Whether the pack in use has not seen all faces, or another one is to take over."""
    current = in_use(app)
    if current is None:
        return False
    return bool(app.catalogue.read(settings.get, NEXT) or app.catalogue.read(faces.to_embed, current))


def manifest(app: App) -> Manifest:
    """What the pack in use says of itself, without loading its models. Raises ModelMissing, ModelCorrupt."""
    return read_manifest(_folder(app))


def load(app: App) -> Pack:
    """The pack in use, verified and loaded. Raises ModelMissing, ModelCorrupt."""
    from kith.vision.packs import load_pack

    return load_pack(_folder(app))


def _folder(app: App) -> Path:
    pack = in_use(app)
    if pack is None:
        raise ModelMissing("Kith has no model yet that finds faces: run `kith models install auto` once.")
    return app.paths.packs / pack


def get(app: App, wanted: str, source: Path | None, report: Report) -> str:
    """Install a pack, or for "auto" the first that can be had, and use it; gives its id.

    "auto" keeps a pack that is in use already, and passes over packs that failed their self-check here.
    """
    current = in_use(app)
    if wanted == AUTO and source is None and current is not None and (app.paths.packs / current).is_dir():
        return current
    from kith.vision import install

    failed = tuple((app.catalogue.read(settings.get, FAILED) or "").split())
    pack = install.install(app.paths.packs, wanted, source=source, but=failed, say=report.say)
    use(app, pack.id, chosen_by=AUTO if wanted == AUTO and source is None else USER)
    return pack.id


def listed(app: App) -> list[dict[str, Any]]:
    """All packs there are: installed, in use, or to be had."""
    from kith.vision import install

    current = in_use(app)
    following = app.catalogue.read(settings.get, NEXT)
    return [
        asdict(pack) | {"in_use": pack.id == current, "next": pack.id == following}
        for pack in install.available(app.paths.packs)
    ]


def use(app: App, pack: str, chosen_by: str = USER) -> None:
    """Use an installed pack: at once where no other knows any face, else when it knows them all too.

    Names stay, and no photo is opened: the next scan embeds all faces from their crops. Until that is done, what the
    pack in use believes stands.
    """
    from kith.vision import install
    from kith.vision.packs import load_pack

    installed = [found.id for found in install.available(app.paths.packs) if found.installed]
    if pack not in installed:
        raise NotFound(f"There is no model pack {pack} installed; there is: {', '.join(installed) or 'none'}.")
    load_pack(app.paths.packs / pack)
    app.catalogue.write(settings.put, CHOSEN_BY, chosen_by)
    current = in_use(app)
    if current not in (None, pack) and current in installed and app.catalogue.read(faces.is_known_to, current):
        app.catalogue.write(settings.put, NEXT, pack)
    else:
        _take_over(app, pack)


def take_over(app: App, pack: Pack) -> None:
    """The pack that was chosen knows all faces: it is in use from now on.

    Raises ModelCorrupt where it doesn't tell this user's faces apart; then the one in use stays.
    """
    from kith.vision.selfcheck import self_check

    app.catalogue.write(settings.put, NEXT, "")
    if self_check(pack, app.catalogue.read(faces.first_crops, None, SAMPLES)):
        app.catalogue.write(settings.put, TRUSTED, f"{pack.id} {pack.manifest.version}")
    _take_over(app, pack.id)


def _take_over(app: App, pack: str) -> None:
    app.catalogue.write(settings.put, NEXT, "")
    if in_use(app) != pack:
        app.catalogue.write(settings.put, IN_USE, pack)
        app.catalogue.write(trouble.forget_stage, "analyse")


def adopt(app: App) -> None:
    """Where the catalogue that knew which pack was in use is lost: the one that was installed last."""
    if in_use(app) is not None:
        return
    from kith.vision import install

    installed = [pack.id for pack in install.available(app.paths.packs) if pack.installed]
    if installed:
        use(app, max(installed, key=lambda pack: (app.paths.packs / pack).stat().st_mtime), AUTO)


def is_trusted(app: App, pack: Manifest) -> bool:
    """Whether the pack passed its self-check on this user's photos."""
    return app.catalogue.read(settings.get, TRUSTED) == f"{pack.id} {pack.version}"


def check(app: App, pack: Pack) -> bool:
    """Look whether the pack tells the user's first faces apart; False while there are too few to say.

    Raises ModelCorrupt where it doesn't.
    """
    from kith.vision.selfcheck import self_check

    if is_trusted(app, pack.manifest):
        return True
    samples = app.catalogue.read(faces.first_crops, pack.id, SAMPLES)
    if not self_check(pack, samples):
        return False
    app.catalogue.write(settings.put, TRUSTED, f"{pack.id} {pack.manifest.version}")
    return True


def set_aside(app: App, pack: Pack, error: ModelCorrupt, report: Report) -> Pack:
    """Give up a pack that failed its self-check: what it found is forgotten, and "auto" moves on to the next one.

    Raises the error where the user chose this pack.
    """
    from kith.vision.packs import load_pack

    app.catalogue.write(work.analyse_again, pack.id)
    if app.catalogue.read(settings.get, CHOSEN_BY) != AUTO:
        raise error
    failed = app.catalogue.read(settings.get, FAILED) or ""
    app.catalogue.write(settings.put, FAILED, f"{failed} {pack.id}".strip())
    app.catalogue.write(settings.put, IN_USE, "")
    report.say(f"{error.message} Trying the next one.")
    return load_pack(app.paths.packs / get(app, AUTO, None, report))
