"""Words for whoever mistyped one: what was written, what was probably meant, what there is."""

import difflib
import json
from collections.abc import Iterable


def near_miss(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, None if none is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return close[0] if close and close[0] != word else None


def one_of(words: Iterable[str]) -> str:
    """Return the words as a phrase: `one of "a", "b"`."""
    quoted = [json.dumps(word, ensure_ascii=False) for word in words]
    return f"one of {', '.join(quoted)}" if quoted else "nothing (there is none)"


def misspelt(table: Iterable[str], known: Iterable[str]) -> set[str]:
    """Return the known keys that unknown keys of a table were probably meant to be.

    Such a key is not missing as well: one mistake is one issue.
    """
    known = list(known)
    found = {near_miss(key, known) for key in table if key not in known}
    return {key for key in found if key is not None}


def shown(value: object) -> str:
    """Return a value from a file as its reader would write it, cut to a bearable length."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 80 else f'{text[:76]}..."'
    if isinstance(value, dict):
        return f"a table of {', '.join(value)}" if value else "an empty table"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return str(value)
