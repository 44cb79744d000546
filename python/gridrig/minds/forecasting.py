"""Forecasts of load, sun and price up to a day ahead, with the spread of their own errors.

A ridge regression on what is known a day before each step, and then what the last hour showed of
its error, carried on as far as the past year says that errors last. Small enough to be trained in
a fraction of a second, and the same bits every time on one machine.

Nothing after the origin is looked at; a test shuffles what comes after it. What is missing is
replaced and said (`Forecast.flags`): a forecast is never silently worse.

Known gaps: no holidays; a day that has 23 or 25 hours looks back by 24; spreads are those of the
training, which flatters them a little.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.linalg import solve

from gridrig.errors import MindError
from gridrig.minds.inputs import Inputs, Kind, make_inputs
from gridrig.minds.series import FloatArray, IntArray, Series

QUANTILES = (0.1, 0.5, 0.9)
TRAINING_DAYS_MIN = 21
RIDGE = 1e-3
CARRIED = 4  # steps before the origin whose error is looked at
SPREAD_STEPS = (1, 4, 16, 96)  # how far ahead an error may lie to belong to each spread
HOURS = 24
LEADS = 96  # how many of a day's steps are asked how much of an error lasts


@dataclass(frozen=True)
class Forecast:
    """What is expected, step by step from the origin on.

    Parameters
    ----------
    mean : array of float64, shape (steps,)
        In the unit of the series.
    quantiles : array of float64, shape (steps, 3)
        Values that are not exceeded with the probabilities `QUANTILES`.
    flags : tuple of str
        What was missing and what stands in for it; empty if nothing.
    """

    mean: FloatArray
    quantiles: FloatArray
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Ridge:
    """Coefficients of a linear model; columns were scaled to one size before."""

    weights: FloatArray

    @classmethod
    def fit(cls, columns: FloatArray, target: FloatArray) -> "_Ridge":
        size = np.sqrt((columns**2).mean(axis=0))
        size[size == 0.0] = 1.0
        scaled = columns / size
        gram = scaled.T @ scaled + RIDGE * len(target) * np.eye(columns.shape[1])
        return cls(solve(gram, scaled.T @ target, assume_a="pos") / size)

    def predict(self, columns: FloatArray) -> FloatArray:
        predicted: FloatArray = columns @ self.weights
        return predicted


@dataclass(frozen=True)
class Forecaster:
    """A trained model of one series.

    Parameters
    ----------
    kind : {"load", "sun", "price"}
        Under the sun nothing is negative, and errors last as shares of what is possible.
    zone : str
        Time zone that the calendar is of.
    """

    kind: Kind
    zone: str
    _alone: _Ridge
    _with_weather: _Ridge | None
    _carry: FloatArray  # (steps a day, 2): of the last step's error, of the last steps' mean error
    _spread: FloatArray = field(repr=False)  # (len(SPREAD_STEPS), HOURS, len(QUANTILES))

    @classmethod
    def fit(
        cls,
        series: Series,
        *,
        kind: Kind,
        zone: str = "Europe/Berlin",
        weather: FloatArray | None = None,
        until: int | None = None,
    ) -> "Forecaster":
        """Train on the steps before `until`.

        Parameters
        ----------
        series : Series
            At least three weeks of it.
        weather : array of float64, shape (n, m), optional
            What a weather service said of each step at least a day before it; NaN where it said
            nothing. Ambient temperature, irradiance, whatever it tells.
        until : int, optional
            Number of steps that may be looked at; by default all.

        Raises
        ------
        MindError
            `forecast.history_short` with less than three weeks.
        """
        stop = len(series.values) if until is None else until
        day = series.steps_a_day
        if stop < TRAINING_DAYS_MIN * day:
            raise MindError(
                "forecast.history_short",
                "{name} has {found:.1f} days, expected at least {least} to train on",
                name=series.name,
                found=stop / day,
                least=TRAINING_DAYS_MIN,
            )
        past = replace(series, values=series.values[:stop])
        first = 7 * day
        told = np.empty((0, 0)) if weather is None else weather
        given = make_inputs(past, told, first, stop, kind=kind, zone=zone)
        target = past.values[first:]
        known = np.isfinite(target)
        alone = _Ridge.fit(given.columns[known], target[known])
        said = known & np.isfinite(given.weather).all(axis=1)
        with_weather = None
        if given.weather.shape[1] and said.sum() >= TRAINING_DAYS_MIN * day:
            both = np.column_stack([given.columns, given.weather])
            with_weather = _Ridge.fit(both[said], target[said])
        untrained = np.zeros((len(SPREAD_STEPS), HOURS, len(QUANTILES)))
        model = cls(kind, zone, alone, with_weather, np.zeros((day, 2)), untrained)
        errors = target - model._base(given)
        carry = _fit_carry(errors, given.scale, day)
        return replace(model, _carry=carry, _spread=_fit_spread(errors, given, carry))

    def forecast(
        self,
        series: Series,
        origin: int,
        steps: int | None = None,
        *,
        weather: FloatArray | None = None,
    ) -> Forecast:
        """Forecast the steps from `origin` on, of which the series up to it is looked at.

        Parameters
        ----------
        series : Series
            As trained on, perhaps longer.
        origin : int
            First step that is not known.
        steps : int, optional
            How many, at most a day; by default a day.
        weather : array of float64, shape (n, m), optional
            Reaching to the last step that is forecast, where it is known.
        """
        day = series.steps_a_day
        steps = day if steps is None else steps
        if not 0 < steps <= day or not CARRIED <= origin <= len(series.values):
            raise MindError(
                "forecast.horizon",
                "{steps} steps from step {origin} of {name}: expected 1 to {day} from {least} to "
                "{end}",
                steps=steps,
                origin=origin,
                name=series.name,
                day=day,
                least=CARRIED,
                end=len(series.values),
            )
        past = replace(series, values=series.values[:origin])
        given = make_inputs(
            past, self._weather(weather), origin - CARRIED, origin + steps,
            kind=self.kind, zone=self.zone,
        )  # fmt: skip
        base = self._base(given)
        errors = past.values[origin - CARRIED :] - base[:CARRIED]
        last, mean = _recent(errors[None, :], given.scale[None, :CARRIED])
        scale = given.scale[CARRIED:]
        carried = (self._carry[:steps, 0] * last + self._carry[:steps, 1] * mean) * scale
        expected = base[CARRIED:] + carried
        spread = self._spread[_spread_of(steps), given.hour[CARRIED:].astype(int)]
        quantiles = expected[:, None] + spread * scale[:, None]
        if self.kind == "sun":
            expected, quantiles = np.maximum(expected, 0.0), np.maximum(quantiles, 0.0)
        return Forecast(expected, quantiles, self._flags(given, errors))

    def days_ahead(
        self, series: Series, origin: int, days: int, *, weather: FloatArray | None = None
    ) -> FloatArray:
        """Return what is expected of whole days from `origin` on.

        A day beyond the first is forecast from the days before it as they are expected, so it knows
        the calendar and the last week, and little else.

        Returns
        -------
        array of float64, shape (days * steps a day,)
        """
        values, day = series.values[:origin], series.steps_a_day
        for _ in range(days):
            seen = replace(series, values=values)
            made = self.forecast(seen, len(values), weather=weather)
            values = np.concatenate([values, made.mean])
        expected: FloatArray = values[origin : origin + days * day]
        return expected

    def next_steps(
        self, series: Series, first: int, stop: int, *, weather: FloatArray | None = None
    ) -> FloatArray:
        """Return the quantiles of each step from `first` to `stop`, forecast as it begins.

        The same as `forecast` of one step from every origin, in one go.

        Returns
        -------
        array of float64, shape (stop - first, 3)
        """
        given = make_inputs(
            series, self._weather(weather), first - CARRIED, stop, kind=self.kind, zone=self.zone
        )
        base = self._base(given)
        errors = series.values[first - CARRIED : stop] - base
        last, mean = (part[: stop - first] for part in _before(errors, given.scale))
        carried = self._carry[0, 0] * last + self._carry[0, 1] * mean
        scale = given.scale[CARRIED:]
        spread = self._spread[0, given.hour[CARRIED:].astype(int)]
        found: FloatArray = (base[CARRIED:] + carried * scale)[:, None] + spread * scale[:, None]
        return np.maximum(found, 0.0) if self.kind == "sun" else found

    def _weather(self, weather: FloatArray | None) -> FloatArray:
        """Return the weather as the model was trained on it, of no length if nothing is said."""
        expected = 0
        if self._with_weather is not None:
            expected = (len(self._with_weather.weights) - len(self._alone.weights)) // 2
        if weather is None or not expected:
            return np.empty((0, expected))
        if weather.shape[1] != expected:
            raise MindError(
                "forecast.weather",
                "{found} columns of weather, expected the {expected} that were trained on",
                found=weather.shape[1],
                expected=expected,
            )
        return weather

    def _base(self, given: Inputs) -> FloatArray:
        """Return what is expected a day ahead, with the weather where it is known."""
        base = self._alone.predict(given.columns)
        if self._with_weather is not None:
            said = np.isfinite(given.weather).all(axis=1)
            both = np.column_stack([given.columns[said], given.weather[said]])
            base[said] = self._with_weather.predict(both)
        return np.maximum(base, 0.0) if self.kind == "sun" else base

    def _flags(self, given: Inputs, errors: FloatArray) -> tuple[str, ...]:
        flags = []
        ahead = slice(CARRIED, None)
        if self._with_weather is not None:
            silent = int((~np.isfinite(given.weather[ahead]).all(axis=1)).sum())
            if silent:
                flags.append(f"weather missing for {silent} steps: forecast without it")
        replaced = int(given.replaced[ahead].sum())
        if replaced:
            flags.append(f"day or week before missing for {replaced} steps: mean of the week")
        if not np.isfinite(errors).all():
            flags.append("last hour incomplete: its error carried on as far as known")
        return tuple(flags)


def _recent(errors: FloatArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return, of rows of errors before an origin, the last and the mean as shares of the scale."""
    known = np.where(np.isfinite(errors), errors, 0.0)
    possible = np.where(np.isfinite(errors), scale, 0.0)
    last = np.divide(
        known[:, -1], possible[:, -1], out=np.zeros(len(errors)), where=possible[:, -1] > 0
    )
    total = possible.sum(axis=1)
    mean = np.divide(known.sum(axis=1), total, out=np.zeros(len(errors)), where=total > 0)
    # Under a rising sun a watt of error is many times what is possible; none lasts like that.
    return np.clip(last, -1e9, 1e9), np.clip(mean, -1e9, 1e9)


