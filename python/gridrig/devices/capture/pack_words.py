"""Words that the texts of all battery packs share."""

KELVIN_DK = 2731  # 0 deg C


def hex_of(data: bytes) -> str:
    """Return bytes in hexadecimal."""
    return data.hex(" ") if data else "nothing"


def celsius(kelvin_dk: tuple[int, ...]) -> str:
    """Return temperatures [0.1 K] in deg C."""
    return " ".join(f"{(dk - KELVIN_DK) / 10:.1f}" for dk in kelvin_dk) or "none"


def listed(values: tuple[object, ...]) -> str:
    """Return values in a row."""
    return " ".join(map(str, values)) or "none"


def closed(charge: object, discharge: object) -> str:
    """Return which switches are closed."""
    words = [word for word, on in (("charge", charge), ("discharge", discharge)) if on]
    return " and ".join(words) or "none"


def malformed(reason: str, data: bytes) -> str:
    """Return a content that cannot be, with its bytes."""
    return f"cannot be ({reason}): {hex_of(data)}"
