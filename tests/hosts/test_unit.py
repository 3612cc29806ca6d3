"""What the systemd unit promises, by the real systemd where one can be started."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import drawn
from kith.errors import NotFound
from kith.service import unit
from required import need

# A systemd of a user, in namespaces of its own: nothing of it is seen outside.
MANAGER = """
mount --make-rprivate / && mount -t proc proc /proc
umount --lazy /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup || exit 99
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR" && chmod 700 "$XDG_RUNTIME_DIR" || exit 99
/usr/lib/systemd/systemd --user --unit=basic.target &>"$HOME/systemd.log" &
for _ in $(seq 100); do
  [ "$(systemctl --user is-system-running 2>/dev/null)" = running ] && break
  sleep 0.1
done
systemctl --user is-system-running || exit 99
"""
SERVICE = """#!{python}
import os, signal, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from kith.priority import fall_behind
from kith.service.unit import notify, watchdog_seconds

def reload(*_):
    log("reloaded")

def log(words):
    with open({log!r}, "a") as file:
        print(words, file=file)

def work():
    import numpy, onnxruntime
    from onnx import TensorProto, helper
    info = helper.make_tensor_value_info
    node = helper.make_node("Relu", ["x"], ["y"])
    shapes = [info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    model = helper.make_model(helper.make_graph([node], "g", shapes[:1], shapes[1:]), ir_version=9)
    model.opset_import[0].version = 17
    session = onnxruntime.InferenceSession(model.SerializeToString())
    out = session.run(None, {{"x": numpy.array([-1, 1], "f4")}})[0].tolist()
    return out, os.getpriority(os.PRIO_PROCESS, 0), os.path.isdir(os.environ["RUNTIME_DIRECTORY"])

if __name__ == "__main__":
    mode = open({mode!r}).read()
    log(f"started {{' '.join(sys.argv[1:])}}")
    if mode.isdigit():
        sys.exit(int(mode))
    signal.signal(signal.SIGHUP, reload)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=fall_behind) as pool:
        log(pool.submit(work).result())
    log(f"watchdog {{watchdog_seconds()}}")
    notify("READY=1\\nSTATUS=12 photos to go.")
    while True:
        if mode != "hang":
            notify("WATCHDOG=1")
        time.sleep(0.2)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A service that does what Kith does with systemd, called kith, at a path with a space."""
    path = tmp_path / "my programs" / "kith"
    path.parent.mkdir()
    path.write_text(SERVICE.format(python=sys.executable, log=str(tmp_path / "log"), mode=str(tmp_path / "mode")))
    path.chmod(0o755)
    return path


def under_systemd(home: Path, program: Path, script: str, mode: str) -> str:
    """What a script in bash prints that runs beside a systemd of a user."""
    need("systemctl")
    (home / "mode").write_text(mode)
    words = f"PYTHON={sys.executable!r}\nPROGRAM={str(program)!r}\n{MANAGER}{textwrap.dedent(script)}"
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--cgroup", "bash", "-c", words],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": "/run/user/0", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode in (1, 99) and "running" not in done.stdout:
        pytest.skip(f"can't start a systemd here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout


DO = """
do_() { "$PYTHON" -c "import sys; from pathlib import Path; from kith.service import unit
print(*getattr(unit, sys.argv[1])(*map(Path, sys.argv[2:])), sep='\\n')" "$@"; }
shown() { systemctl --user show kith.service "$@"; }
"""


def test_the_service_is_installed_runs_reloads_and_is_removed(tmp_path: Path, program: Path) -> None:
    told = under_systemd(
        tmp_path,
        program,
        DO
        + """
        do_ install "$PROGRAM"
        do_ status
        systemctl --user reload kith.service; sleep 0.5
        shown --property=Slice
        grep Seccomp: "/proc/$(shown --property=MainPID --value)/status"
        cat "$HOME/log"
        do_ uninstall
        do_ status
        systemctl --user is-active kith.service
        ls "$HOME/.config/systemd/user"
        true
        """,
        "well",
    )
    assert "Kith runs now, and from each login on." in told
    assert "It is active (running) and starts at login.\n12 photos to go." in told
    assert "Slice=background.slice" in told
    assert "Seccomp:\t2" in told
    assert "started run" in told
    assert "([0.0, 1.0], 10, True)" in told
    assert "watchdog 60.0" in told
    assert "reloaded" in told
    assert "is removed. Your names and settings are kept.\nThe service is not installed" in told
    assert "\ninactive\n" in told


def test_kith_itself_finds_faces_as_a_service(tmp_path: Path, pack: Path) -> None:
    kith = Path(sys.executable).with_name("kith")
    photos = tmp_path / "photos"
    for i in range(3):
        drawn.save(drawn.photo(["Anna"], seed=i), photos / f"{i}.jpg")
    told = under_systemd(
        tmp_path,
        kith,
        f"""
        until_() {{ for _ in $(seq 100); do "$PROGRAM" "${{@:2}}" | grep -q "$1" && break; sleep 0.2; done; }}
        "$PROGRAM" models install --from {pack}
        "$PROGRAM" service install {photos}
        until_ "3 faces" groups
        "$PROGRAM" groups
        "$PROGRAM" name g1 Anna
        for _ in $(seq 100); do [ "$(ls {photos}/*.xmp | wc -l)" = 3 ] && break; sleep 0.2; done
        ls {photos}
        until_ "waits for" service status
        "$PROGRAM" service status
        systemctl --user reload kith.service; sleep 1
        cd "$XDG_RUNTIME_DIR" && stat --format "%a %n" kith kith/kith.sock "$HOME"/.local/share/kith/catalogue.db
        "$PROGRAM" service uninstall
        """,
        "",
    )
    assert "g1    3 faces" in told
    assert "3 faces named Anna." in told
    assert "2.jpg.xmp" in told
    assert "It is active (running) and starts at login.\nKith waits for new photos and your answers." in told
    assert "700 kith\n600 kith/kith.sock\n600 " in told
    assert "Kith stopped." in told


def test_a_service_that_hangs_is_started_again(tmp_path: Path, program: Path) -> None:
    told = under_systemd(
        tmp_path,
        program,
        DO
        + """
        mkdir -p "$HOME/.config/systemd/user/kith.service.d"
        printf '[Service]\\nWatchdogSec=1\\nRestartSec=0\\n' > "$HOME/.config/systemd/user/kith.service.d/quick.conf"
        do_ install "$PROGRAM"
        for _ in $(seq 150); do [ "$(grep -c started "$HOME/log")" -ge 2 ] && break; sleep 0.1; done
        cat "$HOME/log"
        do_ uninstall
        """,
        "hang",
    )
    assert told.count("started run") >= 2


@pytest.mark.parametrize(("code", "starts"), [("75", 1), ("78", 1), ("1", 3)])
def test_where_trying_again_is_of_no_use_it_isnt_tried(tmp_path: Path, program: Path, code: str, starts: int) -> None:
    told = under_systemd(
        tmp_path,
        program,
        DO
        + """
        mkdir -p "$HOME/.config/systemd/user/kith.service.d"
        printf '[Service]\\nRestartSec=0\\n[Unit]\\nStartLimitBurst=3\\n' > \
          "$HOME/.config/systemd/user/kith.service.d/quick.conf"
        do_ install "$PROGRAM"
        for _ in $(seq 50); do [ "$(shown --property=ActiveState --value)" = failed ] && break; sleep 0.1; done
        cat "$HOME/log"
        do_ status
        """,
        code,
    )
    assert "failed" in told
    assert told.count("started run") == starts
    assert "It ended with exit-code" in told


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, program: Path) -> None:
    need("systemd-analyze")
    path = tmp_path / unit.NAME
    path.write_text(unit.unit_text(program))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", path],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_systemd_the_unit_is_written_and_the_user_told(tmp_path: Path, program: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PATH": "/nowhere"}
    told = unit.install(program, environment)
    path = tmp_path / "config" / "systemd" / "user" / "kith.service"
    assert f'ExecStart="{program}" run' in path.read_text()
    assert "There is no systemd on this system" in " ".join(told)
    assert "There is no systemd" in " ".join(unit.status(environment))
    unit.uninstall(environment)
    assert not path.exists()
    assert unit.uninstall(environment) == [f"There is no unit {path}."]


def test_outside_a_session_the_user_is_told(tmp_path: Path, program: Path) -> None:
    need("systemctl")
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    assert "XDG_RUNTIME_DIR is not set" in " ".join(unit.install(program, environment))
    environment["XDG_RUNTIME_DIR"] = str(tmp_path)
    assert "No systemd of yours runs here" in " ".join(unit.install(program, environment))


def test_a_program_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no program"):
        unit.install(tmp_path / "nothing", {"XDG_CONFIG_HOME": str(tmp_path)})
    with pytest.raises(NotFound, match="simpler path"):
        unit.unit_text(tmp_path / 'qu"ote')


def test_a_path_means_itself_in_the_unit() -> None:
    assert "ExecStart=/opt/50%%/$$x/kith run\n" in unit.unit_text(Path("/opt/50%/$x/kith"))


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_what_it_is_told(tmp_path: Path, abstract: bool) -> None:
    address = f"@kith-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + address[1:] if abstract else address)
        assert unit.notify("READY=1\nSTATUS=ä", {"NOTIFY_SOCKET": address})
        assert listener.recv(100) == "READY=1\nSTATUS=ä".encode()
    assert not unit.notify("READY=1", {"NOTIFY_SOCKET": address})
    assert not unit.notify("READY=1", {})


def test_the_watchdog_is_told_twice_as_often_as_it_must_be() -> None:
    assert unit.watchdog_seconds({"WATCHDOG_USEC": "3000000"}) == 1.5
    assert unit.watchdog_seconds({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}) == 1.5
    assert unit.watchdog_seconds({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}) is None
    assert unit.watchdog_seconds({}) is None
    assert unit.watchdog_seconds({"WATCHDOG_USEC": "soon"}) is None


def test_the_shipped_unit_is_found_in_a_wheel_too(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    shutil.copytree(root, tmp_path / "source", ignore=shutil.ignore_patterns(".git", "build", ".venv", ".*_cache"))
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*words, "--wheel-dir", tmp_path / "dist", tmp_path / "source"], capture_output=True, text=True, check=False
    )
    if "hatchling" in done.stderr:
        pytest.skip("needs hatchling")
    assert done.returncode == 0, done.stderr
    wheel = next((tmp_path / "dist").glob("*.whl"))
    shutil.unpack_archive(wheel, tmp_path / "there", "zip")
    assert (tmp_path / "there" / "kith" / "kith.service").read_text() == (root / "systemd" / "kith.service").read_text()
