"""Bounds on what a reader takes in: sizes, encodings, and what is no text at all.

Formats of lines (RIS, nbib, JSON lines, CSV) and of separate records (XML, arrays of JSON) are read piece by piece, so
a file of any size needs little memory; what must be held whole is refused above `LARGEST_WHOLE`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, Final, final

from stromal.compute.errors import InputError

LARGEST_WHOLE: Final = 128 * 2**20
"""Largest file of a format that must be read whole [bytes]."""
LARGEST_RECORD: Final = 16 * 2**20
"""Largest record or line [bytes in XML, else characters]."""
DEEPEST: Final = 64
"""Deepest nesting of XML and JSON [levels]; records of the supported formats have fewer than 20."""
PIECE: Final = 2**20
"""How much is read at once [bytes]."""
HEAD: Final = 2**16
"""How much of a file is looked at to tell its format [bytes]."""

_BINARY: Final = (
    (b"PK\x03\x04", "a zip archive (or a document of an office program)", "unpack it and give the files inside"),
    (b"PK\x05\x06", "an empty zip archive", "the file with the records"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first (gunzip FILE)"),
    (b"BZh", "compressed with bzip2", "unpack it first (bunzip2 FILE)"),
    (b"\xfd7zXZ\x00", "compressed with xz", "unpack it first (unxz FILE)"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first (unzstd FILE)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and give the files inside"),
    (
        b"%PDF-",
        "a PDF document",
        "the record of the paper (RIS, BibTeX, nbib or CSL-JSON from its page), not the paper",
    ),
    (b"SQLite format 3\x00", "a SQLite database", "an export of its records, e.g. as RIS or CSL-JSON"),
    (b"\xd0\xcf\x11\xe0", "a document of an office program", "its text, saved as UTF-8"),
    (b"\x89PNG", "a picture", "the text of the record"),
    (b"\xff\xd8\xff", "a picture", "the text of the record"),
    (b"\x7fELF", "a program", "the file with the records"),
)
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)")


def refuse_binary(head: bytes, file: str) -> None:
    """Refuse what is no text by its first bytes.

    Raises
    ------
    InputError
        The file is empty, an archive, compressed, a PDF, a picture or other binary data, UTF-32, or UTF-16 without
        its mark.
    """
    if not head:
        raise InputError("the file is empty", file=file, remedy="a file with at least one record")
    for start, what, remedy in _BINARY:
        if head.startswith(start):
            raise InputError(f"the file is {what}, not text", file=file, place="byte 1", remedy=remedy)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InputError("the file is UTF-32", file=file, place="byte 1", remedy="save it as UTF-8")
    if _mark_of(head)[1].startswith("utf-16") or b"\0" not in head:
        return
    zeros = head[:1000].count(b"\0")
    if zeros >= len(head[:1000]) // 3 and len(head) > 1:
        remedy = "save it as UTF-8 (it looks like UTF-16 without its byte-order mark: iconv -f UTF-16LE -t UTF-8)"
    else:
        remedy = "a text file in UTF-8"
    place = f"byte {head.index(0) + 1}"
    raise InputError("a zero byte: the file is not text in UTF-8", file=file, place=place, remedy=remedy)


def _mark_of(head: bytes) -> tuple[int, str]:
    """Length of the byte-order mark and the encoding; UTF-8 without one."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return len(mark), encoding
    return 0, "utf-8"


def opened(content: bytes | BinaryIO) -> BinaryIO:
    """A stream of the content."""
    return BytesIO(content) if isinstance(content, bytes) else content


def head_text(head: bytes, file: str) -> str:
    """Text of the first bytes of a file, for telling its format; a character cut at the end is left out.

    Raises
    ------
    InputError
        It is no text, or not in UTF-8 or marked UTF-16.
    """
    text = Text(head, file)
    text.cut = True
    return "".join(text.pieces())


