"""A bridge as a whole: what is started in which order, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec

from otel_humanloop.bridge.addresses import Address, Consume, Listen
from otel_humanloop.bridge.door import Door
from otel_humanloop.bridge.keeper import Keeper
from otel_humanloop.bridge.listening import Receivers
from otel_humanloop.bridge.metrics import Metrics
from otel_humanloop.bridge.receivers.http import Health
from otel_humanloop.errors import DeliveryError, MissingExtra, Refused, SettingsError, Unavailable
from otel_humanloop.settings import Settings

if TYPE_CHECKING:
    import httpx

    from otel_humanloop.bridge.receivers.kafka import KafkaReceiver

MAX_SPANS = 100_000
"""How many spans the spool of a bridge keeps, unless it is told."""


class RunningBridge(msgspec.Struct, frozen=True):
    """A bridge that takes spans in.

    Attributes:
        urls: Where, one for each receiver others connect to: `http://127.0.0.1:4318`.
        keeper: What it holds.
        metrics: What goes on in it.
    """

    urls: list[str]
    keeper: Keeper
    metrics: Metrics

    def url(self, scheme: str) -> str:
        """The first of that scheme."""
        return next(url for url in self.urls if url.partition("://")[0] == scheme)


@contextmanager
def running(
    settings: Settings,
    receivers: Sequence[Address],
    *,
    tokens: Collection[str] = (),
    opens: Callable[[str], bool] | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Generator[RunningBridge, None, None]:
    """A bridge, for as long as the block.

    At its end it stops taking spans in, then delivers what it can within `shutdown_timeout`; the rest stays in the
    spool, where that outlives the process.

    Args:
        tokens, opens: As of a `Door`: whoever shows one of these, or what `opens`, may come in.
        transport: What carries requests to Humanloop, where it is not the network.

    Raises:
        SettingsError: An address would be open to others without a token, or cannot be had; or the spool cannot be
            used.
        MissingExtra: What a receiver needs is not installed.
    """
    if opens is None:
        _must_be_guarded(receivers, tokens)
    with ExitStack() as stack:
        keeper = Keeper(settings, transport=transport)
        metrics = Metrics(keeper)
        ends = stack.enter_context(ExitStack())  # after all else, when what was delivered is known
        stack.callback(keeper.shutdown, settings.shutdown_timeout)
        door = Door(keeper, metrics, tokens=tokens, opens=opens)

        def health() -> Health:
            return Health(
                ready=not (door.closing or keeper.is_full),
                delivery=_brief(keeper.sender.last_error),
                spans=keeper.spans,
            )

        listening = Receivers(
            [address for address in receivers if isinstance(address, Listen)],
            door,
            health=health,
            metrics=metrics.text,
        )
        stack.callback(listening.stop)
        urls = listening.start()
        for address in receivers:
            if isinstance(address, Consume):
                consumer = _consumer(address, keeper, metrics)
                ends.callback(consumer.close)
                consumer.start()
                stack.callback(consumer.stop)
        keeper.start()

        def close_the_door() -> None:
            door.closing = True

        stack.callback(close_the_door)
        yield RunningBridge(urls, keeper, metrics)


def _brief(error: DeliveryError | None) -> str:
    """How delivery goes, for whoever can connect: a reason Humanloop gives may say what was in a log."""
    if error is None:
        return "ok"
    status = error.status if isinstance(error, (Refused, Unavailable)) else None
    return error.message if status is None else f"Humanloop answered {status}; the bridge's own log says more"


def _consumer(address: Consume, keeper: Keeper, metrics: Metrics) -> KafkaReceiver:
    try:
        from otel_humanloop.bridge.receivers.kafka import KafkaReceiver
    except ModuleNotFoundError as error:
        raise MissingExtra("receiving from Kafka", "kafka") from error
    return KafkaReceiver(address, keeper, metrics)


def _must_be_guarded(receivers: Sequence[Address], tokens: Collection[str]) -> None:
    for address in receivers:
        if isinstance(address, Consume) or address.is_loopback or tokens:
            continue
        if address.tls is not None and address.tls.client_ca is not None:
            continue
        raise SettingsError(
            f"others can reach {address.host}, but nothing is asked of them",
            hint="give a token (--token, or HUMANLOOP_BRIDGE_TOKEN), let TLS ask for a client's certificate"
            " (client_ca=FILE), or listen on 127.0.0.1",
        )
