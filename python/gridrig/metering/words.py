"""The words of metering, in the order in which the columns of verdicts count them."""

from gridrig._core import metering_words

_WORDS = metering_words()

ALGORITHMS = tuple(_WORDS["algorithms"])
CODES = tuple(_WORDS["codes"])
FINDINGS = tuple(_WORDS["findings"])
FORMATS = tuple(_WORDS["formats"])
KEY_FORMS = tuple(_WORDS["key_forms"])
PROFILES = tuple(_WORDS["profiles"])
STATUSES = ("ok", *_WORDS["outcomes"])
"""What a verdict can be; `StagedBatch.columns` gives the place in this tuple."""
