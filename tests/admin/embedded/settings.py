"""Which AsyncMQ settings does this process use?"""

from __future__ import annotations

import secrets

import asyncmq
from asyncmq.backends.memory import InMemoryBackend
from asyncmq.conf.global_settings import Settings
from asyncmq.core.utils.dashboard import DashboardConfig

from embedded.configuration import Configuration


def install(configuration: Configuration) -> InMemoryBackend:
    """Makes these settings AsyncMQ's own, and answers the backend that everything in this process shares.

    AsyncMQ lets environment variables such as `DEBUG` replace settings; whatever matters here is therefore assigned
    after construction.
    """
    dashboard = DashboardConfig(
        title=configuration.title,
        header_title=configuration.title,
        dashboard_url_prefix=configuration.prefix,
    )
    # Assigned, because 0.5 has no argument for them. The key signs the session cookie (flash messages, the login form's
    # user); a new one each run is enough.
    dashboard.secret_key = secrets.token_urlsafe(32)
    dashboard.max_age = configuration.session_seconds

    class EmbeddedSettings(Settings):
        @property
        def dashboard_config(self) -> DashboardConfig:
            return dashboard

    settings = EmbeddedSettings()
    backend = InMemoryBackend()
    settings.backend = backend
    settings.debug = False
    settings.logging_level = "WARNING"
    settings.sandbox_enabled = False
    settings.enable_stalled_check = False
    settings.tasks = []
    # How long a worker sleeps before it looks at a paused queue again: a resume should be seen at once.
    settings.stalled_check_interval = 0.5
    settings.worker_idle_poll_max_interval = 0.25
    settings.scan_interval = 0.25
    settings.heartbeat_ttl = 30
    asyncmq.monkay.settings = settings
    return backend
