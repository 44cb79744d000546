"""How far a campaign of procedures is, on a terminal: how many are done, and the time left."""

import pytest

from gridrig.clock.stopwatch import now_ns

NAME = "gridrig-time-left"  # of the plugin object


class TimeLeft:
    """Tells before each item, the first left out, what the rest will take at the pace so far."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._total = self._ended = self._began_ns = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin to count."""
        self._total, self._began_ns = len(session.items), now_ns()

    def pytest_runtest_logstart(self) -> None:
        """Say it where somebody looks; a log has no use for it."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and reporter.isatty and self._ended:
            took_s = (now_ns() - self._began_ns) / 1e9
            reporter.ensure_newline()
            reporter.write_line(time_left(self._ended, self._total, took_s))

    def pytest_runtest_logfinish(self) -> None:
        """Count one more."""
        self._ended += 1


def time_left(ended: int, total: int, took_s: float) -> str:
    """Return how far it is, in words.

    >>> time_left(3, 12, 90.0)
    '3 of 12 done, about 4 min 30 s left'
    """
    left_s = round(took_s / ended * (total - ended))
    hours, minutes, seconds = left_s // 3600, left_s // 60 % 60, left_s % 60
    text = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
    return f"{ended} of {total} done, about {text if left_s >= 60 else f'{seconds} s'} left"
