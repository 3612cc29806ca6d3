"""A running Kith under a disk in disorder, and killed at random: python tests/bench/watch_load.py PACK PHOTOS KILLS

Copies PHOTOS drawn photos into a watched folder while others are moved, renamed, deleted and brought back, killing Kith
KILLS times meanwhile; then prints whether catalogue and disk agree, what was analysed more than once, and which answers
that Kith took are not there any more.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import churn
from churn import Churn, Running
from desk import Desk

SETTINGS = "[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n[neighbour]\npause_on_battery = false\n"


def main(pack: Path, count: int, kills: int) -> None:
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.kith("models", "install", "--from", pack)
        desk.configure(SETTINGS)
        disorder = Churn(desk.home / "photos")
        disorder.root.mkdir()
        kith, said, began = Running(desk, disorder.root), {}, time.monotonic()
        rounds = max(kills, 20)
        kith.start()
        for turn in range(rounds):
            disorder.add(count // rounds)
            disorder.stir(count // rounds // 4 + 1)
            if turn >= kills:
                time.sleep(0.5)
                continue
            kith.ready()
            said |= answered(desk, chance, f"Person {turn}")
            time.sleep(chance.uniform(0, 2))
            kith.kill()
            kith.start()
        disorder.add(count % rounds)
        kith.ready()
        churn.settled(desk, disorder, 3600)
        seconds = time.monotonic() - began
        clean = kith.stop() == 0
        report(desk, disorder, said, seconds, clean)


def answered(desk: Desk, chance: random.Random, name: str) -> dict[str, str]:
    """One answer that Kith took, if it knows a face yet."""
    query = (
        "SELECT 'f' || f.id FROM faces f JOIN photos p ON p.id = f.photo_id WHERE f.answer IS NULL AND p.missing = 0"
    )
    waiting = churn.rows(desk, query)
    if not waiting:
        return {}
    (face,) = chance.choice(waiting)
    return {face: name} if desk.run("name", face, name).returncode == 0 else {}


def report(desk: Desk, disorder: Churn, said: dict[str, str], seconds: float, clean: bool) -> None:
    held = dict(churn.rows(desk, "SELECT 'f' || f.id, n.name FROM faces f JOIN people n ON n.id = f.person_id"))
    torn = [path for path in disorder.root.rglob("*.xmp") if not path.read_text().rstrip().endswith(("?>", ">"))]
    twice = churn.analysed_more_than_once(desk)
    print(f"photos on disk and in the catalogue   {len(disorder.photos())}, in agreement after {seconds:.0f} s")
    print(
        f"analysed more than once               {len(twice)} photos, {sum(twice.values()) - len(twice)} times too often"
    )
    lost = sum(held.get(face) != name for face, name in said.items())
    print(f"answers taken, answers lost           {len(said)}, {lost}")
    print(f"sidecars, torn ones                   {len(list(disorder.root.rglob('*.xmp')))}, {len(torn)}")
    print(f"catalogue                             {churn.rows(desk, 'PRAGMA integrity_check')[0][0]}")
    print(f"stopped cleanly at the end            {clean}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
