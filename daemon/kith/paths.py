"""Where Kith keeps things, by the XDG base directory specification; the only place that knows."""

from __future__ import annotations

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

    def make(self) -> None:
        """Create the folders that Kith writes to, closed to other users."""
        for folder in (self.data, self.packs, self.cache, self.state):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def of_user() -> Paths:
    """The folders of the current user, as the XDG variables say."""
    dirs = PlatformDirs("kith", appauthor=False)
    return Paths(
        config=dirs.user_config_path,
        data=dirs.user_data_path,
        cache=dirs.user_cache_path,
        state=dirs.user_state_path,
    )
