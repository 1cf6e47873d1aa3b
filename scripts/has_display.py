"""Succeed if a window can be opened on this machine; else say on standard error why not, and fail."""

import os
import re
import socket
import sys
from pathlib import Path


def connects(family, address):
    """Whether a server listens there."""
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(3.0)
        try:
            client.connect(address)
        except OSError:
            return False
        return True


def x_server_listens(display):
    """Whether the X server of a value of DISPLAY, such as ``:0`` or ``localhost:10.0``, can be reached."""
    found = re.fullmatch(r"(?:([^/:]*)/)?([^:]*):(\d+)(?:\.\d+)?", display)
    if found is None:
        return False
    host, number = found.group(2), found.group(3)
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 (where X puts it)
        return connects(socket.AF_UNIX, path) or connects(socket.AF_UNIX, "\0" + path)
    return connects(socket.AF_INET, (host, 6000 + int(number)))


def missing_display():
    """Why there is no display; empty if there is one."""
    wayland, display = os.environ.get("WAYLAND_DISPLAY", ""), os.environ.get("DISPLAY", "")
    if wayland and connects(socket.AF_UNIX, str(Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / wayland)):
        return ""
    if display and x_server_listens(display):
        return ""
    if not wayland and not display:
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    tried = (("WAYLAND_DISPLAY", wayland), ("DISPLAY", display))
    return " and ".join(f"nothing listens at {name}={value}" for name, value in tried if value)


if __name__ == "__main__":
    reason = missing_display()
    sys.exit(f"No display: {reason}" if reason else 0)
