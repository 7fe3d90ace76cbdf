"""Memory that a worker and the agent share; nothing in it ever touches a disk."""

import fcntl
import os


def create_memory(name: str, length: int) -> int:
    """Make shared memory.

    Returns:
        A file descriptor of `length` bytes that nobody can resize: a worker gone mad cannot pull it from under the
        agent's feet.
    """
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, length)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd
