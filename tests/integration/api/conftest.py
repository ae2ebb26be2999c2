"""The API's tests share one stage."""

from tests.integration.api.setting import api, jwks
from tests.scenarios.setting import setting

__all__ = ["api", "jwks", "setting"]
