"""A real AsyncMQ admin in one process: in-memory backend, JWT sign-in, workers, seeds."""
