"""Hosts: which server acts on the workloads of which machine, and what the others ask of it."""

from trivium.resources.hosts.types import Host, Tenure

__all__ = ["Host", "Tenure"]
