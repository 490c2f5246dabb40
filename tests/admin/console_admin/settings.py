"""The AsyncMQ settings of this process: everything in memory."""

from asyncmq.backends.memory import InMemoryBackend
from asyncmq.conf.global_settings import Settings

BACKEND = InMemoryBackend()


class AdminSettings(Settings):
    """One in-memory backend, shared by the admin and its workers (it lives in one process)."""

    _backend = BACKEND
    logging_level = "ERROR"
    worker_idle_poll_max_interval = 0.5
    secret_key = "sessions of a test admin are worth nothing, but their key must be long"
