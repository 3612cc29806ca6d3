"""The `kith` command. `kith call` is for plugins that ask often: it starts without loading the rest."""

from __future__ import annotations

import sys


def main() -> None:
    if sys.argv[1:2] == ["call"]:
        from kith.call import main as call

        sys.exit(call(sys.argv[2:]))
    from kith.cli import main as command

    command()


if __name__ == "__main__":
    main()
