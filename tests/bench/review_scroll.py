"""Scroll a wall of very many faces from end to end: how long is a frame, how much memory does the page take?

    review_scroll.py [--faces 100000]

The faces are rows of a made catalogue, all of one person, with one small crop. First the wall is walked through at
reading speed, then flung from end to end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import cv2
from playwright.sync_api import CDPSession, Page, sync_playwright
from sqlite_utils import Database

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "web"))

from at_work import logged_in

from served import Running, crop, running, served

READING, FLUNG = 40, 4000  # pixels a frame
SCROLL = """
([step, most]) => new Promise((done) => {
  const frames = [];
  let before = performance.now();
  const end = () => scrollY + innerHeight >= document.documentElement.scrollHeight - 1;
  requestAnimationFrame(function frame(now) {
    frames.push(now - before);
    before = now;
    if (end() || frames.length >= most) return done(frames.slice(1));
    scrollBy(0, step);
    requestAnimationFrame(frame);
  });
})
"""


def fill(db: Database, faces: int) -> None:
    """So many faces of Anna, two a photo, over twenty years."""
    db.execute("INSERT INTO people (id, born_as, name, key) VALUES (1, 'Anna', 'Anna', 'anna')")
    span = 20 * 365 * 86400
    db.conn.executemany(
        "INSERT INTO photos (id, path, size, mtime_ns, content_key, analysed_rev, width, height, orientation,"
        " captured_at) VALUES (?, ?, 1, 0, ?, 1, 3000, 2000, 1, ?)",
        ((i, b"/photos/%06d.jpg" % i, b"%d" % i, 1e9 + span * i / faces * 2) for i in range(1, faces // 2 + 1)),
    )
    db.conn.executemany(
        "INSERT INTO faces (id, photo_id, x, y, w, h, landmarks, score, quality, found_in, answer, person_id)"
        " VALUES (?, ?, ?, 0.5, 0.1, 0.1, x'', 0.9, 0.8, ?, 'confirmed', 1)",
        ((i, (i + 1) // 2, 0.3 + 0.4 * (i % 2), b"%d" % ((i + 1) // 2)) for i in range(1, faces + 1)),
    )
    kept = crop(7)
    small = cv2.imencode(".jpg", cv2.imdecode(_array(kept.jpeg), 1), [cv2.IMWRITE_JPEG_QUALITY, 40])[1].tobytes()
    db.conn.executemany(
        "INSERT INTO crops (face_id, jpeg, landmarks) VALUES (?, ?, ?)",
        ((i, small, kept.landmarks.astype("<f4").tobytes()) for i in range(1, faces + 1)),
    )


def _array(data: bytes) -> Any:
    import numpy as np

    return np.frombuffer(data, np.uint8)


def measured(page: Page, protocol: CDPSession, words: str, step: int, most: int) -> None:
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    frames = page.evaluate(SCROLL, [step, most])
    protocol.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}
    share = page.evaluate("(scrollY + innerHeight) / document.documentElement.scrollHeight")
    print(
        f"{words}: {len(frames)} frames over {share:.0%} of the wall, median {median(frames):.1f} ms, "
        f"95 % within {quantiles(frames, n=20)[-1]:.1f} ms, longest {max(frames):.0f} ms; "
        f"{metrics['Nodes']:.0f} nodes, {metrics['JSHeapUsedSize'] / 2**20:.0f} MiB of JavaScript"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as control:
        control.app.catalogue.write(fill, given.faces)
        with served(control) as here, sync_playwright() as playwright:
            scroll(control, here, playwright, given.faces)


def scroll(control: Running, here: Any, playwright: Any, faces: int) -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=program, args=arguments)
    page, told = logged_in(browser, here)
    protocol = page.context.new_cdp_session(page)
    protocol.send("Performance.enable")
    began = time.perf_counter()
    page.goto(f"http://127.0.0.1:{here.port}/#/person/p1")
    page.locator(".wall .tile img[src]").first.wait_for(timeout=60_000)
    print(f"{faces} faces: the first are there after {time.perf_counter() - began:.1f} s")
    measured(page, protocol, "reading", READING, 300)
    measured(page, protocol, "flung", FLUNG, 100_000)
    page.wait_for_timeout(1500)
    tile = page.locator(".wall .tile").last
    tile.scroll_into_view_if_needed()
    loaded = page.evaluate("[...document.querySelectorAll('.wall .tile img')].filter((i) => i.naturalWidth).length")
    print(f"at the end {loaded} pictures in sight are loaded")
    if told:
        print("console:", *told[:5], sep="\n  ")
    browser.close()


if __name__ == "__main__":
    main()
