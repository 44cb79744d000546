"""Weeks of the year that the microgrid benchmark has profiles of, by the day they begin on."""

from gridrig.errors import BenchError

YEAR_DAYS, WEEK_DAYS = 366, 7  # of 2016
LAST_DAY = YEAR_DAYS - WEEK_DAYS
ALL = tuple(range(0, LAST_DAY + 1, WEEK_DAYS))
"""The 52 whole weeks from 1 January on; two days are left over."""


def read_weeks(text: str) -> tuple[int, ...]:
    """Read weeks: `45,136`, by the day of the year on which each begins, from 0; or `all`.

    Raises
    ------
    BenchError
        `bench.week_unknown` if it is not of that form, or two weeks share a day.

    Examples
    --------
    >>> read_weeks("45,136"), len(read_weeks("all"))
    ((45, 136), 52)
    """
    if text == "all":
        return ALL
    days: list[int] = []
    for part in text.split(","):
        word = part.strip()
        if not word.isdecimal() or int(word) > LAST_DAY:
            raise BenchError(
                "bench.week_unknown",
                "found {found!r}, expected days from 0 to {last} on which weeks of 2016 begin, "
                "such as 45,136, or all, which stands alone",
                found=text if word == "all" else word,
                last=LAST_DAY,
            )
        days.append(int(word))
    for day in days:
        near = [other for other in days if abs(other - day) < WEEK_DAYS]
        if len(near) > 1:
            raise BenchError(
                "bench.week_unknown",
                "the weeks of days {first} and {second} share a day",
                first=near[0],
                second=near[1],
            )
    return tuple(days)
