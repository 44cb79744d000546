"""The pyserial URL scheme ``counted://``: a port whose bytes the virtual clock can count.

pymodbus opens its serial port by `serial.serial_for_url`, so a URL reaches it without touching it.
"""

import serial

if __name__ not in serial.protocol_handler_packages:
    serial.protocol_handler_packages.append(__name__)


def counted(path: str) -> str:
    """Return the URL of the serial port at `path`."""
    return path if "://" in path else f"counted://{path}"
