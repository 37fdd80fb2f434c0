"""Run a command where no name can be resolved but by a resolver of ours, which notes what it is asked: Linux alone.

``python tests/fake_resolver.py LOG COMMAND...`` expects to be in namespaces of its own (``unshare -rmn``).
"""

from __future__ import annotations

import fcntl
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def available() -> bool:
    """Whether this machine lets us have namespaces, and resolves by the usual file."""
    if shutil.which("unshare") is None or not Path("/etc/resolv.conf").is_file():
        return False
    tried = subprocess.run(["unshare", "-rmn", "mount", "--bind", "/etc/hosts", "/etc/resolv.conf"], check=False)
    return tried.returncode == 0


def names_asked_for(command: list[str], environment: dict[str, str]) -> list[str]:
    """Run a command with no other network than the fake resolver; the names that it asked for."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "names")
        log.touch()
        inside = [sys.executable, __file__, str(log), *command]
        subprocess.run(["unshare", "-rmn", *inside], env=environment, check=True, capture_output=True)
        return log.read_text(encoding="ascii").split()


def _main(log: Path, command: list[str]) -> None:
    resolv_conf = log.with_name("resolv.conf")
    resolv_conf.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="ascii")
    subprocess.run(["mount", "--bind", str(resolv_conf), "/etc/resolv.conf"], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0)))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | _IFF_UP))
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    threading.Thread(target=_answer, args=(server, log), daemon=True).start()
    sys.exit(subprocess.run(command, check=False).returncode)


def _answer(server: socket.socket, log: Path) -> None:
    while True:
        question, sender = server.recvfrom(512)
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace"))
            at += 1 + question[at]
        with log.open("a", encoding="ascii") as file:
            file.write(".".join(labels) + "\n")
        server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], sender)  # no such name


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2:])
