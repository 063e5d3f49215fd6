#!/usr/bin/env python3
"""Runs a program under the restrictions of systemd/posse-party.service, without a running systemd.

    tests/systemd/sandbox.py --writable DIR... -- PROGRAM ARGUMENT...

From the unit itself, as kernel filters: SystemCallFilter, RestrictAddressFamilies,
MemoryDenyWriteExecute, RestrictNamespaces, SystemCallErrorNumber. As a namespace: ProtectSystem=strict
(all is read-only but the DIRs). And no capabilities, no new privileges.
Not imitated: private folders and users, /proc, devices.
Exits with the program's own code; with 125 and one line when this machine can't do it.
"""

import ctypes
import errno
import os
import platform
import re
import subprocess
import sys

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../systemd/posse-party.service")
CANNOT = 125

ALLOW = 0x7FFF0000  # seccomp.h
EQ, GE, MASKED_EQ = 4, 5, 7
NATIVE_ARCH = 0

NEW_NAMESPACES = {  # sched.h
    "CLONE_NEWNS": 0x00020000, "CLONE_NEWCGROUP": 0x02000000, "CLONE_NEWUTS": 0x04000000,
    "CLONE_NEWIPC": 0x08000000, "CLONE_NEWUSER": 0x10000000, "CLONE_NEWPID": 0x20000000,
    "CLONE_NEWNET": 0x40000000,
}
ADDRESS_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17}
ADDRESS_FAMILY_MAX = 64
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, PR_SET_NO_NEW_PRIVS = 24, 47, 4, 38
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1

libc = ctypes.CDLL(None, use_errno=True)


def cannot(why):
    print(f"sandbox: not run: {why}", file=sys.stderr)
    sys.exit(CANNOT)


def check(result, doing):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{doing}: {os.strerror(number)}")


def unit_settings():
    settings = {}
    with open(UNIT, encoding="utf-8") as unit:
        for line in unit:
            found = re.match(r"([A-Za-z]+)=(.*)", line.strip())
            if found:
                settings.setdefault(found[1], []).append(found[2])
    return settings


def expand(group, known):
    """The system calls of `@group`, or the one call that `group` is."""
    if not group.startswith("@"):
        return {group}
    if group not in known:
        listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group],
                                capture_output=True, text=True, check=True).stdout
        members = [line.strip() for line in listed.splitlines()[1:]]
        known[group] = set()
        for member in members:
            if member and not member.startswith("#"):
                known[group] |= expand(member, known)
    return known[group]


def allowed_calls(lines):
    """systemd.exec(5): the first line makes a list of the allowed, `~` takes away from it."""
    known, allowed = {}, set()
    for line in lines:
        take_away = line.startswith("~")
        for group in line.lstrip("~").split():
            calls = expand(group, known)
            allowed = allowed - calls if take_away else allowed | calls
    return allowed | expand("@default", known)


class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int),
                ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


class Filter:
    """One seccomp filter, through libseccomp."""

    def __init__(self, library, default):
        self.library = library
        self.context = library.seccomp_init(ctypes.c_uint32(default))
        if not self.context:
            cannot("libseccomp can't make a filter")

    def rule(self, action, call, *compares):
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return  # this architecture has no such call
        array = (Compare * len(compares))(*compares)
        result = self.library.seccomp_rule_add_array(
            ctypes.c_void_p(self.context), ctypes.c_uint32(action), number, len(compares), array)
        # a rule that says the same as the default is refused, and rightly
        if result < 0 and -result not in (errno.EACCES, errno.EDOM):
            cannot(f"libseccomp refuses a rule for {call}: {os.strerror(-result)}")

    def load(self):
        result = self.library.seccomp_load(ctypes.c_void_p(self.context))
        if result < 0:
            cannot(f"the kernel refuses seccomp filters: {os.strerror(-result)}")


def error(number):
    return 0x00050000 | number


