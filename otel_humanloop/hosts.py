"""Hosts by name or address: who can reach them, and how they stand in a URL."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Does this name or address mean the machine itself, wherever it is looked up?"""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def authority(host: str, port: int) -> str:
    """The two as a URL has them: `127.0.0.1:4318`, `[::1]:4318`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
