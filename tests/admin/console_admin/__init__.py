"""A real AsyncMQ admin for the demo and the end-to-end tests."""
