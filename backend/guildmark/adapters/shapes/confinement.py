"""What a process gives up before it reads a stranger's file: memory, time, disk, network.

The kernel bounds memory, processor time and file sizes everywhere; on Linux it also refuses
sockets and programs (seccomp). The interpreter's own audit refuses both on every system.
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass

_MIB = 1 << 20

# linux/prctl.h, linux/seccomp.h, linux/filter.h, linux/audit.h.
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_NUMBER_AT, _MACHINE_AT, _X32 = 0, 4, 0x40000000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """A processor's name in filters, and its numbers of calls that are refused.

    These are: socket, connect, socketpair, execve, execveat, ptrace and io_uring_setup.
    """

    audit: int
    calls: tuple[int, ...]


_MACHINES: Mapping[str, _Machine] = {
    "x86_64": _Machine(audit=0xC000003E, calls=(41, 42, 53, 59, 322, 101, 425)),
    "aarch64": _Machine(audit=0xC00000B7, calls=(198, 203, 199, 221, 281, 117, 425)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a child may use.

    Args:
        memory: Bytes of addresses.
        seconds: Of a processor.
        output: Bytes of any file that it writes.
    """

    memory: int = 2048 * _MIB
    seconds: int = 60
    output: int = 4 * _MIB


def confine(bounds: Bounds) -> None:
    """Give up memory, time and file sizes beyond ``bounds``; needs no privilege."""
    for kind, most in (
        (resource.RLIMIT_AS, bounds.memory),
        (resource.RLIMIT_CPU, bounds.seconds),
        (resource.RLIMIT_FSIZE, bounds.output),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def isolate() -> None:
    """Give up sockets, other programs and files to write; call it when everything is imported."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform == "linux" and machine is not None:
        _filter(machine)
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    is_outward = event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.sys"))
    if is_outward or (event == "open" and _writes(arguments)):
        message = "A reader of strangers' files reaches neither network, programs nor files."
        raise PermissionError(message)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _filter(machine: _Machine) -> None:
    """Install the filter; where the kernel knows none, the audit stands alone."""
    steps = _program(machine)
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(
        struct.pack("@HP", len(steps), ctypes.addressof(code)),
    )
    control = ctypes.CDLL(None, use_errno=True).prctl
    control.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    control(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    control(_SET_SECCOMP, _FILTER, ctypes.addressof(program), 0, 0)


def _program(machine: _Machine) -> list[tuple[int, int, int, int]]:
    """Return the filter: operation, steps to skip where true and where false, operand."""
    count = len(machine.calls)
    refused = [(_EQUAL, count - at, 0, number) for at, number in enumerate(machine.calls)]
    return [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        # Calls of another width are numbered from here on.
        (_AT_LEAST, count + 1, 0, _X32),
        *refused,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
