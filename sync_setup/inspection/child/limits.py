"""The cage: set by the child itself, before it has read a byte that somebody else wrote."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

CPU_S = 5
MEMORY_BYTES = 512 * 1024 * 1024
WALL_S = 8

_OURS = 5
"""Standard input, output and error, the secrets, and the place among two (see ``isolation``)."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def enter_cage() -> None:
    """Bound time, memory, files, processes and network of this process for good.

    The alarm and the CPU limit keep their default action, which is death: a handler could not run
    while a C function computes. Network and user namespaces are taken where the kernel gives them;
    everything else must succeed.
    """
    # A web server marks its sockets as inheritable; none of that is the inspector's business.
    os.closerange(_OURS, 4096)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(WALL_S)
    for what, limit in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    libc = ctypes.CDLL(None, use_errno=True)
    # A worker that is killed takes its inspection along, and nobody may look into its memory.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Refused inside most containers; then the empty environment and the limits remain.
    libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