def load_filters(settings):
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        cannot("libseccomp.so.2 is missing (Debian: apt-get install libseccomp2)")
    library.seccomp_init.restype = ctypes.c_void_p
    denied = error(errno.EPERM)

    if settings["MemoryDenyWriteExecute"][-1] == "yes":
        memory = Filter(library, ALLOW)
        both = PROT_WRITE | PROT_EXEC
        memory.rule(denied, "mmap", Compare(2, MASKED_EQ, both, both))
        for call in ("mprotect", "pkey_mprotect"):
            memory.rule(denied, call, Compare(2, MASKED_EQ, PROT_EXEC, PROT_EXEC))
        memory.rule(denied, "shmat", Compare(2, MASKED_EQ, SHM_EXEC, SHM_EXEC))
        # the loader of the program to come needs it no more than the program does

    families = Filter(library, ALLOW)
    wanted = {ADDRESS_FAMILIES[name] for name in settings["RestrictAddressFamilies"][-1].split()}
    unsupported = error(errno.EAFNOSUPPORT)
    for family in range(ADDRESS_FAMILY_MAX):
        if family not in wanted:
            families.rule(unsupported, "socket", Compare(0, EQ, family, 0))
    families.rule(unsupported, "socket", Compare(0, GE, ADDRESS_FAMILY_MAX, 0))

    namespaces = Filter(library, ALLOW)
    if settings["RestrictNamespaces"][-1] == "yes":
        for bit in NEW_NAMESPACES.values():
            namespaces.rule(denied, "clone", Compare(0, MASKED_EQ, bit, bit))
        # its flags lie in memory, where a filter can't look; glibc then takes clone
        namespaces.rule(error(errno.ENOSYS), "clone3")
        for call in ("unshare", "setns"):
            namespaces.rule(denied, call)

    name = settings["SystemCallErrorNumber"][-1]
    calls = Filter(library, error(getattr(errno, name)))
    for call in sorted(allowed_calls(settings["SystemCallFilter"])):
        calls.rule(ALLOW, call)

    memory.load()
    families.load()
    namespaces.load()
    calls.load()


def protect_system(writable):
    """A mount namespace in which all but `writable` is read-only."""
    try:
        user, group = os.getuid(), os.getgid()
        flags = NEW_NAMESPACES["CLONE_NEWNS"] | (0 if user == 0 else NEW_NAMESPACES["CLONE_NEWUSER"])
        check(libc.unshare(flags), "unshare")
        if user != 0:
            for file, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"),
                               ("gid_map", f"{group} {group} 1")):
                with open(f"/proc/self/{file}", "w", encoding="ascii") as mapping:
                    mapping.write(text)
        check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "mount private")
        for folder in writable:
            path = os.fsencode(os.path.realpath(folder))
            check(libc.mount(path, path, None, MS_BIND | MS_REC, None), f"bind {folder}")
        set_read_only("/", True)
        for folder in [*writable, "/dev"]:
            set_read_only(os.path.realpath(folder), False)
    except OSError as why:
        print(f"sandbox: not restricted: ProtectSystem=strict ({why})", file=sys.stderr)


def set_read_only(path, on):
    attributes = (ctypes.c_uint64 * 4)()
    attributes[0 if on else 1] = MOUNT_ATTR_RDONLY
    check(libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, os.fsencode(path), AT_RECURSIVE,
                       ctypes.byref(attributes), ctypes.sizeof(attributes)), f"remount {path}")


def drop_privileges():
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # beyond the last one: EINVAL
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def main():
    words = sys.argv[1:]
    if "--" not in words or not words[words.index("--") + 1:]:
        sys.exit(__doc__.strip())
    options, program = words[:words.index("--")], words[words.index("--") + 1:]
    if options and options[0] != "--writable":
        sys.exit(__doc__.strip())
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"):
        cannot(f"no filters are known for {platform.system()} {platform.machine()}")
    settings = unit_settings()
    try:
        protect_system(options[1:])
        drop_privileges()
        load_filters(settings)
    except FileNotFoundError as why:
        cannot(f"{why.filename} is missing (Debian: apt-get install systemd)")
    except (OSError, subprocess.CalledProcessError) as why:
        cannot(why)
    os.umask(int(settings["UMask"][-1], 8))
    try:
        os.execvp(program[0], program)
    except OSError as why:
        sys.exit(f"sandbox: failed to run {program[0]}: {why}")


main()
