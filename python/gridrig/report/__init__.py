"""What a run came to, for people and for machines: HTML, JUnit, terminal."""

from gridrig.report.html import build_report
from gridrig.report.junit import write_junit
from gridrig.report.terminal import print_verdicts

__all__ = ["build_report", "print_verdicts", "write_junit"]
