"""The JSON API under /api/v1, and what operators ask: health, readiness, metrics."""
