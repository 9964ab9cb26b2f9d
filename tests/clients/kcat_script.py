"""kcat: every codec, headers, a group and its resume, look-ups by time, a transaction, metadata."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from confluent_kafka.admin import AdminClient, NewTopic

from tests.clients.report import Report, fresh

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
EACH = 100
ALL = range(EACH * len(CODECS))


def kcat(bootstrap: str, *arguments: str, stdin: str = "") -> str:
    """What kcat prints. Raises SystemExit with what it complained of."""
    argv = ["kcat", "-q", "-b", bootstrap, *arguments]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=30)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def version() -> str:
    said = subprocess.run(["kcat", "-V"], capture_output=True, text=True, timeout=30).stdout
    return next(line.split()[1] for line in said.splitlines() if line.startswith("Version "))


def lines(numbers: range) -> str:
    return "".join(f"key-{number % 10}|event {number}\n" for number in numbers)


def messages(printed: str) -> list[Any]:
    """The JSON objects, one per line, in the order of the numbers."""
    return sorted(map(json.loads, printed.splitlines()), key=lambda m: int(m["payload"].split()[1]))


def codecs(report: Report, bootstrap: str, topic: str) -> list[Any]:
    for index, codec in enumerate(CODECS):
        numbers = range(index * EACH, (index + 1) * EACH)
        config = ["-X", f"compression.codec={codec}", "-X", "enable.idempotence=true", "-H", f"codec={codec}"]
        kcat(bootstrap, "-P", "-t", topic, "-K|", *config, stdin=lines(numbers))
    found = messages(
        kcat(bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-J", "-X", "check.crcs=true")
    )
    wanted = [(f"key-{number % 10}", f"event {number}", ["codec", CODECS[number // EACH]]) for number in ALL]
    came = [(message["key"], message["payload"], message["headers"]) for message in found]
    whole = [codec for i, codec in enumerate(CODECS) if came[i * EACH :][:EACH] == wanted[i * EACH :][:EACH]]
    report.saw("codecs", whole, list(CODECS))
    report.saw("events", len(found), len(ALL))
    return found


def groups(report: Report, bootstrap: str, topic: str) -> None:
    group, read = fresh("group"), []
    config = ["-X", "auto.offset.reset=earliest", "-J"]
    for limit in (["-c", "200"], ["-e"]):
        read.append(messages(kcat(bootstrap, *config, *limit, "-G", group, topic)))
    report.saw("read before and after", [len(part) for part in read], [200, len(ALL) - 200])
    payloads = {message["payload"] for part in read for message in part}
    report.saw("different events", len(payloads), len(ALL))


def times(report: Report, bootstrap: str, topic: str, found: list[Any]) -> None:
    """Of one partition: the first event with that time or a later one."""
    events = sorted((m for m in found if m["partition"] == 0), key=lambda m: m["offset"])
    moment = events[len(events) // 2]["ts"]
    first = next(m["offset"] for m in events if m["ts"] >= moment)
    answer = json.loads(kcat(bootstrap, "-Q", "-t", f"{topic}:0:{moment}", "-J"))
    report.saw("found by time", answer[topic]["0"]["offset"] == first, True)
    ends = json.loads(kcat(bootstrap, "-Q", "-t", f"{topic}:0:-2", "-t", f"{topic}:1:-1", "-J"))[topic]
    last = max(m["offset"] for m in found if m["partition"] == 1)
    report.saw("watermarks", [ends["0"]["offset"], ends["1"]["offset"] - last], [0, 1])


def transactions(report: Report, bootstrap: str, topic: str) -> None:
    """One transaction that is committed; kcat has no way to abort one and go on."""
    config = ["-X", f"transactional.id={fresh('transaction')}"]
    kcat(bootstrap, "-P", "-t", topic, "-p", "0", "-K|", *config, stdin=lines(range(50)))
    read = [
        "-C",
        "-t",
        topic,
        "-p",
        "0",
        "-o",
        "beginning",
        "-e",
        "-J",
        "-X",
        "isolation.level=read_committed",
    ]
    report.saw("committed", len(messages(kcat(bootstrap, *read))), 50)
    answer = json.loads(kcat(bootstrap, "-Q", "-t", f"{topic}:0:-1", "-J"))
    report.saw("end after the marker", answer[topic]["0"]["offset"], 51)


def main(bootstrap: str) -> None:
    report, topic, target = Report("kcat", version()), fresh("kcat"), fresh("kcat")
    admin = AdminClient({"bootstrap.servers": bootstrap})  # kcat makes no topics
    for made in admin.create_topics([NewTopic(topic, 2, 1), NewTopic(target, 1, 1)]).values():
        made.result(20)
    listed = json.loads(kcat(bootstrap, "-L", "-J", "-t", topic))
    report.saw("partitions", [one["partition"] for one in listed["topics"][0]["partitions"]], [0, 1])
    found = codecs(report, bootstrap, topic)
    groups(report, bootstrap, topic)
    times(report, bootstrap, topic, found)
    transactions(report, bootstrap, target)
    for gone in admin.delete_topics([topic, target]).values():
        gone.result(20)
    report.tell()


if __name__ == "__main__":
    main(sys.argv[1])
