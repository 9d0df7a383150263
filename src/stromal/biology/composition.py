"""Put the mechanism and therapy files together into one model.

The only rule of composition: a mechanism file declares a *port* with its default,

    T_expansion := 1 dimensionless;   // port: factor on the expansion of effector T cells

and any other file ``NAME.ant`` may define ``NAME__T_expansion``. A factor port (default 1) becomes the
product, a source port (name ending in ``_add``, default 0) the sum of all definitions that exist. Everything
else of a file, such as a drug's own loss reaction of a cell, is taken as it stands. Values and units are from
the parameter table.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, final

from stromal.biology.parameters import SBML_UNITS, names_in, parameter_table, value_text
from stromal.biology.registry import ALL, FOLDER, MECHANISMS
from stromal.compute.errors import InputError
from stromal.engine import System, antimony_to_sbml, load

_PORT = re.compile(
    r"^\s*(?P<name>\w+)\s*:=\s*(?P<default>[01])\s+(?P<unit>\w+)\s*;\s*//\s*port:\s*(?P<meaning>.+?)\s*$"
)
_RULE = re.compile(r"(?:^|;)\s*(?P<name>\w+)\s*:=")
_SPECIES = re.compile(r"\bsubstanceOnly\s+species\s+(?P<name>\w+)\s+in\s+\w+")
_INPUT = re.compile(r"\bvar\s+(?P<name>\w+)\s*=")
_REACTION = re.compile(r"^\s*(?P<name>\w+)\s*:(?!=)")
_UNIT = re.compile(
    r"\b(?:has|\d+)\s+[A-Za-z_]\w*|\b(?:unit|compartment)\b[^;]*;"
    r"|\b\w+\s+(?:is|identity|hypernym)\s+\"[^\"]*\""
)
_LANGUAGE: Final = frozenset({"species", "substanceOnly", "in", "var", "has", "exp", "time"})


@final
@dataclass(frozen=True, slots=True)
class Port:
    """A place in a mechanism where other files may act.

    Attributes
    ----------
    name : str
    unit : str
        Of the model.
    meaning : str
        In words.
    file : str
        Stem of the file that declares it.
    filled_by : tuple of str
        Stems of the files that act there, in order of composition.
    """

    name: str
    unit: str
    meaning: str
    file: str
    filled_by: tuple[str, ...] = ()

    @property
    def is_source(self) -> bool:
        """Whether contributions add up (else they multiply)."""
        return self.name.endswith("_add")


def source_texts(therapies: Iterable[str] = ALL) -> dict[str, str]:
    """Text of the mechanism files and of the files of `therapies`, by stem, in order of composition."""
    wanted = list(therapies)
    for name in wanted:
        if name not in ALL:
            raise InputError("no such therapy with equations", value=name, remedy=_nearest(name, ALL))
    texts = {name: _read("mechanisms", name) for name in MECHANISMS}
    return texts | {name: _read("therapies", name) for name in ALL if name in wanted}


def _read(folder: str, name: str) -> str:
    return (FOLDER / folder / f"{name}.ant").read_text(encoding="utf-8")


def compose(therapies: Iterable[str] = ALL) -> str:
    """Antimony text of the whole model.

    Parameters
    ----------
    therapies : iterable of str
        Names of the therapies to put in; the disease alone if empty.

    Raises
    ------
    InputError
        A file is wrong: the message names file, line and remedy.
    """
    return combine(source_texts(therapies))


@cache
def sbml() -> str:
    """SBML (level 3 version 2) of the whole model with its shipped values."""
    return antimony_to_sbml(compose(), "the shipped model")


@cache
def model() -> System:
    """The whole model, read by the engine. Time is in days."""
    return load(sbml())


def combine(texts: Mapping[str, str]) -> str:
    """Antimony text of a model made of the given files.

    Parameters
    ----------
    texts : mapping from str to str
        Text by file stem; the file ``vocabulary`` holds the function definitions.

    Raises
    ------
    InputError
        See `compose`.
    """
    found = ports(texts)
    _refuse_double_definitions(texts)
    body = "\n".join(_with_ports(stem, text, found) for stem, text in texts.items() if stem != "vocabulary")
    return "\n".join(
        [
            texts.get("vocabulary", ""),
            "model *stromal()",
            body,
            "// Parameters (from the parameter table)",
            *_declarations(texts, found),
            "end",
            'stromal is "Systemic sclerosis and its therapies"',
            "",
        ]
    )


def ports(texts: Mapping[str, str]) -> dict[str, Port]:
    """Ports that the files declare, with the files that act there.

    Raises
    ------
    InputError
        A port is declared twice or with the wrong default, or a definition has no port.
    """
    declared: dict[str, Port] = {}
    for stem, number, line in _lines(texts):
        if "// port:" not in line:
            continue
        match = _PORT.match(line)
        if match is None:
            raise InputError(
                "a port is not readable",
                file=f"{stem}.ant",
                place=f"line {number}",
                value=line.strip(),
                remedy="NAME := 1 dimensionless;   // port: meaning",
            )
        port = Port(match["name"], match["unit"], match["meaning"], stem)
        if port.name in declared:
            raise InputError(
                f"the port {port.name} is already declared in {declared[port.name].file}.ant",
                file=f"{stem}.ant",
                place=f"line {number}",
                remedy=f"a definition {stem}__{port.name}, or another name",
            )
        if match["default"] != ("0" if port.is_source else "1"):
            raise InputError(
                "the default of the port does not fit its kind",
                file=f"{stem}.ant",
                place=f"line {number}",
                value=line.strip(),
                remedy="1 for a factor, 0 for a source (a name ending in _add)",
            )
        declared[port.name] = port
    return _filled(texts, declared)


def _filled(texts: Mapping[str, str], declared: Mapping[str, Port]) -> dict[str, Port]:
    fillers: dict[str, list[str]] = {name: [] for name in declared}
    for stem, number, line in _lines(texts):
        for match in _RULE.finditer(_code(line)):
            owner, separator, name = match["name"].partition("__")
            if not separator:
                continue
            place = f"line {number}"
            if owner != stem:
                raise InputError(
                    "a file may only define its own share of a port",
                    file=f"{stem}.ant",
                    place=place,
                    value=match["name"],
                    remedy=f"{stem}__{name}",
                )
            if name not in declared:
                raise InputError(
                    "there is no such port",
                    file=f"{stem}.ant",
                    place=place,
                    value=name,
                    remedy=_nearest(name, declared),
                )
            if declared[name].file == stem:
                raise InputError(
                    "a file does not act on its own port",
                    file=f"{stem}.ant",
                    place=place,
                    value=match["name"],
                    remedy="the factor inside the equation itself",
                )
            fillers[name].append(stem)
    return {name: Port(p.name, p.unit, p.meaning, p.file, tuple(fillers[name])) for name, p in declared.items()}


def _with_ports(stem: str, text: str, found: Mapping[str, Port]) -> str:
    """Text of one file with its ports combined and its rules given units."""
    lines = []
    for line in text.splitlines():
        match = _PORT.match(line)
        if match and found[match["name"]].filled_by:
            port = found[match["name"]]
            operator = " + " if port.is_source else " * "
            total = operator.join(f"{owner}__{port.name}" for owner in port.filled_by)
            lines.append(f"  {port.name} := {total};   // port: {port.meaning}")
        else:
            lines.append(line)
    units = {match["name"]: match["unit"] for match in map(_PORT.match, text.splitlines()) if match}
    code = _code(text)
    for rule in (match["name"] for match in _rules(text)):
        if not re.search(rf"\b{rule}\s+has\b", code):
            unit = units.get(rule) or _port_unit(rule, found)
            lines.append(f"  {rule} has {unit};")
    return "\n".join([f"// ---- {stem}", *lines, ""])


def _port_unit(rule: str, found: Mapping[str, Port]) -> str:
    name = rule.partition("__")[2]
    return found[name].unit if name else "dimensionless"


def _rules(text: str) -> list[re.Match[str]]:
    return [match for line in text.splitlines() for match in _RULE.finditer(_code(line))]


def _refuse_double_definitions(texts: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for stem, number, line in _lines(texts):
        code = _code(line)
        for pattern in (_RULE, _SPECIES, _INPUT, _REACTION):
            for match in pattern.finditer(code):
                name = match["name"]
                if name in seen:
                    raise InputError(
                        f"{name} is already defined in {seen[name]}",
                        file=f"{stem}.ant",
                        place=f"line {number}",
                        value=line.strip(),
                        remedy="another name",
                    )
                seen[name] = f"{stem}.ant, line {number}"


def _declarations(texts: Mapping[str, str], found: Mapping[str, Port]) -> list[str]:
    table = parameter_table()
    used = used_names(texts)
    unknown = sorted(used - set(table.index) - defined_names(texts) - set(found))
    if unknown:
        stem = next(s for s, text in texts.items() if unknown[0] in names_in(_code(text)))
        raise InputError(
            "a symbol has neither a value nor an equation",
            file=f"{stem}.ant",
            place=unknown[0],
            remedy=f"a row of parameters.csv, or {_nearest(unknown[0], table.index)}",
        )
    rows = table[table["symbol"].isin(used)]
    return [
        f'  {symbol} = {value_text(symbol)}; {symbol} has {SBML_UNITS[unit]}; {symbol} is "{name}";'
        for symbol, unit, name in zip(rows["symbol"], rows["unit"], rows["name"], strict=True)
    ]


def used_names(texts: Mapping[str, str]) -> set[str]:
    """Symbols in the equations of the files, without the words of the language, units and functions."""
    names = {name for stem, text in texts.items() for name in formulas(stem, text)}
    return names - names_in(texts.get("vocabulary", ""))


def formulas(stem: str, text: str) -> frozenset[str]:
    """Symbols in the equations of one file, functions among them."""
    code = _UNIT.sub(" ", _code(text)) if stem != "vocabulary" else ""
    return names_in(code) - _LANGUAGE


def defined_names(texts: Mapping[str, str]) -> set[str]:
    """Symbols that the files themselves define: states, rules, inputs and reactions; and the compartments."""
    code = [_code(line) for _, _, line in _lines(texts)]
    named = {m["name"] for line in code for p in (_RULE, _SPECIES, _INPUT, _REACTION) for m in p.finditer(line)}
    return named | set(names_in(" ".join(re.findall(r"\bin\s+(\w+)", " ".join(code)))))


def _lines(texts: Mapping[str, str]) -> list[tuple[str, int, str]]:
    return [(stem, i, line) for stem, text in texts.items() for i, line in enumerate(text.splitlines(), 1)]


def _code(text: str) -> str:
    """Text without comments (annotations hold addresses, whose slashes are no comment)."""
    return re.sub(r"(?<!:)//.*", "", text)


def _nearest(name: str, candidates: Iterable[str]) -> str:
    known = list(candidates)
    close = difflib.get_close_matches(name, known, n=1)
    return close[0] if close else f"one of: {', '.join(known)}"
