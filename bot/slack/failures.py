"""How Slack says no, in kinds that call for different things: say it more plainly, say it elsewhere, look, give up."""

from __future__ import annotations

REFUSED = {
    "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments", "msg_too_long",
    "too_many_attachments", "invalid_arguments", "no_text",
}  # fmt: skip
GONE = {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"}
CLOSED = {
    "not_in_channel", "channel_not_found", "is_archived", "restricted_action", "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "user_not_in_channel",
    "cannot_reply_to_message", "messages_tab_disabled", "ekm_access_denied", "team_access_not_granted",
}  # fmt: skip
NO_FILES = {"file_uploads_disabled", "file_uploads_except_images_disabled", "missing_scope", "not_allowed_token_type"}
SURE = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"}


class SendError(Exception):
    """Slack did not take a message; ``code`` is Slack's word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RefusedError(SendError):
    """The form was refused, not the content: say it more plainly."""


class GoneError(SendError):
    """The message to edit is gone or may not be edited any more."""


class ClosedError(SendError):
    """The bot may not speak there."""


class FilesError(SendError):
    """Files may not be uploaded."""


class UnsureError(SendError):
    """Nobody knows whether it was carried out."""


def classify(code: str) -> SendError:
    """The kind of error that Slack's word means."""
    for known, kind in ((REFUSED, RefusedError), (GONE, GoneError), (CLOSED, ClosedError), (NO_FILES, FilesError)):
        if code in known:
            return kind(code)
    return SendError(code) if code in SURE else UnsureError(code)
