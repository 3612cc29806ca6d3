"""Threads of arithmetic.

Kith divides its work itself where that is worth it. OpenBLAS' own threads, for products as small as those here, wait
for one another longer than they work, and that on all processors.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

BLAS = ThreadpoolController()


def processors() -> int:
    """How many of them this process may use."""
    return len(os.sched_getaffinity(0))


@cache
def pool() -> ThreadPoolExecutor:
    """A thread for each processor. They stay: new ones have no memory yet, and get it page by page."""
    return ThreadPoolExecutor(processors(), "people")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Products of matrices use the calling thread alone, in the whole process."""
    with BLAS.limit(limits=1, user_api="blas"):
        yield
