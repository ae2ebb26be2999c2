"""Users of a simulated project, their sessions and refresh tokens."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4


class Refused(Exception):  # noqa: N818 - what a server says, not our error
    """An answer of GoTrue's that is no success."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody who can sign in."""

    email: str
    password: str = field(repr=False)
    id: str = field(default_factory=lambda: str(uuid4()))
    is_banned: bool = False


@dataclass(slots=True, kw_only=True)
class Session:
    """One sign-in. Using a refresh token twice revokes it."""

    user: User
    id: str = field(default_factory=lambda: str(uuid4()))
    current: str = field(default="", repr=False)
    used: set[str] = field(default_factory=set, repr=False)
    is_expired: bool = False
    """Ended by its time box, or a newer login."""

    def next_token(self) -> str:
        """A refresh token in place of the last."""
        if self.current:
            self.used.add(self.current)
        self.current = secrets.token_urlsafe(9)
        return self.current


class Users:
    """Everybody of one project."""

    def __init__(self) -> None:
        self._by_email: dict[str, User] = {}
        self.sessions: dict[str, Session] = {}

    def add(self, email: str, password: str) -> User:
        """A user who may sign in."""
        user = User(email=email, password=password)
        self._by_email[email] = user
        return user

    def remove(self, user: User) -> None:
        """Their tokens are valid still, and nobody is behind them."""
        del self._by_email[user.email]

    def sign_in(self, email: object, password: object) -> Session:
        """A new session. Raises Refused."""
        user = self._by_email.get(str(email))
        if user is None or user.password != password:
            raise Refused(400, "invalid_credentials", "Invalid login credentials")
        if user.is_banned:
            raise Refused(400, "user_banned", "User is banned")
        session = Session(user=user)
        self.sessions[session.id] = session
        return session

    def refresh(self, token: object) -> Session:
        """The session of a refresh token. Raises Refused."""
        for session in list(self.sessions.values()):
            if token in session.used:
                del self.sessions[session.id]
                raise Refused(
                    400, "refresh_token_already_used", "Invalid Refresh Token: Already Used"
                )
            if token == session.current:
                self._check(session)
                return session
        raise Refused(
            400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found"
        )

    def behind(self, claims: dict[str, Any]) -> User:
        """Whose token it is. Raises Refused."""
        user = next((u for u in self._by_email.values() if u.id == claims.get("sub")), None)
        if user is None:
            raise Refused(403, "user_not_found", "User from sub claim in JWT does not exist")
        if user.is_banned:
            raise Refused(403, "user_banned", "User is banned")
        session = self.sessions.get(str(claims.get("session_id")))
        if session is None:
            raise Refused(
                403, "session_not_found", "Session from session_id claim in JWT does not exist"
            )
        self._check(session)
        return user

    def sign_out(self, claims: dict[str, Any]) -> None:
        """End one session."""
        self.sessions.pop(str(claims.get("session_id")), None)

    @staticmethod
    def _check(session: Session) -> None:
        if session.is_expired:
            raise Refused(400, "session_expired", "Invalid Refresh Token: Session Expired")
