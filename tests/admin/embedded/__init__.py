"""A real AsyncMQ admin in one process: in-memory backend, every way to sign in, workers, seeds."""
