"""What the figures were measured on."""

import os
import platform
from pathlib import Path

import torch


def machine_line() -> str:
    """CPU, cores, versions and the load at this moment."""
    load = f"load {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}; torch {torch.__version__}, "
        f"Python {platform.python_version()}; {load}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
