"""Who is believed: meters' keys, and what is bound to each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridrig._core import Verifier
from gridrig.errors import Issue, MeteringError, RigError

Fault = Callable[[str | None, str, str, str | None], None]
"""Notes what is wrong with a key: its field or none, what was found, what was expected, and the
near miss."""

# The field that each refusal of the trust store is about, and what it had to be.
_REFUSED = {
    "metering.enrol_algorithm": ("algorithm", "an algorithm that the format signs with"),
    "metering.enrol_profile": ("profiles", "profiles of the format"),
    "metering.enrol_key": ("public_key", "a key of the algorithm, written as key_form says"),
    "metering.enrol_window": ("valid_to", "a time after valid_from"),
    "metering.enrol_key_repeated": ("public_key", "a key of its own for every meter"),
    "metering.enrol_serial_taken": ("serial", "a serial number of its own for every meter"),
    "metering.enrol_overlap": ("valid_from", "a time at which no other key of the meter is valid"),
}


@dataclass(frozen=True)
class EnrolledKey:
    """One meter's public key, and what is bound to it.

    Attributes
    ----------
    meter, serial : str
        Name in the rig, and what the meter calls itself inside the bytes it signs.
    algorithm : str
        One of `ALGORITHMS`.
    public_key : bytes
        The key, written as `key_form` says.
    valid_from_s : int
        First second at which the key may sign. [UTC s]
    valid_to_s : int or None
        First second at which it no longer may. [UTC s]
    key_form : str
        One of `KEY_FORMS`.
    format : str or None
        The one wire format the key signs; None for any.
    arrives_by_s : int or None
        First second at which records of a retired key may no longer arrive. [UTC s]
    revoked_at_s : int or None
        From then on the key may neither have signed nor may its records arrive. [UTC s]
    profiles : tuple of str
        Deviations from the format that are borne for the key.
    start_milliwh : tuple of int, or None
        Import and export register when the meter was mounted in place of another. [mWh]
    import_power_milliwatt_max, export_power_milliwatt_max : int or None
        Most power the place can take and give; an export of 0 for a place that never gives. [mW]
    power_tolerance_permille : int or None
        How far energy may be from the integral of signed power. [thousandths]
    utc_offset_s : int or None
        Offset of the meter's clock in winter, where the format signs local time; east is positive.
        [s]
    eu_summer_time : bool
        Whether that clock follows the summer time of the European Union.
    """

    meter: str
    serial: str
    algorithm: str
    public_key: bytes = field(repr=False)
    valid_from_s: int
    valid_to_s: int | None = None
    key_form: str = "spki"
    format: str | None = None
    arrives_by_s: int | None = None
    revoked_at_s: int | None = None
    profiles: tuple[str, ...] = ()
    start_milliwh: tuple[int, int] | None = None
    import_power_milliwatt_max: int | None = None
    export_power_milliwatt_max: int | None = None
    power_tolerance_permille: int | None = None
    utc_offset_s: int | None = None
    eu_summer_time: bool = False


def enrol_key(verifier: Verifier, key: EnrolledKey, fault: Fault) -> bool:
    """Enrol one key in a verifier and tell whether it took it; note why it did not."""
    options = {name: value for name, value in vars(key).items() if name != "meter"}
    options["profiles"] = list(key.profiles)
    try:
        verifier.enrol(key.meter, **options)
    except MeteringError as refused:
        name, expected = _REFUSED.get(refused.code, (None, "a key that can be enrolled"))
        fault(name, f"{refused.code}: {refused.message}", expected, None)
        return False
    return True


def enrol_all(verifier: Verifier, keys: Iterable[EnrolledKey], *, file: str = "(keys)") -> None:
    """Enrol keys in a verifier.

    Raises
    ------
    RigError
        With one issue per key that the verifier refuses; the others are enrolled.
    """
    issues: list[Issue] = []
    for key in keys:
        enrol_key(verifier, key, noting(issues, file, f"key of {key.meter}"))
    if issues:
        raise refusal(file, issues)


def noting(issues: list[Issue], file: str, where: str) -> Fault:
    """Return what notes the faults of one key of a file as issues."""

    def fault(name: str | None, found: str, expected: str, near: str | None) -> None:
        key = where if name is None else f"{where}.{name}"
        issues.append(Issue(file, key, found, expected, near))

    return fault


def refusal(path: Path | str, issues: Sequence[Issue]) -> RigError:
    """Return the refusal of a file of keys with all its issues."""
    return RigError("metering.keys_file", "{path}", issues=tuple(issues), path=str(path))
