"""More than the one core that a benchmark is pinned to, for a while."""

import os


class OnCores:
    """Runs on so many cores of the machine for a while, where the system can say so."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted

    def __enter__(self) -> int:
        self.before = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
        if self.before is None or self.wanted <= len(self.before):
            return self.wanted
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        return min(self.wanted, len(os.sched_getaffinity(0)))

    def __exit__(self, *_: object) -> None:
        if self.before is not None:
            os.sched_setaffinity(0, self.before)
