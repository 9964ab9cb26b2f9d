"""What Protobuf asks of a file beyond its grammar: numbers, names, and types that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NoReturn

from mesh import limits
from mesh.schema.refusal import OVER_BUDGET, refuse
from mesh_platform.registry.kinds.refusal import BREAKS_A_RULE

if TYPE_CHECKING:
    from proto_schema_parser import ast

_INTEGERS: Final = "int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64"
SCALARS: Final = frozenset([*_INTEGERS.split(), "double", "float", "bool", "string", "bytes"])
_SYNTAXES: Final = ("proto2", "proto3")
_EDITIONS: Final = ("2023", "2024")
_LARGEST_NUMBER: Final = 2**29 - 1
_RESERVED_NUMBERS: Final = range(19_000, 20_000)
_WHERE_FROM: Final = "a type is a scalar, defined in the file, or defined in a file that it imports"
_RANGE: Final = re.compile(r"\s*(-?\d+)\s*(?:to\s*(-?\d+|max)\s*)?\Z")


def defined(file: ast.File) -> dict[str, ast.Message | ast.Enum]:
    """Every message and enum of a file by full name; raises SchemaError MESH-A028 when one is there twice."""
    found: dict[str, ast.Message | ast.Enum] = {}
    for fullname, element in _types(file.file_elements, package_of(file)):
        if fullname in found:
            _refuse(fullname, f"{fullname!r} is defined twice")
        found[fullname] = element
        if len(found) > limits.SCHEMA_NODES:
            refuse(OVER_BUDGET, "$", f"the schema defines more than {limits.SCHEMA_NODES:,} types")
    return found


def _types(elements: Iterable[object], scope: str) -> Iterator[tuple[str, ast.Message | ast.Enum]]:
    from proto_schema_parser import ast

    for element in elements:
        if isinstance(element, ast.OneOf):
            yield from _types(element.elements, scope)
        # A group is a field and its message in one.
        made = ast.Message(element.name, element.elements) if isinstance(element, ast.Group) else element
        if isinstance(made, ast.Message | ast.Enum):
            fullname = f"{scope}.{made.name}" if scope else made.name
            yield fullname, made
            yield from _types(made.elements if isinstance(made, ast.Message) else (), fullname)


def check_rules(file: ast.File, own: dict[str, ast.Message | ast.Enum], known: Known) -> None:
    """Raise SchemaError MESH-A028 for the first rule that does not hold."""
    from proto_schema_parser import ast

    if file.syntax not in (None, *_SYNTAXES) or file.edition not in (None, *_EDITIONS):
        _refuse("$", f"the syntax is {', '.join(_SYNTAXES)}, or the edition {', '.join(_EDITIONS)}")
    if not own:
        _refuse("$", "the schema defines no message and no enum")
    for fullname, element in own.items():
        if isinstance(element, ast.Enum):
            _check_enum(element, fullname, proto3=file.syntax == "proto3")
        else:
            _Message(fullname, known, file.syntax).check(element)
    for outside in file.file_elements:
        for part, name in _named_outside(outside):
            if name not in SCALARS and not known.has(name, package_of(file)):
                _refuse(part, f"the type {name[:80]!r} is not defined", _WHERE_FROM)


def package_of(file: ast.File) -> str:
    """The package of a file; empty when it has none. Raises SchemaError MESH-A028 when it has two."""
    from proto_schema_parser import ast

    packages = [element.name for element in file.file_elements if isinstance(element, ast.Package)]
    if len(packages) > 1:
        _refuse("$", "a file has one package")
    return packages[0] if packages else ""


def _named_outside(element: object) -> Iterator[tuple[str, str]]:
    """The types that services and extensions name, and where."""
    from proto_schema_parser import ast

    if isinstance(element, ast.Extension):
        yield "extend", element.typeName
        yield from (("extend", field.type) for field in element.elements if isinstance(field, ast.Field))
    if isinstance(element, ast.Service):
        for method in element.elements:
            if isinstance(method, ast.Method):
                place = f"{element.name}.{method.name}"
                yield from ((place, side.type) for side in (method.input_type, method.output_type))


class Known:
    """The types that a file may name: its own, those it imports, and those of packages nobody here holds."""

    def __init__(self, names: Iterable[str], elsewhere: Iterable[str]) -> None:
        self._names = frozenset(names)
        #: Packages that come with every compiler, such as `google.protobuf`.
        self._elsewhere = tuple(f"{package}." for package in elsewhere)

    def has(self, name: str, scope: str) -> bool:
        """Whether `name`, seen from the message `scope`, is a type."""
        if name.startswith("."):
            return self._exists(name[1:])
        parts = scope.split(".") if scope else []
        return any(self._exists(".".join([*parts[:length], name])) for length in range(len(parts), -1, -1))

    def _exists(self, fullname: str) -> bool:
        return fullname in self._names or fullname.startswith(self._elsewhere)


class _Message:
    """One message: what its fields have taken."""

    def __init__(self, fullname: str, known: Known, syntax: str | None) -> None:
        self._fullname = fullname
        self._known = known
        self._proto3 = syntax == "proto3"
        self._names: set[str] = set()
        self._numbers: set[int] = set()
        self._kept: list[tuple[int, int]] = []
        self._kept_names: set[str] = set()

    def check(self, message: ast.Message) -> None:
        from proto_schema_parser import ast

        for element in message.elements:
            if isinstance(element, ast.Reserved):
                self._kept += [_range(text, self._fullname) for text in element.ranges]
                self._kept_names.update(name.strip("\"'") for name in element.names)
        self._fields(message.elements)

    def _fields(self, elements: Iterable[object]) -> None:
        from proto_schema_parser import ast

        for element in elements:
            if isinstance(element, ast.Field):
                self._take(element.name, element.number)
                self._check_field(element)
            elif isinstance(element, ast.MapField):
                self._take(element.name, element.number)
                self._check_type(element.name, element.value_type)
            elif isinstance(element, ast.OneOf):
                if not any(isinstance(part, ast.Field | ast.Group) for part in element.elements):
                    _refuse(self._place(element.name), "a oneof has a field")
                self._fields(element.elements)
            elif isinstance(element, ast.Group):
                if self._proto3:
                    _refuse(self._place(element.name), "proto3 has no groups")
                self._take(element.name.lower(), element.number)

    def _check_field(self, field: ast.Field) -> None:
        from proto_schema_parser import ast

        if self._proto3 and field.cardinality is ast.FieldCardinality.REQUIRED:
            _refuse(self._place(field.name), "proto3 has no required fields")
        if self._proto3 and any(option.name == "default" for option in field.options):
            _refuse(self._place(field.name), "proto3 has no defaults")
        self._check_type(field.name, field.type)

    def _check_type(self, field: str, name: str) -> None:
        if name not in SCALARS and not self._known.has(name.replace(" ", ""), self._fullname):
            _refuse(self._place(field), f"the type {name[:80]!r} is not defined", _WHERE_FROM)

    def _take(self, name: str, number: int) -> None:
        place = self._place(name)
        if not 1 <= number <= _LARGEST_NUMBER or number in _RESERVED_NUMBERS:
            _refuse(place, f"{number} is not a field number: 1 to {_LARGEST_NUMBER}, without 19000 to 19999")
        if name in self._names or number in self._numbers:
            _refuse(place, f"the name {name!r} or the number {number} is taken already")
        if name in self._kept_names or any(low <= number <= high for low, high in self._kept):
            _refuse(place, f"the name {name!r} or the number {number} is reserved")
        self._names.add(name)
        self._numbers.add(number)

    def _place(self, name: str) -> str:
        return f"{self._fullname}.{name}"


def _check_enum(enum: ast.Enum, fullname: str, *, proto3: bool) -> None:
    from proto_schema_parser import ast

    values = [element for element in enum.elements if isinstance(element, ast.EnumValue)]
    options = [element for element in enum.elements if isinstance(element, ast.Option)]
    if not values:
        _refuse(fullname, "an enum has a value")
    if len(values) > limits.ENUM_SYMBOLS:
        refuse(OVER_BUDGET, fullname, f"the enum has more than {limits.ENUM_SYMBOLS:,} values")
    if proto3 and values[0].number != 0:
        _refuse(fullname, "the first value of an enum is 0 in proto3")
    if len({value.name for value in values}) < len(values):
        _refuse(fullname, "two values of the enum have one name")
    aliases = any(option.name == "allow_alias" and option.value is True for option in options)
    if not aliases and len({value.number for value in values}) < len(values):
        _refuse(fullname, "two values of the enum have one number", "only an enum with allow_alias may")
    if any(not -(2**31) <= value.number < 2**31 for value in values):
        _refuse(fullname, "the number of an enum's value has 32 bits")


def _range(text: str, place: str) -> tuple[int, int]:
    found = _RANGE.match(text)
    if found is None:
        _refuse(place, f"{text[:40]!r} is not a range of numbers")
    low, high = found.groups()
    return int(low), _LARGEST_NUMBER if high == "max" else int(high or low)


def _refuse(place: str, what: str, why: str = "") -> NoReturn:
    refuse(BREAKS_A_RULE, place, what, why=why)
