"""What can go wrong, as a tree. An error carries the decision its catcher needs, and what to do next.

```
HumanloopError
├── SettingsError            a setting that cannot be: says the variable, the value and what is allowed
├── MissingExtra             a part that is not installed: says the command that installs it
├── DecodeError              bytes that are not what they claim to be; never retried
├── SpoolFull                no room to keep another span
└── DeliveryError            Humanloop did not take what was sent
    ├── Unavailable          it may later: 408, 429, 5xx, no connection      .retry_after  .status
    └── Refused              it never will: any other 4xx                    .status  .detail
```
"""

from __future__ import annotations


class HumanloopError(Exception):
    """The root of every error this package raises.

    Args:
        message: What happened; values stand in backticks.
        hint: What to do next. Shown on a line of its own, as `hint: ...`.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class SettingsError(HumanloopError):
    """A setting holds something it cannot mean."""


class MissingExtra(HumanloopError):
    """A part was asked for whose dependencies are not installed."""

    def __init__(self, part: str, extra: str) -> None:
        super().__init__(
            f"{part} needs packages that are not installed",
            hint=f"pip install 'otel-humanloop[{extra}]'",
        )
        self.extra = extra


class DecodeError(HumanloopError):
    """Bytes that are not what they claim to be; the same bytes will never decode."""


class SpoolFull(HumanloopError):
    """The spool's bound on spans or bytes is reached."""


class DeliveryError(HumanloopError):
    """Humanloop did not take what was sent."""


class Unavailable(DeliveryError):
    """Humanloop cannot take it now, but may later.

    Attributes:
        retry_after: Seconds the server asked to wait, when it said so.
        status: The HTTP status of the answer, where there was one.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, status: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.status = status


class Refused(DeliveryError):
    """Humanloop will never take this, however often it is sent.

    Attributes:
        status: The HTTP status of the answer.
        detail: The server's reason, as text.
    """

    def __init__(self, status: int, detail: str, *, hint: str | None = None) -> None:
        super().__init__(f"Humanloop answered {status}: {detail}", hint=hint)
        self.status = status
        self.detail = detail
