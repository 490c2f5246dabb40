"""Thumbnails of product pictures; the work is done in a thread, as blocking tasks are."""

from __future__ import annotations

import struct
import time

from asyncmq.tasks import task

PNG = b"\x89PNG\r\n\x1a\n"


@task(queue="thumbnails", retries=1)
def make_thumbnail(picture: str, header: str = "", width: int = 320, seconds: float = 0.5) -> dict[str, object]:
    """Scales one picture down."""
    time.sleep(seconds)
    full_width, full_height = _size(bytes.fromhex(header) if header else _header_of(1600, 1200))
    return {"picture": picture, "width": width, "height": full_height * width // full_width}


def _header_of(width: int, height: int) -> bytes:
    return PNG + struct.pack(">I4sII", 13, b"IHDR", width, height)


def _size(head: bytes) -> tuple[int, int]:
    _, _, width, height = struct.unpack(">I4sII", head[len(PNG) :])
    return width, height
