#!/usr/bin/python3
# Runs a command under the filter of system calls that a systemd unit asks for.
"""usage: confine.py UNIT COMMAND...

SystemCallFilter, RestrictAddressFamilies and MemoryDenyWriteExecute of the unit become one seccomp
filter, as systemd makes it; no_new_privs must be set already.
"""

import ctypes
import errno
import os
import re
import socket
import subprocess
import sys

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
EQUAL, MASKED_EQUAL = 4, 7
PROT_WRITE, PROT_EXEC = 2, 4
AF_XDP = 44  # Python does not know it


class Compare(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("op", ctypes.c_int),
                ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def settings(unit, key):
    """The values of a setting, in the order of the unit."""
    with open(unit, encoding="utf-8") as stream:
        return re.findall(rf"^{key}=(.*)$", stream.read(), re.MULTILINE)


def members(name):
    """The calls of a group such as @system-service, groups within it included."""
    if not name.startswith("@"):
        return {name}
    done = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name],
                          capture_output=True, text=True, check=True)
    calls = set()
    for line in done.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            calls |= members(word)
    return calls


def filtered_calls(unit):
    """(whether the calls are those that are refused, the calls)."""
    lines = settings(unit, "SystemCallFilter")
    refused = lines[0].startswith("~")
    chosen = set()
    for line in lines:
        calls = set()
        for name in line.lstrip("~").split():
            calls |= members(name)
        chosen = chosen | calls if line.startswith("~") == refused else chosen - calls
    return refused, chosen


class Filter:
    """What is named is allowed or refused, with EPERM; everything else is not."""

    def __init__(self, refuses):
        self.action, other = (REFUSE, ALLOW) if refuses else (ALLOW, REFUSE)
        self.library = ctypes.CDLL("libseccomp.so.2")
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(other)))

    def name(self, name, *compares):
        number = self.library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not of this machine
            return
        array = (Compare * len(compares))(*compares)
        done = self.library.seccomp_rule_add_array(self.context, ctypes.c_uint32(self.action),
                                                   number, len(compares), array)
        if done != 0:
            raise OSError(-done, f"seccomp refuses a rule for {name}")

    def load(self):
        done = self.library.seccomp_load(self.context)
        if done != 0:
            raise OSError(-done, "seccomp_load")


def main():
    unit, command = sys.argv[1], sys.argv[2:]
    refuses, calls = filtered_calls(unit)
    families = [getattr(socket, name, AF_XDP)
                for name in " ".join(settings(unit, "RestrictAddressFamilies")).split()]
    no_code = settings(unit, "MemoryDenyWriteExecute") == ["yes"]
    rules = Filter(refuses)
    for call in sorted(calls):
        if call == "socket" and families:
            for family in families:
                rules.name(call, Compare(0, EQUAL, family, 0))
        elif call == "mmap" and no_code:
            rules.name(call, Compare(2, MASKED_EQUAL, PROT_WRITE, 0))
            rules.name(call, Compare(2, MASKED_EQUAL, PROT_EXEC, 0))
        elif call in ("mprotect", "pkey_mprotect") and no_code:
            rules.name(call, Compare(2, MASKED_EQUAL, PROT_EXEC, 0))
        else:
            rules.name(call)
    if refuses:
        for family in set(range(1, 46)) - set(families):
            rules.name("socket", Compare(0, EQUAL, family, 0))
    rules.load()
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
