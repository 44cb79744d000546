"""The signals that ask a process to stop, wherever one is asked: in a loop, or in none.

SIGHUP is one of them: closing a terminal, or losing an ssh session, must not skip a safe state. Who
was started with it ignored, as `nohup` does, means to outlive the terminal and goes on ignoring it.
"""

import asyncio
import errno
import os
import signal
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Handle = Callable[[str], object]


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return SIGINT, SIGTERM and, unless it is ignored, SIGHUP.

    SIGINT is one of them even where whoever started this process had it ignored: a shell without
    job control does so to what it puts in the background, and Python then leaves it so.
    """
    always = (signal.SIGINT, signal.SIGTERM)
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return always if ignored else (*always, signal.SIGHUP)


def hand_to(loop: asyncio.AbstractEventLoop, handle: Handle) -> None:
    """Let a loop call `handle` with the name of each such signal, as long as the loop lives."""
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread gets signals
    for number in stop_signals():
        loop.add_signal_handler(number, handle, number.name)
        if number is signal.SIGHUP:
            # The loop is woken by a file, and calls later; by then it may have said something.
            signal.signal(number, lambda *_: _let_terminals_go())


@contextmanager
def handed(handle: Handle) -> Iterator[None]:
    """Call `handle` with the name of each such signal; the former handlers come back afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def take(number: int, _: object) -> None:
        if number == signal.SIGHUP:
            _let_terminals_go()
        handle(signal.Signals(number).name)

    former = {number: signal.signal(number, take) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def given_back() -> Iterator[None]:
    """Put the present handlers back afterwards: a loop that ends leaves the default actions."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.getsignal(number) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _let_terminals_go() -> None:
    """Put nothing in the place of every open terminal that has hung up.

    What is said on the way to the safe state would fail there, and with it what says it.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/dev/fd"):
        try:
            termios.tcgetattr(int(name))
        except termios.error as error:
            if error.args[0] == errno.EIO:  # what is no terminal says ENOTTY
                os.dup2(nothing, int(name), inheritable=int(name) <= 2)
    os.close(nothing)
