"""Run independent pieces of work, in this process or in several.

Pieces are cut by the caller; results come back as they are ready, each with its position, so that the caller can
store them at once and put them in order at the end.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.connection import wait
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_pieces(
    function: Callable[[Piece], Result], pieces: Sequence[Piece], workers: int
) -> Iterator[tuple[int, Result]]:
    """Yield ``(position, function(piece))`` in the order in which they end.

    Parameters
    ----------
    function : callable
        Of module level, so that it can be sent to another process.
    workers : int
        1 runs here; more starts that many processes. An interrupt (Ctrl-C) cancels what has not begun.

    Raises
    ------
    Exception
        Whatever `function` raises; the other pieces are cancelled.
    """
    if workers <= 1 or len(pieces) <= 1:
        for position, piece in enumerate(pieces):
            yield position, function(piece)
        return
    context = multiprocessing.get_context("spawn")  # fork would copy the threads of numerical libraries half-way
    with ProcessPoolExecutor(min(workers, len(pieces)), mp_context=context, initializer=_end_with_parent) as pool:
        futures = {pool.submit(function, piece): position for position, piece in enumerate(pieces)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """Let a worker end when its parent has gone, however that ended: a killed run leaves no process behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
