"""Measures the peak memory of a Python process."""

from __future__ import annotations

PRINT_PEAK = r"""
import re
from pathlib import Path
print(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
"""
"""Python code for the end of a program: prints its peak memory in KiB; Linux only. `ru_maxrss` is
no use here: it begins with the peak of the process that this one was forked from."""
