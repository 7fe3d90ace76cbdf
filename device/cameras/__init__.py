"""Cameras, each behind a process of its own.

The agent holds a `Camera` (supervisor.py) for each role and touches no driver; a worker process (worker.py) opens the
source that a URI names (sources/) and is killed and started again when it hangs (ladder.py).
"""
