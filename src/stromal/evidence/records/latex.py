r"""LaTeX in BibTeX fields to plain text, and plain text to LaTeX.

Our own because pylatexenc 2.11 (which bibtexparser uses) loses data: everything after a bare ``%``, commands that it
does not know (``C:\dir`` becomes ``C:``) and ``{\textless}``; and it decodes about 80 abstracts a second. Here what is
not understood stays as it is, and is reported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import groupby
from typing import Final, final

from stromal.evidence.records.scripts import lowered, raised
from stromal.evidence.records.vocabulary import pairs

_ACCENTS: Final[Mapping[str, str]] = dict(
    zip(
        "`'^~=u.\"rHvdckbt",
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0323\u0327\u0328\u0331\u0361",
        strict=True,
    )
)
"""Command for an accent -> the combining character."""
_SYMBOLS: Final = pairs(
    r"""
    o=ø O=Ø l=ł L=Ł ss=ß ae=æ AE=Æ oe=œ OE=Œ aa=å AA=Å dh=ð DH=Ð th=þ TH=Þ dj=đ DJ=Đ ng=ŋ NG=Ŋ i=ı j=ȷ
    textbackslash=\ textbraceleft={ textbraceright=} textasciitilde=~ textasciicircum=^ textless=< textgreater=>
    textbar=| textdollar=$ slash=/ textunderscore=_ textquotesingle=' textquotedbl=" textasciigrave=`
    textquoteleft=‘ textquoteright=’ textquotedblleft=“ textquotedblright=” textendash=– textemdash=— textdegree=°
    degree=° textregistered=® texttrademark=™ textcopyright=© copyright=© pm=± textpm=± times=× texttimes=× div=÷
    leq=≤ le=≤ geq=≥ ge=≥ neq=≠ ne=≠ approx=≈ sim=∼ simeq=≃ equiv=≡ infty=∞ cdot=· bullet=• textbullet=• ldots=…
    dots=… textellipsis=… rightarrow=→ to=→ leftarrow=← uparrow=↑ downarrow=↓ textmu=µ textperiodcentered=· S=§ P=¶
    pounds=£ euro=€ texteuro=€ textonehalf=½ textperthousand=‰ prime=′ lt=< gt=> mid=| circ=° alpha=α beta=β gamma=γ
    delta=δ epsilon=ε zeta=ζ eta=η theta=θ iota=ι kappa=κ lambda=λ mu=μ nu=ν xi=ξ omicron=ο pi=π rho=ρ sigma=σ tau=τ
    upsilon=υ phi=φ chi=χ psi=ψ omega=ω Gamma=Γ Delta=Δ Theta=Θ Lambda=Λ Xi=Ξ Pi=Π Sigma=Σ Upsilon=Υ Phi=Φ Psi=Ψ
    Omega=Ω
    """  # noqa: RUF001 - what the commands print
)
_TRANSPARENT: Final = frozenset(
    [
        "emph",
        "textit",
        "textbf",
        "textrm",
        "textsf",
        "textsc",
        "textup",
        "textmd",
        "textnormal",
        "texttt",
        "text",
        "mathrm",
        "mathit",
        "mathbf",
        "mathsf",
        "mathcal",
        "ensuremath",
        "mbox",
        "hbox",
        "url",
        "path",
        "nolinkurl",
        "NoCaseChange",
    ]
)
_EMPTY: Final = frozenset(
    [
        "it",
        "bf",
        "rm",
        "sf",
        "sc",
        "tt",
        "em",
        "relax",
        "noopsort",
        "protect",
        "left",
        "right",
        "displaystyle",
        "textstyle",
        "itshape",
        "bfseries",
        "upshape",
    ]
)
_SPACES: Final[Mapping[str, str]] = {",": "\u2009", ";": " ", ":": " ", "!": "", " ": " ", "/": "", "-": "", "@": ""}

_TOKEN: Final = re.compile(r"\\([A-Za-z]+)[ \t\n]*|\\(.)|(---?)|(``|'')|([{}$~^_])|[^\\{}$~^_`'-]+|.", re.DOTALL)
_MATH: Final = re.compile(r"[\\^_<>=]")
_DEEPEST: Final = 50

_ESCAPES: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "%&#_$"},
    }
)
_VERBATIM_ESCAPES: Final = str.maketrans({key: value for key, value in _ESCAPES.items() if chr(key) in "\\{}"})
_VERBATIM: Final = re.compile(
    r"\\(textbackslash|textbraceleft|textbraceright|textasciitilde)(?:\{\}| ?)|\\([%&#_$~])(?:\{\})?"
)


def decoded(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Plain text, and what was not understood and left as it is.

    Braces that only protect are left out; ``\\`` is a new line and an empty line stays one; ``~`` is a no-break space.
    Mathematics becomes plain text where that says the same (``TGF-$\beta_1$`` is TGF-β₁), else it stays as it is.
    """
    flat = _flat(text) if "\n" in text else text
    if not _SPECIAL.search(flat):
        return flat, ()
    reader = _Reader(flat)
    return reader.group(0), tuple(dict.fromkeys(reader.unknown))


_SPECIAL: Final = re.compile(r"[\\{}$~]|--|``|''")


def _flat(text: str) -> str:
    """Text with its lines joined, but for empty ones."""
    groups = groupby((line.strip(" \t\r") for line in text.split("\n")), key=bool)
    return "\n\n".join(" ".join(lines) for full, lines in groups if full)


def encoded(text: str) -> str:
    r"""Text as LaTeX: special characters escaped, others as they are; ``\\`` for a new line."""
    escaped = text.translate(_ESCAPES)
    escaped = re.sub(r"([-`'])(?=\1)", r"\1{}", escaped)
    return re.sub(r"(?<!\n)\n(?!\n)", r"\\\\" + "\n", escaped)


def verbatim_decoded(text: str) -> str:
    """Plain text of a field that LaTeX takes verbatim, such as an address: only escapes of single characters go."""
    return _VERBATIM.sub(lambda m: m.group(2) or _SYMBOLS[m.group(1)], text)


def verbatim_encoded(text: str) -> str:
    """Text for a field that LaTeX takes verbatim."""
    return text.translate(_VERBATIM_ESCAPES)


@final
class _Reader:
    """Reads LaTeX once from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.unknown: list[str] = []

    def group(self, depth: int, *, math: bool = False, closed: bool = False) -> str:
        """Text up to the brace that closes this group (`closed`) or the end."""
        parts: list[str] = []
        while self.at < len(self.text):
            if closed and self.text[self.at] == "}":
                self.at += 1
                break
            parts.append(self.token(depth, math=math))
        return "".join(parts)

    def token(self, depth: int, *, math: bool = False) -> str:
        found = _TOKEN.match(self.text, self.at)
        assert found is not None  # noqa: S101 - the pattern matches any character
        start, self.at = self.at, found.end()
        command, sign, dash, quote, mark = found.groups()
        if command:
            return self.command(command, start, depth)
        if sign is not None:
            return self.sign(sign, depth)
        if dash and not math:
            return "–" if len(dash) == 2 else "—"
        if quote and not math:
            return "“" if quote == "``" else "”"
        if mark == "{" and depth < _DEEPEST:
            return self.group(depth + 1, math=math, closed=True)
        if mark == "$" and not math:
            return self.mathematics(start, depth)
        if mark in ("^", "_") and math:
            return self.script(mark, start, depth)
        return "\u00a0" if mark == "~" else "" if mark in ("{", "}") else found.group()

    def argument(self, depth: int, *, math: bool = False) -> str:
        """The next group or sign."""
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        if self.at >= len(self.text) or self.text[self.at] == "}":
            return ""
        if self.text[self.at] in "\\{" and depth < _DEEPEST:
            return self.token(depth + 1, math=math)
        self.at += 1
        return self.text[self.at - 1]

    def command(self, name: str, start: int, depth: int) -> str:
        if name in _SYMBOLS:
            if self.text.startswith("{}", self.at):
                self.at += 2
            return _SYMBOLS[name]
        if name in _ACCENTS:
            return self.accented(name, start, depth)
        if name in _TRANSPARENT:
            return self.argument(depth, math=name.startswith("math"))
        if name in ("textsuperscript", "textsubscript"):
            inner = self.argument(depth)
            return (raised(inner) if name == "textsuperscript" else lowered(inner)) or inner
        if name in _EMPTY:
            return ""
        while self.text.startswith("{", self.at):  # its arguments stay as they are
            self.at = _end_of_group(self.text, self.at)
        self.unknown.append(self.text[start : self.at].strip())
        return self.text[start : self.at]

    def sign(self, sign: str, depth: int) -> str:
        if sign == "\\":
            return "\n"
        if sign in _ACCENTS:
            return self.accented(sign, self.at - 2, depth)
        if sign in "%&#_${}":
            return sign
        if sign in _SPACES:
            return _SPACES[sign]
        self.unknown.append(f"\\{sign}")
        return f"\\{sign}"

    def accented(self, name: str, start: int, depth: int) -> str:
        base = self.argument(depth)
        if not base or not base[0].isalpha():
            bare = {"^": "^", "~": "~", "`": "`", "'": "'", '"': '"'}.get(name)
            if bare and not base:
                return bare
            self.unknown.append(self.text[start : self.at])
            return self.text[start : self.at]
        first = {"\u0131": "i", "\u0237": "j"}.get(base[0], base[0]) if name not in "cdbk" else base[0]
        return unicodedata.normalize("NFC", first + _ACCENTS[name]) + base[1:]

    def mathematics(self, start: int, depth: int) -> str:
        end = re.compile(r"(?<!\\)\$").search(self.text, self.at)
        content = self.text[self.at : end.start()] if end else ""
        if not end or len(content) > 200 or not (_MATH.search(content) or len(content.strip()) == 1):
            return "$"
        inner = _Reader(content)
        plain = inner.group(depth + 1, math=True)
        self.at = end.end()
        if not inner.unknown:
            return plain
        self.unknown.append(self.text[start : self.at])
        return self.text[start : self.at]

    def script(self, mark: str, start: int, depth: int) -> str:
        inner = self.argument(depth, math=True)
        moved = raised(inner) if mark == "^" else lowered(inner)
        if moved is None:
            self.unknown.append(self.text[start : self.at])
            return inner
        return moved


def _end_of_group(text: str, at: int) -> int:
    """Place behind the group that begins at `at`, or the end of the text."""
    depth = 0
    for found in re.compile(r"[{}]").finditer(text, at):
        depth += 1 if found.group() == "{" else -1
        if depth == 0:
            return found.end()
    return len(text)
