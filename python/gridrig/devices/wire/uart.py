"""What a UART makes of bytes: their time on the line, and what a receiver at another speed hears.

8 data bits, no parity, 1 stop bit, least significant bit first; the line rests at 1. A receiver
waits for a falling edge, looks again half a bit later, then samples eight bits, one bit apart, and
the stop bit. With a stop bit of 0 the character is a framing error: POSIX hands it over as a zero
byte, and the receiver waits until the line is 1 again.
"""

BITS_PER_CHARACTER = 10


def line_time_s(n_bytes: float, baudrate: int) -> float:
    """Return how long characters take on the line. [s]"""
    return n_bytes * BITS_PER_CHARACTER / baudrate


def misheard(data: bytes, sent_baudrate: int, heard_baudrate: int) -> bytes:
    """Return what a receiver at one speed hears of bytes sent back to back at another.

    Parameters
    ----------
    data : bytes
        What was sent.
    sent_baudrate, heard_baudrate : int
        Speeds of sender and receiver. [bit/s]
    """
    if sent_baudrate == heard_baudrate:
        return data
    line = bytearray()
    for byte in data:
        line.append(0)
        line += bytes(byte >> bit & 1 for bit in range(8))
        line.append(1)
    # Times in units of 1 / (2 x sent x heard) seconds: every sample falls on an integer.
    sent_bit, heard_bit = 2 * heard_baudrate, 2 * sent_baudrate
    end = len(line) * sent_bit

    def level(at: int) -> int:
        return line[at // sent_bit] if at < end else 1

    heard = bytearray()
    at = 0
    while at < end:
        if level(at):
            at += sent_bit - at % sent_bit  # to the next edge
            continue
        middle = at + heard_bit // 2
        if level(middle):
            at = middle  # too short for a start bit: a glitch
            continue
        value = sum(level(middle + (bit + 1) * heard_bit) << bit for bit in range(8))
        stop = middle + 9 * heard_bit
        at = stop
        if level(stop):
            heard.append(value)
        else:
            heard.append(0)
            while at < end and not level(at):
                at += sent_bit - at % sent_bit
    return bytes(heard)
