"""Where Kith keeps things, by the XDG base directory specification; the only place that knows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs


@dataclass(frozen=True, slots=True)
class Paths:
    """Kith's own folders. Nothing in them is readable by other users."""

    config: Path
    data: Path
    cache: Path
    state: Path
    runtime: Path

    @classmethod
    def below(cls, home: Path) -> Paths:
        """All of them in one folder, for a Kith apart from the user's own."""
        return cls(*(home / name for name in ("config", "data", "cache", "state", "runtime")))

    @property
    def config_file(self) -> Path:
        return self.config / "kith.toml"

    @property
    def catalogue(self) -> Path:
        return self.data / "catalogue.db"

    @property
    def packs(self) -> Path:
        return self.data / "packs"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    @property
    def token(self) -> Path:
        return self.state / "token"

    @property
    def page(self) -> Path:
        return self.state / "page"

    @property
    def socket(self) -> Path:
        return self.runtime / "kith.sock"

    def make(self) -> None:
        """Create the folders that Kith writes to, closed to other users."""
        for folder in (self.data, self.packs, self.cache, self.state, self.runtime):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def of_user() -> Paths:
    """The folders of the current user, as the XDG variables say."""
    dirs = PlatformDirs("kith", appauthor=False)
    return Paths(
        config=dirs.user_config_path,
        data=dirs.user_data_path,
        cache=dirs.user_cache_path,
        state=dirs.user_state_path,
        runtime=_runtime(dirs),
    )


def usual_for_photos() -> list[Path]:
    """Where this user's photos are likely to be, of those places the ones that are there."""
    pictures = PlatformDirs().user_pictures_path
    likely = (pictures, Path.home() / "Pictures", Path.home() / "Photos")
    return [path for path in dict.fromkeys(likely) if path.is_dir()]


def _runtime(dirs: PlatformDirs) -> Path:
    """Where the socket is; where the system gives this user no such folder, among what Kith keeps anyway."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    return base / "kith" if os.access(base, os.W_OK) else dirs.user_state_path
