"""What Kith does for itself comes after what the user does: how far behind, for the processor and for the disk.

Linux has priorities for each thread, which new threads and processes take over from the one that starts them. So each
worker process falls behind when it starts, and each background thread for itself; the threads that answer requests
don't, and stay as quick as they were.
"""

from __future__ import annotations

import ctypes
import os
import platform

_SAID = os.environ.get("KITH_NICE", "")
NICE = min(19, int(_SAID)) if _SAID.isdecimal() else 10
IDLE_CLASS = 3 << 13  # IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0) of linux/ioprio.h
WHO_PROCESS = 1
IOPRIO_SET = {  # the system call's number, by machine; the C library has no function for it
    "x86_64": 251,
    "i686": 289,
    "aarch64": 30,
    "riscv64": 30,
    "loongarch64": 30,
    "armv7l": 314,
    "ppc64le": 273,
    "s390x": 282,
}


def fall_behind() -> None:
    """Put the calling thread, and what it starts from now on, behind all others: nice 10, idle I/O class.

    The environment variable KITH_NICE says another niceness; with 0 nothing happens. Neither does where the kernel
    doesn't have it so. There is no way back without privileges.
    """
    if not NICE:
        return
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    number = IOPRIO_SET.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None, use_errno=True).syscall(number, WHO_PROCESS, 0, IDLE_CLASS)
