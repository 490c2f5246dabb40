"""Which queues are there, and how do their workers run?"""

from __future__ import annotations

import math
from collections.abc import Callable

import anyio
from acme import billing, emails, imports, reports, thumbnails, webhooks  # noqa: F401 (registers the tasks)
from asyncmq.backends.memory import InMemoryBackend
from asyncmq.queues import Queue

# Queue name to the number of jobs that its worker runs at once.
CONCURRENCY = {"billing": 2, "emails": 4, "imports": 1, "reports": 3, "thumbnails": 2, "webhooks": 2}
SMALL = ("emails",)


def names(seed: str) -> tuple[str, ...]:
    """The queues that belong to a seed."""
    return SMALL if seed == "small" else tuple(CONCURRENCY)


def queue(name: str) -> Queue:
    """A queue on the shared backend."""
    return Queue(name, concurrency=CONCURRENCY[name])


async def run_workers(queue_names: tuple[str, ...]) -> None:
    """Real AsyncMQ workers, one a queue, with delayed scanner and repeatable scheduler, until cancelled."""
    async with anyio.create_task_group() as workers:
        for name in queue_names:
            workers.start_soon(queue(name).run)


async def work_until(
    queue_names: tuple[str, ...], done: Callable[[], bool], *, patience_seconds: float = math.inf
) -> None:
    """Runs workers until `done`, then stops them; `TimeoutError` when that takes too long."""
    with anyio.fail_after(patience_seconds):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_workers, queue_names)
            while not done():
                await anyio.sleep(0.02)
            tasks.cancel_scope.cancel()


def settled(backend: InMemoryBackend) -> bool:
    """Whether nothing waits, runs or is delayed."""
    return not (any(backend.queues.values()) or any(backend.delayed.values()) or backend.active_jobs)
