"""Words for whoever mistyped one: what was probably meant, and what there is."""

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
