"""Time zones by the names that files and commands give them."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone of a name such as "Europe/Berlin", None if there is none.

    A name that is a folder of the zones, such as "Europe", is none either.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
