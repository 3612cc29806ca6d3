"""What can be parsed is parsed, what can't is refused quickly, and nothing else happens."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from kith_xmp.merge import Base, Face, Wanted, merge
from kith_xmp.packet import LIMIT_BYTES, Unreadable, parse
from kith_xmp.read import read
from kith_xmp.regions import Frame
from kith_xmp.write import write

SIMPLE = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><Iptc4xmpExt:PersonInImage><rdf:Bag>'
    "<rdf:li>Zoë</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage></rdf:Description></rdf:RDF>\n"
    '</x:xmpmeta>\n<?xpacket end="w"?>'
)
SECRET = "the content of a file that no packet may read"


def people(data: bytes) -> tuple[str, ...]:
    return read(data, Frame(40, 30)).people


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_of_xmp_is_read(codec: str) -> None:
    """Rule 1."""
    assert people(SIMPLE.encode(codec)) == ("Zoë",)


def test_other_envelopes_are_read() -> None:
    """Rule 1: leading blanks, trailing NULs, an XML declaration, bare RDF, x:xapmeta."""
    bare = SIMPLE[SIMPLE.index("<rdf:RDF") : SIMPLE.index("\n</x:xmpmeta>")]
    declared = '<?xml version="1.0" encoding="iso-8859-1"?>\n' + bare
    for data in (
        b"\n\t " + SIMPLE.encode(),
        SIMPLE.encode() + b"\n\0\0",
        bare.encode(),
        declared.encode("latin-1"),
        b"  " + b'<?xml version="1.0" encoding="UTF-8"?>' + bare.encode(),
        SIMPLE.replace("xmpmeta", "xapmeta").encode(),
        SIMPLE.replace("\n", "\r\n").encode(),
    ):
        assert people(data) == ("Zoë",)


HOSTILE = {
    "empty": b"",
    "blank": b" \n\0\0",
    "no xml": b"\xff\xd8\xff\xe0 a picture",
    "no rdf": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
    "unbound prefix": b"<rdf:RDF/>",
    "lone surrogate": '<a b="'.encode("utf-16-le") + b"\x00\xd8" + '"/>'.encode("utf-16-le"),
    "NUL inside": SIMPLE.encode().replace(b"Zo", b"Z\0o"),
    "control character": SIMPLE.encode().replace(b"Zo", b"Z&#1;o"),
    "latin-1 without saying so": SIMPLE.replace("\ufeff", "").encode("latin-1"),
    "says utf-16": b"<?xml version='1.0' encoding='utf-16'?><a/>",
    "says nonsense": b"<?xml version='1.0' encoding='klingon'?><a/>",
    "two roots": SIMPLE.encode() + b"<a/>",
    "an entity": b"<!DOCTYPE l [<!ENTITY a 'ha'>]><l>&a;</l>",
    "doctype after a comment": b"<!-- x --><?y z?>\n<!DOCTYPE l SYSTEM 'http://example.org/l.dtd'><l/>",
    "undeclared entity": SIMPLE.encode().replace(b"Zo", b"&zo;"),
    "too large": b"<a>" + b" " * LIMIT_BYTES,
    "too many elements": b"<a>" + b"<b/>" * 2_000_000 + b"</a>",
    "too many attributes": b"<a>" + b"<b c='' d='' e=''/>" * 400_000 + b"</a>",
    "too deep": b"<a>" * 100_000 + b"</a>" * 100_000,
    "huge text": b"<a>" + b"x" * (11 * 2**20) + b"</a>",
    "huge comment": b"<!--" + b"-- " * 1_000_000,
    "open instructions": b"<?a " * 200_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_packet_is_refused(kind: str) -> None:
    """Rules 1, 2: one kind of error, with a reason, whatever the bytes."""
    with pytest.raises(Unreadable) as caught:
        parse(HOSTILE[kind])
    assert caught.value.reason


def test_hostile_packets_cost_bounded_time_and_memory(tmp_path: Path) -> None:
    """Rule 1: laughs, files, addresses, depth and size, in a process that may use little of either."""
    laughs = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 30))
    (tmp_path / "secret").write_text(SECRET)
    external = f"<!DOCTYPE l [<!ENTITY x SYSTEM 'file://{tmp_path}/secret'>]>" + SIMPLE.replace("Zoë", "&x;")
    packets = {
        "laughs": f'<!DOCTYPE l [<!ENTITY a0 "ha">{laughs}]><l>&a29;</l>'.encode(),
        "hidden": b"<?a " + b" " * 1000 + b"?>" + f'<!DOCTYPE l [<!ENTITY a0 "ha">{laughs}]><l b="&a29;"/>'.encode(),
        "external": external.encode(),
        **{k: v for k, v in HOSTILE.items() if len(v) > 2**20},
    }
    for name, data in packets.items():
        (tmp_path / f"{name}.xmp").write_bytes(data)
    program = (
        "import pathlib, sys\nfrom kith_xmp.packet import Unreadable, parse\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('*.xmp')):\n"
        "    try: parse(path.read_bytes()); print('read', path.name)\n"
        "    except Unreadable as e: print('refused', path.name, e.reason)\n"
    )

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))

    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, preexec_fn=limits)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(packets)
    assert all(line.startswith("refused") for line in lines)
    assert SECRET not in done.stdout


@pytest.mark.slow
def test_a_packet_full_of_people_costs_bounded_time(tmp_path: Path) -> None:
    """Rule 1: as many regions and names as the limits on markup allow, read, merged and written."""
    program = (
        "import sys\nfrom kith_xmp.merge import *\nfrom kith_xmp.read import read\n"
        "from kith_xmp.regions import *\nfrom kith_xmp.seed import seed\nfrom kith_xmp.write import write\n"
        "frame, start = Frame(40000, 30000), seed(None)\n"
        "boxes = [(i % 200 / 200 + 0.002, i // 200 / 200 + 0.002, 0.003, 0.003) for i in range(8_000)]\n"
        "many = ListChanges(tuple(Region(f'P{i}', *b) for i, b in enumerate(boxes)))\n"
        "names = tuple(f'People|Q{i}' for i in range(10_000))\n"
        "data = write(start, Changes(many, many, (StringChanges('hierarchicalSubject', names),)), frame)\n"
        "found = read(data, frame)\nours = Wanted((Face('Marie', 0.5, 0.5, 0.2, 0.2),))\n"
        "merged = merge(Base(), ours, found)\nnew = write(data, merged.changes, frame)\n"
        "merged = merge(merged.base, ours, read(new, frame))\nprint(found.mwg.size, len(found.regions), len(new))\n"
    )

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (150, 150))

    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=400, preexec_fn=limits)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["8000", "1000"]


def test_a_sidecar_cut_short_anywhere_is_refused(shared: Path) -> None:
    """Rule 2: at every byte; only the end of the wrapper may be missing."""
    data = (shared / "corpus/pigallery2/test/backend/assets/sidecar/no_metadata.jpg.xmp").read_bytes()
    assert people(data) == ()
    whole = data.rindex(b"</x:xmpmeta>") + len(b"</x:xmpmeta>")
    for end in range(whole):
        with pytest.raises(Unreadable):
            parse(data[:end])


def test_every_byte_of_a_sidecar_may_be_wrong(shared: Path) -> None:
    """Rule 1: a damaged packet is read and written, or refused, never anything else."""
    folder = shared / "corpus/pigallery2/test/backend/assets/sidecar/orientation"
    data = (folder / "photo.3.embedded_sidecar.jpg.xmp").read_bytes()
    frame = Frame(840, 700)
    for at in range(0, len(data), 3):
        for wrong in (b"\0", b"<", b"\xff", b'"', b"&#9;"):
            damaged = data[:at] + wrong + data[at + 1 :]
            try:
                found = read(damaged, frame)
            except Unreadable:
                continue
            changes = merge(Base(), Wanted((Face("Zoë", 0.1, 0.1, 0.1, 0.1),)), found).changes
            assert "Zoë" in read(write(damaged, changes, frame) or b"", frame).names
