"""Makes of each `kith/locale/LANGUAGE.po` the file that gettext reads. Hatch runs it whenever Kith is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from polib import pofile

LOCALE = Path("plugins", "darktable_lua", "kith", "locale")


class Translations(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile all translations in the source tree, where editable installations look for them too."""
        locale = Path(self.root) / LOCALE
        for translation in sorted(locale.glob("*.po")):
            compiled = locale / translation.stem / "LC_MESSAGES" / "kith.mo"
            compiled.parent.mkdir(parents=True, exist_ok=True)
            compiled.write_bytes(pofile(str(translation)).to_binary())
