"""Whether the weather of a rig's feeder can be: bounds, and names of its own."""

from gridrig.grid.weather import Weather
from gridrig.rig.issues import At, Issues, shown


def check_weather(weather: Weather | None, at: At, issues: Issues) -> None:
    """Note every value out of bounds, an array twice, and the lack of any."""
    if weather is None:
        return
    names = [array.name for array in weather.array]
    arrays = {name: at.key("array").item(index, name) for index, name in enumerate(names)}
    for name, key, value, expected in weather.outside():
        issues.add((arrays[name] if name else at).key(key), shown(value), expected)
    if not names:
        issues.add(at.key("array"), "none", "at least one [[feeder.weather.array]]")
    for index, name in enumerate(names):
        if name in names[:index]:
            found = f"{shown(name)}, which another array has"
            issues.add(at.key("array").item(index, name).key("name"), found, "a name of its own")
