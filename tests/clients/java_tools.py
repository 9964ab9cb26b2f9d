"""Kafka's own command line tools, run from its jars: one JVM after the other."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mesh_platform.kafka.cluster import BRIEF, LOG_SETTINGS
from mesh_platform.kafka.jars import classpath, kafka_version
from mesh_platform.kafka.java import find_java
from tests.clients.report import Report, fresh

POM = Path(__file__).with_name("pom.xml")
TOOLS = "org.apache.kafka.tools"
GROUPS = f"{TOOLS}.consumer.group.ConsumerGroupCommand"
CODECS = ("gzip", "snappy", "lz4", "zstd")
EVENTS = 500
EACH = 100
CONSOLE = EACH * len(CODECS)
BEGAN = int(time.time() * 1000) - 3_600_000


class Round:
    """One broker, one topic, one report; every tool is a JVM that starts small and without its compiler."""

    def __init__(self, bootstrap: str, folder: str) -> None:
        self.bootstrap, self.folder = bootstrap, folder
        self.report = Report("Apache Kafka's tools", kafka_version())
        self.topic, self.group, self.transaction = fresh("java"), fresh("group"), fresh("transaction")
        self.java = [find_java(), *BRIEF, "-Xlog:disable"]
        self.java += [f"-Dlog4j2.configurationFile={LOG_SETTINGS.as_uri()}", "-cp", classpath(POM)]

    def tool(self, name: str, *arguments: str, stdin: str = "") -> str:
        """What a tool prints. Raises SystemExit when it fails, with all it said."""
        # The first JVM leaves the classes that it has loaded to the others; they start in half the time.
        archive = Path(self.folder) / "classes.jsa"
        sharing = "SharedArchiveFile" if archive.exists() else "ArchiveClassesAtExit"
        argv = [*self.java, f"-XX:{sharing}={archive}", name, "--bootstrap-server", self.bootstrap]
        done = subprocess.run([*argv, *arguments], input=stdin, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise SystemExit(f"{name} {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def file(self, text: str) -> str:
        """The path of a file with this text."""
        path = Path(self.folder) / fresh("file")
        path.write_text(text)
        return str(path)

    def offsets(self, time: int) -> dict[str, str]:
        """kafka-get-offsets: the offset of each partition at that time; -1 is the end."""
        printed = self.tool(f"{TOOLS}.GetOffsetShell", "--topic", self.topic, "--time", str(time))
        return {line.split(":")[1]: line.split(":")[2] for line in printed.split()}


def topics(the: Round) -> None:
    topic = ["--topic", the.topic]
    settings = ["--partitions", "1", "--config", "retention.ms=7200000"]
    the.tool(f"{TOOLS}.TopicCommand", "--create", *topic, *settings)
    the.tool(f"{TOOLS}.TopicCommand", "--alter", *topic, "--partitions", "2")
    entity = ["--entity-type", "topics", "--entity-name", the.topic]
    the.tool("kafka.admin.ConfigCommand", "--alter", *entity, "--add-config", "retention.ms=10800000")
    printed = the.tool("kafka.admin.ConfigCommand", "--describe", *entity)
    the.report.saw(
        "kafka-configs", re.findall(r"^ +(\S+=\S+)", printed, re.MULTILINE), ["retention.ms=10800000"]
    )
    printed = the.tool(f"{TOOLS}.TopicCommand", "--describe", *topic)
    seen = re.findall(r"Partition: (\d+)\s+Leader: (\d+)\s+Replicas: (\d+)\s+Isr: (\d+)", printed)
    the.report.saw("kafka-topics", seen, [("0", "1", "1", "1"), ("1", "1", "1", "1")])


def verifiable(the: Round) -> None:
    """Acknowledged numbers, read in a group by one and then by another, which goes on."""
    sent = ["--max-messages", str(EVENTS), "--repeating-keys", "10", "--message-create-time", str(BEGAN)]
    told = said(the.tool(f"{TOOLS}.VerifiableProducer", "--topic", the.topic, *sent))
    acknowledged = [event["value"] for event in told if event["name"] == "producer_send_success"]
    the.report.saw("kafka-verifiable-producer", sorted(map(int, acknowledged)) == [*range(EVENTS)], True)
    consumer = ["--group-id", the.group, "--topic", the.topic, "--reset-policy", "earliest"]
    consumer += ["--command-config", the.file("max.poll.records=100")]  # it stops between two polls only
    for part in (300, EVENTS - 300):
        told = said(the.tool(f"{TOOLS}.VerifiableConsumer", *consumer, "--max-messages", str(part)))
        read = sum(event["count"] for event in told if event["name"] == "records_consumed")
        committed = [event["success"] for event in told if event["name"] == "offsets_committed"]
        the.report.saw(f"kafka-verifiable-consumer, {part}", [read, all(committed)], [part, True])
        if part == 300:
            printed = the.tool(GROUPS, "--describe", "--group", the.group)
            lags = re.findall(rf"^{the.group} +{the.topic} +\d+ +\d+ +\d+ +(\d+)", printed, re.MULTILINE)
            the.report.saw("kafka-consumer-groups, lag", sum(map(int, lags)), EVENTS - 300)


def said(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def offsets(the: Round) -> None:
    ends, later = the.offsets(-1), the.offsets(BEGAN + 1_800_000)
    the.report.saw("kafka-get-offsets, end", sum(map(int, ends.values())), EVENTS + CONSOLE)
    the.report.saw("kafka-get-offsets, by time", sum(map(int, later.values())), EVENTS)
    printed = the.tool(f"{TOOLS}.LogDirsCommand", "--describe", "--topic-list", the.topic)
    (folder,) = json.loads(printed.splitlines()[-1])["brokers"][0]["logDirs"]
    sizes = {one["partition"][-1]: one["size"] for one in folder["partitions"]}
    held = [number for number in ends if (sizes[number] > 0) == (ends[number] != "0")]
    the.report.saw("kafka-log-dirs", sorted(held), ["0", "1"])
    there = ["--group", the.group, "--topic", the.topic]
    printed = the.tool(GROUPS, "--reset-offsets", *there, "--to-earliest", "--execute")
    seen = re.findall(rf"^{the.group} +{the.topic} +(\d+) +(\d+)", printed, re.MULTILINE)
    the.report.saw("kafka-consumer-groups, reset", sorted(seen), [("0", "0"), ("1", "0")])
    printed = the.tool(GROUPS, "--delete-offsets", *there)
    the.report.saw("kafka-consumer-groups, offsets deleted", printed.count("Successful"), 2)
    printed = the.tool(GROUPS, "--delete", "--group", the.group)
    the.report.saw("kafka-consumer-groups, deleted", "was successful" in printed, True)
    wanted = [{"topic": the.topic, "partition": int(n), "offset": int(ends[n])} for n in ends]
    file = the.file(json.dumps({"version": 1, "partitions": wanted}))
    printed = the.tool(f"{TOOLS}.DeleteRecordsCommand", "--offset-json-file", file)
    lows = dict(re.findall(rf"^partition: {the.topic}-(\d)\tlow_watermark: (\d+)", printed, re.MULTILINE))
    the.report.saw("kafka-delete-records", lows == ends, True)


def console(the: Round) -> None:
    """Every codec, with keys and headers; an hour later than what the verifiable producer sent."""
    reader = ["parse.key=true", "parse.headers=true", "key.separator=|", "headers.delimiter=|"]
    for codec in CODECS:
        lines = "".join(f"codec:{codec},n:{n}|key-{n % 10}|event {n}\n" for n in range(EACH))
        producer = ["--topic", the.topic, "--compression-codec", codec, *each("--reader-property", reader)]
        the.tool(f"{TOOLS}.ConsoleProducer", *producer, stdin=lines)
    shown = each("--formatter-property", ["print.key=true", "print.headers=true"])
    consumer = ["--topic", the.topic, "--group", fresh("group"), "--from-beginning", *shown]
    printed = the.tool(
        f"{TOOLS}.consumer.ConsoleConsumer", *consumer, "--max-messages", str(EVENTS + CONSOLE)
    )
    wanted = {f"codec:{c},n:{n}\tkey-{n % 10}\tevent {n}" for c in CODECS for n in range(EACH)}
    came = [line for line in printed.splitlines() if line.startswith("codec:")]
    the.report.saw("kafka-console-consumer", len(came), CONSOLE)
    whole = [codec for codec in CODECS if {line for line in wanted if f":{codec}," in line} <= {*came}]
    the.report.saw("codecs", whole, list(CODECS))


def each(option: str, values: Sequence[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def transactions(the: Round) -> None:
    """kafka-producer-perf-test in transactions, and what is known of them afterwards."""
    records = ["--num-records", "500", "--record-size", "100", "--throughput", "-1"]
    config = ["--transactional-id", the.transaction, "--transaction-duration-ms", "20"]
    printed = the.tool(f"{TOOLS}.ProducerPerformance", "--topic", the.topic, *records, *config)
    the.report.saw("kafka-producer-perf-test", printed.startswith("500 records sent"), True)
    group = ["--group", fresh("group"), "--command-property", "isolation.level=read_committed"]
    printed = the.tool(f"{TOOLS}.ConsumerPerformance", "--topic", the.topic, "--num-records", "500", *group)
    the.report.saw("kafka-consumer-perf-test", printed.splitlines()[-1].split(", ")[4], "500")
    listed = the.tool(f"{TOOLS}.TransactionsCommand", "list")
    states = re.findall(rf"^{the.transaction}\s+1\s+\d+\s+(\w+)", listed, re.MULTILINE)
    the.report.saw("kafka-transactions", states, ["CompleteCommit"])


def main(bootstrap: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        the = Round(bootstrap, folder)
        for part in (topics, verifiable, console, offsets, transactions):
            part(the)
        the.tool(f"{TOOLS}.TopicCommand", "--delete", "--topic", the.topic)
        left = the.tool(f"{TOOLS}.TopicCommand", "--list").split()
        the.report.saw("topic left", the.topic in left, False)
        the.report.tell()


if __name__ == "__main__":
    main(sys.argv[1])
