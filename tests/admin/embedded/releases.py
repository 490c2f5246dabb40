"""What do older releases of AsyncMQ do in another way?

The rest of `embedded` is written for the newest release; whatever a release from 0.5 on lacks is made up for here.

0.5      no admin package: its dashboard can only be served open
0.5–0.7  `Queue.add` takes no job id; repeatables cannot be stored through any interface
0.5–0.8  no option about origins, roles or proxies
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from asyncmq.backends.memory import InMemoryBackend
from asyncmq.jobs import Job
from asyncmq.queues import Queue
from asyncmq.schedulers import compute_next_run

VERSION = version("asyncmq")
HAS_ADMIN = find_spec("asyncmq.contrib.dashboard.admin") is not None


def open_dashboard(prefix: str) -> Any:
    """The dashboard of a release without admin package, which lets everyone in.

    It mounts itself below the prefix of the settings as they are when it is first imported.
    """
    from asyncmq import monkay
    from asyncmq.contrib.dashboard.application import dashboard
    from lilya.apps import Lilya
    from lilya.routing import Include

    configured = monkay.settings.dashboard_config
    if configured.dashboard_url_prefix != prefix:
        raise RuntimeError(f"the settings mount the dashboard at `{configured.dashboard_url_prefix}`, not `{prefix}`")
    return Lilya(routes=[Include(path="/", app=dashboard)], middleware=[configured.session_middleware])


def known_options(callable_: Callable[..., Any], given: dict[str, Any], without: dict[str, Any]) -> dict[str, Any]:
    """`given`, less those options of `without` that this release does not know.

    `without` says what a release does that does not know an option. A configuration that asks for anything else is
    refused: a test would pass for the wrong reason.
    """
    known = inspect.signature(callable_).parameters
    for name, value in without.items():
        if name not in known and given[name] != value:
            raise RuntimeError(f"AsyncMQ {VERSION} has no `{name}`, so it cannot be {given[name]!r}")
    return {name: value for name, value in given.items() if name in known or name not in without}


async def add(queue: Queue, task_id: str, *, job_id: str, **more: Any) -> None:
    """`Queue.add` with an id of our choice."""
    if "job_id" in inspect.signature(queue.add).parameters:
        await queue.add(task_id, job_id=job_id, **more)
        return
    delay = more.get("delay")
    job = Job(task_id, [], more["kwargs"], max_retries=more.get("retries", 0), job_id=job_id)
    if delay is None:
        await queue.backend.enqueue(queue.name, job.to_dict())
    else:
        job.delay_until = time.time() + delay
        await queue.backend.enqueue_delayed(queue.name, job.to_dict(), job.delay_until)


async def upsert_repeatable(backend: InMemoryBackend, queue: str, definition: dict[str, Any]) -> None:
    """Stores a definition as it is."""
    if hasattr(backend, "upsert_repeatable"):
        await backend.upsert_repeatable(queue, definition)
        return
    # As `InMemoryBackend.resume_repeatable` of these releases writes it.
    raw = backend._json_serializer.to_json(definition)
    record = {"job_def": definition, "next_run": compute_next_run(definition), "paused": False}
    backend.repeatables.setdefault(queue, {})[raw] = record
