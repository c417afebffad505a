from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload

LIMIT_BYTES = 1024 * 1024


class BoundedMemoryUploadHandler(MemoryFileUploadHandler):
    """Keep uploads in memory, never in a temporary file, and stop reading what is too large.

    A key file on a disk of the web tier would outlive the request that brought it.
    """

    def handle_raw_input(self, *args: Any, **options: Any) -> None:
        self.activated = True

    def new_file(self, *args: Any, **options: Any) -> None:
        self.received = 0
        super().new_file(*args, **options)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > LIMIT_BYTES:
            raise StopUpload(connection_reset=False)
        return super().receive_data_chunk(raw_data, start)
