"""Writes exports of datasets to disk: manifests, and copies of files with their labels."""

from trivium.drivers.exports.writer import ExportWriter

__all__ = ["ExportWriter"]
