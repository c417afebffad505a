from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(question: Callable[[], T | None], *, seconds: float = 30, every: float = 0.05) -> T:
    """Ask until the answer is truthy and give it.

    :raises AssertionError: with the last answer, when it is not truthy in time.
    """
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"Not within {seconds} s; last answer: {answer!r}")
        time.sleep(every)
