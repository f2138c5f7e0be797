"""How much memory a process of its own took at most."""

from __future__ import annotations

PRINT_PEAK = r"""
import re
from pathlib import Path
print(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
"""
"""Python that ends with printing it in KiB; Linux only. `ru_maxrss` is of no use here: it begins
with the peak of the process that this one was forked from."""
