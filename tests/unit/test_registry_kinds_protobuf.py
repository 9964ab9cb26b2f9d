"""Protobuf in the registry: valid by grammar and rules, spelled one way, and no change of it is judged."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from mesh import limits
from mesh.compatibility import Level
from mesh.errors import SchemaError
from mesh_platform.registry.kinds import Kind, Parsed, parse, reasons
from mesh_platform.registry.kinds.proto_text import MOST_WORDS

RIDE = """
syntax = "proto3"; // three
package ops.rides;
import "geo/place.proto";
/* A ride,
   from start to end. */
message Ride {
  optional int32 seats = 1 [deprecated = true, json_name = "the \\"seats\\""];
  repeated geo.Place stops = 0x2; map<string, .ops.rides.Ride> next = 3;
  oneof paid { string card = 4; double cash = 5; }
  reserved 6, 8 to 10; reserved "old";
  enum State { option allow_alias = true; NEW = 0; DONE = 1; ENDED = 1; LOST = -1; }
  State state = 11;
}
service Rides { rpc Find(Ride) returns (stream Ride) { option deprecated = true; } }
"""
SPELLED = """\
syntax = "proto3";
// three
package ops.rides;
import "geo/place.proto";
/* A ride,
   from start to end. */
message Ride {
  optional int32 seats = 1 [deprecated = true, json_name = "the \\"seats\\""];
  repeated geo.Place stops = 0x2;
  map<string, .ops.rides.Ride> next = 3;
  oneof paid {
    string card = 4;
    double cash = 5;
  }
  reserved 6, 8 to 10;
  reserved "old";
  enum State {
    option allow_alias = true;
    NEW = 0;
    DONE = 1;
    ENDED = 1;
    LOST = -1;
  }
  State state = 11;
}
service Rides {
  rpc Find (Ride) returns (stream Ride) {
    option deprecated = true;
  }
}
"""


def proto(text: str, **references: Parsed) -> Parsed:
    return parse(Kind.PROTOBUF, text, {f"geo/{name}.proto": part for name, part in references.items()})


PLACE = proto('syntax = "proto3"; package geo; message Place { string code = 1; }')


def refusal(text: str) -> SchemaError:
    with pytest.raises(SchemaError) as error:
        proto(text)
    return error.value


def test_a_file_is_spelled_one_way_with_its_comments() -> None:
    assert proto(RIDE, place=PLACE).text == SPELLED


def test_the_spelling_is_read_as_itself() -> None:
    assert proto(SPELLED, place=PLACE).text == SPELLED


def test_the_normal_text_has_no_comments() -> None:
    bare = RIDE.replace("// three", "").replace("/* A ride,\n   from start to end. */", "")
    ride, without = proto(RIDE, place=PLACE), proto(bare, place=PLACE)
    assert ride.normal_text() == without.text
    assert not reasons(ride, [without], Level.FULL)


def test_the_fields_are_those_of_the_first_message() -> None:
    assert proto(RIDE, place=PLACE).fields == {"seats", "stops", "next", "card", "cash", "state"}


def test_an_import_is_a_reference_by_its_path() -> None:
    assert proto(RIDE, place=PLACE, other=PLACE).used == {"geo/place.proto"}


def test_an_import_that_is_no_reference_is_refused() -> None:
    error = refusal(RIDE)
    assert error.error_code == "MESH-A022"
    assert "'geo/place.proto'" in error.what


def test_types_are_seen_through_a_public_import_only() -> None:
    public = proto('import public "geo/place.proto"; enum E { A = 0; }', place=PLACE)
    private = proto('import "geo/place.proto"; enum E { A = 0; }', place=PLACE)
    text = 'import "geo/way.proto"; message M { optional geo.Place at = 1; }'
    assert proto(text, way=public).used == {"geo/way.proto"}
    with pytest.raises(SchemaError, match=r"'geo\.Place' is not defined"):
        proto(text, way=private)


def test_the_types_of_every_compiler_need_no_reference() -> None:
    text = (
        'import "google/protobuf/timestamp.proto"; message M { optional google.protobuf.Timestamp at = 1; }'
    )
    assert proto(text).text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("messag M {}", "line 1, column 1"),
        ("message M {\n  int32 a = ;\n}", "line 2, column 13"),
        ("// one\nmessage M { /* two */ int32 = 1; }", "line 2, column 29"),
        ("message M {", "line 1, column 12"),
        ("message M \x00", "line 1, column 11"),
        ("message M { map<double, string> a = 1; }", "line 1, column 17"),
        ("CgpyaWRlLnByb3RvEgNvcHM=", "line 1, column 1"),
        ('option a = "unterminated', "line 1, column 12"),
    ],
)
def test_a_text_that_is_not_protobuf_is_refused_with_its_place(text: str, place: str) -> None:
    error = refusal(text)
    assert (error.error_code, str(error.where)) == ("MESH-A027", place)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "$"),
        ('syntax = "proto4"; message M {}', "$"),
        ('edition = "1999"; message M {}', "$"),
        ("package a; package b; message M {}", "$"),
        ("message M {} enum M { A = 0; }", "M"),
        ("message M { optional int32 a = 0; }", "M.a"),
        (f"message M {{ optional int32 a = {2**29}; }}", "M.a"),
        ("message M { optional int32 a = 19000; }", "M.a"),
        ("message M { optional int32 a = 1; optional int32 b = 1; }", "M.b"),
        ("message M { optional int32 a = 1; optional int32 a = 2; }", "M.a"),
        ("message M { optional int32 a = 1; oneof o { int32 b = 1; } }", "M.b"),
        ("message M { oneof o { } }", "M.o"),
        ("message M { reserved 3 to max; optional int32 a = 5; }", "M.a"),
        ('message M { reserved "a"; optional int32 a = 5; }', "M.a"),
        ("message M { optional N a = 1; }", "M.a"),
        ("message M { map<string, N> a = 1; }", "M.a"),
        ('syntax = "proto3"; message M { required int32 a = 1; }', "M.a"),
        ('syntax = "proto3"; message M { int32 a = 1 [default = 2]; }', "M.a"),
        ('syntax = "proto3"; message M { optional group G = 1 { } }', "M.G"),
        ("enum E { }", "E"),
        ("enum E { A = 1; B = 1; }", "E"),
        ("enum E { A = 1; A = 2; }", "E"),
        ("enum E { A = 2147483648; }", "E"),
        ('syntax = "proto3"; enum E { A = 1; }', "E"),
        ("message M { } service S { rpc F (M) returns (N); }", "S.F"),
        ("message M { } extend N { optional int32 a = 1; }", "extend"),
    ],
)
def test_a_rule_of_protobuf_that_does_not_hold_is_refused_with_its_place(text: str, where: str) -> None:
    error = refusal(text)
    assert (error.error_code, str(error.where)) == ("MESH-A028", where)


@pytest.mark.parametrize(
    "text",
    [
        "message M { optional group G = 1 { optional N n = 1; message N { } } optional G other = 2; }",
        "package a.b; message M { message N { optional M up = 1; optional b.M x = 2; } optional N n = 1; }",
        "message M { extensions 100 to max; } extend M { optional double d = 100 [default = -inf]; }",
        'edition = "2023"; message M { int32 a = 017; }',
        'message M { optional bytes b = 1 [default = "\\001\\xff" "more", (x).y = {a: [1, 2]}]; }',
    ],
)
def test_what_protobuf_allows_is_kept(text: str) -> None:
    kept = proto(text)
    assert proto(kept.text).text == kept.text
    assert not kept.hazards


def nested(depth: int) -> str:
    return "message M {" * depth + "}" * depth


def words(count: int) -> str:
    """A message and enough empty statements."""
    return "message M { }" + ";" * (count - 4)


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        (nested(limits.SCHEMA_DEPTH), nested(limits.SCHEMA_DEPTH + 1)),
        (nested(limits.SCHEMA_DEPTH), nested(100_000)),
        (words(MOST_WORDS), words(MOST_WORDS + 1)),
        (f"message {'M' * limits.NAME_LENGTH} {{}}", f"message {'M' * (limits.NAME_LENGTH + 1)} {{}}"),
        (
            "message M {}" + " " * (limits.SCHEMA_BYTES - 12),
            "message M {}" + " " * (limits.SCHEMA_BYTES - 11),
        ),
    ],
    ids=["depth", "hostile-depth", "words", "names", "bytes"],
)
def test_a_file_is_as_large_as_its_limits_and_no_larger(within: str, beyond: str) -> None:
    assert proto(within).text
    assert refusal(beyond).error_code == "MESH-A002"


HOSTILE = {
    "comments": "// x\n" * 200_000 + "message M {}",
    "comment": "/*" + "*" * 1_000_000 + "/message M {}",
    "unclosed-comment": "/*" + "*" * 1_000_000,
    "unclosed-text": 'option a = "' + "a" * 1_000_000,
    "escapes": 'option a = "' + "\\" * 1_000_000,
    "brackets": "option a = " + "[" * 1_000_000,
    "literals": "option (a) = " + "{b: " * 300_000,
    "statements": ";" * 9_000,
    "names": "message " + "a." * 500_000,
    "digits": "message M { optional int32 a = " + "9" * 1_000_000 + "; }",
    "marks": "<>" * 500_000,
    "fields": "message M {" + "".join(f"optional int32 f{n} = {n};" for n in range(1, 1_600)) + "}",
    "values": "enum E {" + "".join(f"V{n} = {n};" for n in range(2_400)) + "}",
    "options": "option a.b = 1;" * 1_900,
    "unparsable": "message M { optional " * 60 + "x",
    "surrogates": "message M { // \ud800\n }",
}


def test_hostile_files_end_no_process_and_no_patience() -> None:
    script = (
        "import time; from mesh.errors import SchemaError\n"
        "from mesh_platform.registry.kinds import Kind, parse\n"
        "from tests.unit.test_registry_kinds_protobuf import HOSTILE\n"
        "for name, text in HOSTILE.items():\n"
        "    begun = time.process_time()\n"
        "    try: parse(Kind.PROTOBUF, text)\n"
        "    except SchemaError: pass\n"
        "    print(name, time.process_time() - begun)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    took = {name: float(seconds) for name, seconds in (line.split() for line in done.stdout.splitlines())}
    assert took.keys() == HOSTILE.keys()
    assert max(took.values()) < 2.0, took


@pytest.mark.parametrize("level", [level for level in Level if level is not Level.NONE])
def test_a_change_is_never_called_compatible(level: Level) -> None:
    wider = proto('syntax = "proto3"; package geo; message Place { string code = 1; string zone = 2; }')
    assert [found.type for found in reasons(wider, [PLACE], level)] == ["CANNOT_BE_JUDGED"]


def test_the_same_file_follows_itself_and_any_follows_without_a_level() -> None:
    other = proto("message Other { }")
    assert not reasons(PLACE, [PLACE], Level.FULL_TRANSITIVE)
    assert not reasons(other, [PLACE], Level.NONE)


def test_a_change_of_an_import_is_a_change() -> None:
    wider = proto('syntax = "proto3"; package geo; message Place { string code = 1; string zone = 2; }')
    before, after = proto(RIDE, place=PLACE), proto(RIDE, place=wider)
    assert before.text == after.text
    assert [found.type for found in reasons(after, [before], Level.BACKWARD)] == ["CANNOT_BE_JUDGED"]


def test_a_common_file_is_read_quickly() -> None:
    begun = time.process_time()
    proto(RIDE, place=PLACE)
    assert time.process_time() - begun < 0.5