def _before(errors: FloatArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return `_recent` of every origin from `CARRIED` to the end."""
    windows = np.lib.stride_tricks.sliding_window_view
    return _recent(windows(errors, CARRIED), windows(scale, CARRIED))


def _fit_carry(errors: FloatArray, scale: FloatArray, day: int) -> FloatArray:
    """Return how much of the recent error is left so many steps later, by least squares."""
    last, mean = _before(errors, scale)
    carry = np.zeros((day, 2))
    fitted = _leads_fitted(day)
    for ahead in fitted:
        later = slice(CARRIED + ahead, None)
        target, size = errors[later], scale[later]
        known = np.isfinite(target)
        both = np.column_stack([last, mean])[: len(target)][known] * size[known, None]
        gram = both.T @ both
        # Under the sun the two are all but one where nothing else is there to tell them apart.
        gram += 1e-6 * max(float(np.trace(gram)), 1e-12) * np.eye(2)
        carry[ahead] = solve(gram, both.T @ target[known], assume_a="pos")
    for column in carry.T:
        column[:] = np.interp(np.arange(day), fitted, column[fitted])
    return carry


def _leads_fitted(day: int) -> list[int]:
    """Return the leads that are fitted by themselves: all up to a quarter-hourly day, else fewer.

    What lasts of an error changes with the hours, not from one minute to the next.
    """
    return sorted({*range(CARRIED), *range(0, day, max(1, day // LEADS)), day - 1})


def _fit_spread(errors: FloatArray, given: Inputs, carry: FloatArray) -> FloatArray:
    """Return the quantiles of what is left of the error, by how far ahead and by hour of day."""
    last, mean = _before(errors, given.scale)
    spread = np.zeros((len(SPREAD_STEPS), HOURS, len(QUANTILES)))
    for place, ahead in enumerate(SPREAD_STEPS):
        step = min(ahead, len(carry)) - 1
        later = slice(CARRIED + step, None)
        target, scale = errors[later], given.scale[later]
        moved = (carry[step, 0] * last + carry[step, 1] * mean)[: len(target)]
        left = np.divide(target, scale, out=np.zeros(len(target)), where=scale > 0) - moved
        hour = given.hour[later].astype(int)
        for one in range(HOURS):
            of_hour = left[(hour == one) & np.isfinite(left) & (scale > 0)]
            if len(of_hour):
                spread[place, one] = np.quantile(of_hour, QUANTILES)
    return spread


def _spread_of(steps: int) -> IntArray:
    """Return which spread each step ahead has."""
    found: IntArray = np.minimum(
        np.searchsorted(SPREAD_STEPS, np.arange(1, steps + 1)), len(SPREAD_STEPS) - 1
    )
    return found
