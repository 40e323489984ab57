"""`kafka://`: OTLP from a topic, as the Collector's Kafka exporter writes it, in protobuf or JSON.

Kafka keeps the messages, so an offset is committed only once the logs made of its message were delivered
(`offsets.py`); what was read and not committed is read again, here or by another bridge of the group, and Humanloop
knows it by its reference ids. A message that cannot be read goes to the dead letters, with the reason in its headers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage]
    attach,
    set_value,
)

from otel_humanloop.bridge.addresses import Consume
from otel_humanloop.bridge.keeper import Keeper, NeverFits
from otel_humanloop.bridge.metrics import Metrics
from otel_humanloop.bridge.offsets import Offsets
from otel_humanloop.errors import DecodeError, SettingsError, SpoolFull
from otel_humanloop.notices import Notices
from otel_humanloop.spans import LogRecord, Span, SpanKey
from otel_humanloop.spans.otlp import JSON, PROTOBUF, Sifted, sift, sift_logs

NAME = "kafka"

_BATCH = 100  # messages taken from librdkafka at once
_POLL = 0.1  # seconds to wait for them
_PAUSE = 0.5  # seconds until what found no room is tried again
_COMMIT = 1.0  # seconds between commits
_PATIENCE = 10.0  # seconds for a dead letter to be written

_OF_CONSUMERS = ("session.", "heartbeat.", "max.poll", "auto.offset", "group.", "fetch.", "partition.", "queued.max")
"""How the names of properties begin that a producer does not know."""

_DEFAULTS = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "cooperative-sticky",
    "queued.max.messages.kbytes": 16384,
}


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    body: bytes
    headers: Sequence[tuple[str, str | bytes | None]]


class _Told:
    """Whether a message was written, as librdkafka tells it."""

    def __init__(self) -> None:
        self.delivered = False

    def __call__(self, error: KafkaError | None, _: Message) -> None:
        self.delivered = error is None


class KafkaReceiver:
    """One consumer of a group, on a thread of its own between `start` and `stop`.

    Raises:
        SettingsError: librdkafka does not know a property, or a value of it.
    """

    def __init__(self, address: Consume, keeper: Keeper, metrics: Metrics) -> None:
        self._address = address
        self._keeper = keeper
        self._metrics = metrics
        self._notices = Notices()
        self._offsets = Offsets(rest=keeper.settings.hold)
        self._ended = threading.Event()
        self._committed_at = 0.0
        self._messages: deque[_Message] = deque()
        common: dict[str, Any] = {
            "bootstrap.servers": address.brokers,
            "error_cb": self._complain,
            "log_level": 2,  # what librdkafka would write to stderr, over and over, comes to `_complain` too
            **address.properties,
        }
        shared = {name: value for name, value in common.items() if not name.startswith(_OF_CONSUMERS)}
        try:
            self._consumer = Consumer({**_DEFAULTS, "group.id": address.group, **common})
            self._producer = Producer({"enable.idempotence": True, **shared})
        except KafkaException as error:
            raise _wrong(error.args[0].str()) from error
        except ValueError as error:
            raise _wrong(str(error)) from error
        metrics.expect(NAME, [address.signal], ["ok", "full", "invalid"])
        metrics.consumes(",".join(address.topics), lambda: self._offsets.waiting)
        keeper.on_settled(self._offsets.settle)
        self._thread = threading.Thread(target=self._run, name="otel-humanloop-kafka", daemon=True)

    def start(self) -> None:
        """Joins the group and reads."""
        self._consumer.subscribe(list(self._address.topics), on_revoke=self._revoked, on_lost=self._lost)
        self._thread.start()

    def stop(self) -> None:
        """Reads no more. What was read goes on being delivered."""
        self._ended.set()
        self._thread.join()

    def close(self) -> None:
        """Commits what was delivered, and leaves the group."""
        self._commit(time.monotonic())
        self._consumer.close()

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        while not self._ended.is_set():
            self._read(_BATCH, _POLL)
            while self._messages and not self._ended.is_set():
                self._take(self._messages.popleft())
            self._commit_now_and_then()

    def _read(self, most: int, timeout: float) -> None:
        """Puts what has come in line."""
        try:
            messages = self._consumer.consume(most, timeout)
        except KafkaException as error:
            self._complain(error.args[0])
            self._ended.wait(_PAUSE)
            return
        for message in messages:
            problem = message.error()
            if problem is None:
                self._messages.append(_message(message))
            else:
                self._complain(problem)

    def _take(self, message: _Message) -> None:
        body = message.body
        media_type = JSON if body.lstrip()[:1] == b"{" else PROTOBUF
        try:
            if self._address.signal == "logs":
                self._take_records(message, sift_logs(body, media_type))
            else:
                self._take_spans(message, sift(body, media_type))
        except (DecodeError, NeverFits) as refused:
            self._note(message, ())
            self._bury(message, str(refused))

    def _take_spans(self, message: _Message, sifted: Sifted[Span]) -> None:
        spans = sifted.items
        # Noted first: the delivery may be done with a span before `keep` returns.
        self._note(message, {(span.trace_id, span.span_id) for span in spans})
        if self._insist(lambda: self._keeper.keep(spans)):
            self._metrics.received(NAME, len(spans), len(sifted.errors))
            self._taken(message, sifted.errors)

    def _take_records(self, message: _Message, sifted: Sifted[LogRecord]) -> None:
        self._note(message, ())
        if self._insist(lambda: self._keeper.keep_records(sifted.items)):
            self._taken(message, sifted.errors)

    def _taken(self, message: _Message, errors: Sequence[DecodeError]) -> None:
        self._metrics.request(NAME, self._address.signal, "ok")
        if errors:
            self._bury(message, f"{len(errors)} of it were refused, the first because {errors[0].message}")

    def _note(self, message: _Message, keys: Collection[SpanKey]) -> None:
        self._offsets.take((message.topic, message.partition), message.offset, keys, time.monotonic())

    def _insist(self, keep: Callable[[], None]) -> bool:
        """Keeps, however long it takes until there is room; False where the bridge ends before."""
        paused: list[TopicPartition] = []
        try:
            while not self._ended.is_set():
                try:
                    keep()
                except SpoolFull as error:
                    self._notices.warn("full", f"{error.message}; Kafka is read no further until there is room")
                    self._metrics.request(NAME, self._address.signal, "full")
                    # A consumer that does not poll is thrown out of its group: it goes on, but is given nothing.
                    paused = self._consumer.assignment()
                    self._consumer.pause(paused)
                    self._serve_group()
                    continue
                return True
            return False
        finally:
            if paused:
                self._resume(paused)

    def _serve_group(self) -> None:
        self._read(1, _PAUSE)  # of a partition that was given to us after the pause; it is paused with the next
        self._commit_now_and_then()

    def _resume(self, paused: Sequence[TopicPartition]) -> None:
        still = {(each.topic, each.partition) for each in self._consumer.assignment()}
        self._consumer.resume([each for each in paused if (each.topic, each.partition) in still])

    def _bury(self, message: _Message, reason: str) -> None:
        """Puts a message among the dead letters, and returns when it is there."""
        topic = self._address.dead_letter or f"{message.topic}-dead-letter"
        self._notices.warn("dead letter", f"a message of {message.topic} goes to {topic}: {reason}")
        self._metrics.request(NAME, self._address.signal, "invalid")
        headers: list[tuple[str, str | bytes | None]] = [
            *message.headers,
            ("otel-humanloop.reason", reason.encode()),
            ("otel-humanloop.topic", message.topic.encode()),
            ("otel-humanloop.partition", str(message.partition).encode()),
            ("otel-humanloop.offset", str(message.offset).encode()),
        ]
        while not self._ended.is_set():
            told = _Told()
            self._producer.produce(topic, message.body, message.key, headers=headers, on_delivery=told)
            self._producer.flush(_PATIENCE)
            if told.delivered:
                return
            self._notices.warn("dead letter failed", f"nothing can be written to {topic}; it is tried again")
            self._ended.wait(_PAUSE)

    def _commit_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._committed_at >= _COMMIT:
            self._commit(now)

    def _commit(self, now: float) -> None:
        self._committed_at = now
        ready = self._offsets.ready(now)
        if not ready:
            return
        offsets = [TopicPartition(topic, number, offset) for (topic, number), offset in ready.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # The group is changing hands. What was not committed is read again, and is known by its ids.
            self._notices.warn("commit", f"Kafka did not take the offsets: {error}")

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit(time.monotonic())
        self._lost(_, partitions)

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._offsets.lose([(each.topic, each.partition) for each in partitions])

    def _complain(self, error: KafkaError) -> None:
        self._notices.warn(f"kafka {error.name()}", f"Kafka at {self._address.brokers}: {error.str()}")


def _wrong(why: str) -> SettingsError:
    return SettingsError(
        f"Kafka cannot be read with these properties: {why}",
        hint="what follows ? in --receive is group, signal, dead_letter, or a property of librdkafka",
    )


def _message(message: Message) -> _Message:
    key = message.key()
    headers = message.headers() or []
    return _Message(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=_bytes(key) if key is not None else None,
        body=_bytes(message.value()),
        headers=[*headers.items()] if isinstance(headers, dict) else headers,
    )


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
