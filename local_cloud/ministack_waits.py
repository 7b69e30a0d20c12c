"""Step Functions' waits until a moment, which MiniStack would shorten like waits for a time.

A moment is compared with other clocks (a colour's cutoff with the time that events are received at),
so it must have come when the wait is over.
"""

from __future__ import annotations

import time
from datetime import datetime

from ministack.services import stepfunctions


def register() -> None:
    """From now on a Wait with a Timestamp lasts until then."""
    stepfunctions._sleep_until = sleep_until


def sleep_until(moment: str) -> None:
    """
    :param moment: ISO 8601 with an offset; Step Functions has checked it.
    """
    seconds = datetime.fromisoformat(moment).timestamp() - time.time()
    if seconds > 0:
        time.sleep(seconds)
