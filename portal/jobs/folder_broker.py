"""Celery's filesystem broker, made safe against three of its own habits.

Seen with kombu 5.7.0: a message is visible before it is written, so a worker may read an empty one; one
that is no JSON ends the whole worker as "unrecoverable", and so does a folder that is gone. Here a
message appears whole or not at all, and what cannot be read is left out: the database knows what is due,
the watch finds it. A folder that cannot be used is a broker that is away: Celery comes back to it.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Kombu's folder channel, in which nobody reads half a message."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for folder in (self.data_folder_in, self.data_folder_out, self.control_folder):
            os.makedirs(folder, mode=0o700, exist_ok=True)

    def _put(self, queue: str, *args: Any, **kwargs: Any) -> None:
        """Write aside, then rename into place."""
        payload = args[0]
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        place = os.path.join(self.data_folder_out, name)
        try:
            with open(f"{place}.part", "w", encoding="utf-8") as file:
                file.write(dumps(payload))
            os.replace(f"{place}.part", place)
        except OSError as error:
            raise ChannelError(f"The broker folder cannot be written: {error.strerror}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Give the next message that can be read."""
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                log.warning("A message that cannot be read was left out.")


class Transport(filesystem.Transport):
    """Kombu's folder transport with that channel."""

    Channel = Channel
    connection_errors = (*filesystem.Transport.connection_errors, OSError)
