"""What a message has to be like before the libraries that read it may be asked.

Two things they take on trust: that a document declares no type of its own, since libxml2 does not
survive every entity when it validates; and that what is read is what was signed. A signature
names elements by Id wherever they are, so a signed message put aside would vouch for another in
its place ("signature wrapping"), and an old one for a new timestamp beside it.
"""

from typing import Any
from xml.parsers import expat

SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
PROPERTIES = "{http://openadr.org/oadr-2.0b/2012/07/xmldsig-properties}"
READ = (
    "{http://openadr.org/oadr-2.0b/2012/07}oadrSignedObject",
    f"{PROPERTIES}timestamp",
    f"{PROPERTIES}nonce",
)


def check_document(content: bytes) -> None:
    """Check that a document is XML without a document type.

    Raises
    ------
    ValueError
        With the reason.
    """
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _declares
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(f"no XML: {error}") from error


def check_covered(tree: Any) -> None:
    """Check that each element that is read is there once, and within what the signature names.

    Parameters
    ----------
    tree : lxml element
        Of a message with a signature, whose digests are checked elsewhere.

    Raises
    ------
    ValueError
        With the element.
    """
    names = {one.get("URI") for one in tree.iterfind(f".//{SIGNATURE}SignedInfo/{{*}}Reference")}
    for tag in READ:
        found, name = list(tree.iter(tag)), tag.rpartition("}")[2]
        if len(found) != 1:
            raise ValueError(f"{len(found)} elements {name}, expected one")
        around = (found[0], *found[0].iterancestors())
        if not any(f"#{identity}" in names for one in around for identity in _identities(one)):
            raise ValueError(f"{name} that the signature does not cover")


def _declares(*_: object) -> None:
    raise ValueError("a document type, expected none")


def _identities(element: Any) -> list[str]:
    """Return the values of attributes named Id, in whatever namespace."""
    return [value for key, value in element.attrib.items() if key.rpartition("}")[2] == "Id"]
