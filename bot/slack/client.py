"""The Web API client: proxies and another base URL honoured, rate limits waited out, nothing sent twice.

slack_sdk retries nothing but connection errors by default. A connection that breaks after the request was written may
have posted, so posts are not retried blindly here; the outbox looks first (see :mod:`bot.slack.outbox`). A 429 was
not carried out, so it is simply waited out.
"""

from __future__ import annotations

from slack_sdk import WebClient
from slack_sdk.http_retry import RetryHandler
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

TIMEOUT_SECONDS = 10
RATE_LIMIT_RETRIES = 5


def web_client(token: str, base_url: str = "") -> WebClient:
    """A client for ``token``; ``base_url`` names another Slack, such as the playground's."""
    handlers: list[RetryHandler] = [RateLimitErrorRetryHandler(max_retry_count=RATE_LIMIT_RETRIES)]
    if base_url:
        return WebClient(token=token, base_url=base_url, timeout=TIMEOUT_SECONDS, retry_handlers=handlers)
    return WebClient(token=token, timeout=TIMEOUT_SECONDS, retry_handlers=handlers)