@final
class Text:
    """Text of a file, decoded piece by piece.

    Parameters
    ----------
    content : bytes or binary stream
    file : str
        Name of the file, for messages.

    Attributes
    ----------
    encoding : str
        ``utf-8``, ``utf-16-le`` or ``utf-16-be``; the two last only with a byte-order mark.
    cut : bool
        The content is only the start of a file: half a character at its end is no error.

    Raises
    ------
    InputError
        See `refuse_binary`.
    """

    def __init__(self, content: bytes | BinaryIO, file: str) -> None:
        self.file = file
        self._stream = opened(content)
        head = self._stream.read(PIECE)
        refuse_binary(head, file)
        mark, self.encoding = _mark_of(head)
        self.cut = False
        self._read = mark
        self._newlines = 0
        self._decoder = codecs.getincrementaldecoder(self.encoding)()
        self._ahead: list[str] = []
        self._next = head[mark:]
        self._ended = False

    def bytes_of(self, text: str) -> bytes:
        """The bytes that `text` has in the file."""
        return text.encode(self.encoding)

    def pieces(self) -> Iterator[str]:
        """What has not been read yet, in pieces of about `PIECE` characters.

        Raises
        ------
        InputError
            Bytes that are not of the encoding, or a zero byte: with the place and what to do.
        """
        while self._ahead:
            yield self._ahead.pop(0)
        while not self._ended:
            yield self._decoded()

    def peek(self, characters: int) -> str:
        """The next characters (fewer at the end of the file) without reading them."""
        have = sum(map(len, self._ahead))
        while have < characters and not self._ended:
            self._ahead.append(self._decoded())
            have += len(self._ahead[-1])
        self._ahead = ["".join(self._ahead)]
        return self._ahead[0][:characters]

    def whole(self) -> str:
        """All that has not been read yet.

        Raises
        ------
        InputError
            More than `LARGEST_WHOLE`.
        """
        parts = []
        for piece in self.pieces():
            parts.append(piece)
            if self._read > LARGEST_WHOLE:
                raise InputError(
                    f"the file is larger than {LARGEST_WHOLE // 2**20} MiB, the most that is read of this format",
                    file=self.file,
                    remedy="split it, or use a format that is read record by record (JSON lines, RIS, nbib)",
                )
        return "".join(parts)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Number (from 1) and text of each line, with its end: line feed, carriage return or both.

        Raises
        ------
        InputError
            A line has more than `LARGEST_RECORD` characters.
        """
        number, rest = 0, ""
        for piece in self.pieces():
            text = rest + piece
            # A carriage return at the end may be half of the end of a line.
            end = len(text) - text.endswith("\r")
            whole = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1
            for found in _LINE.finditer(text, 0, whole):
                number += 1
                yield number, found.group()
            rest = text[whole:]
            if len(rest) > LARGEST_RECORD:
                raise InputError(
                    f"a line of more than {LARGEST_RECORD:,} characters",
                    file=self.file,
                    place=f"line {number + 1}",
                    value=rest[:60],
                    remedy="a file with line ends",
                )
        if rest:
            yield number + 1, rest

    def _decoded(self) -> str:
        raw, self._next = self._next, self._stream.read(PIECE)
        pending = len(self._decoder.getstate()[0])
        self._ended = not self._next
        try:
            text = self._decoder.decode(raw, final=self._ended and not self.cut)
        except UnicodeDecodeError as error:
            raise self._not_of_the_encoding(error, self._read - pending) from None
        zero = text.find("\0")
        if zero >= 0:
            raise InputError(
                "a zero byte: not text",
                file=self.file,
                place=f"line {self._newlines + text.count(chr(10), 0, zero) + 1}",
                remedy="a text file in UTF-8",
            )
        self._read += len(raw)
        self._newlines += text.count("\n")
        return text

    def _not_of_the_encoding(self, error: UnicodeDecodeError, start: int) -> InputError:
        bad = error.object[error.start]
        before = error.object[: error.start].decode(self.encoding, "ignore").count("\n")
        place = f"byte {start + error.start + 1} (line {self._newlines + before + 1})"
        if self.encoding != "utf-8":
            return InputError(
                f"bytes that are not {self.encoding}", file=self.file, place=place, remedy="save as UTF-8"
            )
        guess = bytes([bad]).decode("cp1252", "ignore")
        remedy = "save the file as UTF-8"
        if guess:
            remedy += f" (the byte is {guess!r} in Windows-1252; if that fits: iconv -f WINDOWS-1252 -t UTF-8)"
        return InputError("a byte that is not UTF-8", file=self.file, place=place, value=f"0x{bad:02X}", remedy=remedy)
