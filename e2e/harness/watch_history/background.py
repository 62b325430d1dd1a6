"""A base class for work that is done in threads while a `with` block runs."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from fixtures.core.errors import FiredampError


class Background(ABC):
    """Work in the background, from the beginning of a `with` block to its end.

    Attributes:
        failure: The error that ended the work early, or that says that it did not end in time.
    """

    def __init__(self, name: str, *, end_seconds: float, threads: int = 1) -> None:
        """Prepare the threads.

        Args:
            name: The name of the threads.
            end_seconds: How long the end of the block waits for them.
            threads: How many threads do the work side by side.
        """
        self.failure: BaseException | None = None
        self._stop = threading.Event()
        self._end_seconds = end_seconds
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]

    @abstractmethod
    def work(self) -> None:
        """Do the work until `_stop` is set."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        deadline = time.monotonic() + self._end_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            self.failure = self.failure or FiredampError(f"not done {self._end_seconds:g} s after its end")

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - told at the end of the run
            self.failure = error
