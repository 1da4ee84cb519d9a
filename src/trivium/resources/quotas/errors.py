"""The quotas room's errors."""

from __future__ import annotations

from trivium.base.errors import OverQuota


class QuotaExceeded(OverQuota):
    """The project has as many of these as it may have."""

    code = "quota.exceeded"
