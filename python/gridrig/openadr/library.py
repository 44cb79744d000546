"""The library that speaks OpenADR, loaded when somebody needs it."""

import logging
from typing import Any

from gridrig.errors import GridrigError

PATH = "/OpenADR2/Simple/2.0b"
SIGNAL, KIND = "LOAD_DISPATCH", "delta"


def openleadr() -> Any:
    """Return the library.

    Raises
    ------
    GridrigError
        `openadr.not_installed`, with what to install.
    """
    try:
        import openleadr as library
    except ImportError as error:
        raise GridrigError(
            "openadr.not_installed",
            "orders over OpenADR need the package openleadr ({cause}): pip install "
            "'gridrig[openadr]'",
            cause=str(error),
        ) from error
    # What it would only log, and go on, is an error of ours.
    logging.getLogger("openleadr").setLevel(logging.CRITICAL)
    return library
