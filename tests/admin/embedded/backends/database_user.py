"""The second backend of AsyncMQ's JWT page: a token, and its subject must be a user in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lilya.requests import Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool

from embedded.backends.stateless import StatelessBackend, TokenCheck, bearer

if TYPE_CHECKING:
    from embedded.accounts import Account, Accounts
    from embedded.configuration import Configuration


class _Base(DeclarativeBase):
    pass


class UserRow(_Base):
    """A user as this admin's database knows one."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    display_name: Mapped[str | None]
    email: Mapped[str | None]
    is_active: Mapped[bool]
    is_admin: Mapped[bool]

    @staticmethod
    def of(account: Account) -> UserRow:
        return UserRow(
            id=account.id,
            display_name=account.name,
            email=account.email,
            is_active=account.is_active,
            is_admin=account.is_admin,
        )


class DatabaseUserBackend(StatelessBackend):
    """Who is unknown, inactive or (when admins are wanted) no admin is refused like someone without a token: by the
    gate's redirect, which does not say why."""

    explanation = "This test admin takes a bearer token of an active user of its database."

    def __init__(self, check: TokenCheck, sessions: async_sessionmaker[AsyncSession], wants_admins: bool) -> None:
        self._check = check
        self._sessions = sessions
        self._wants_admins = wants_admins

    async def authenticate(self, request: Request) -> dict[str, Any] | None:
        token = bearer(request.headers.get("Authorization"))
        claims = self._check.claims(token) if token else None
        if claims is None:
            return None
        async with self._sessions() as session:
            user = await session.get(UserRow, str(claims["sub"]))
        if user is None or not user.is_active or (self._wants_admins and not user.is_admin):
            return None
        return {
            "id": user.id,
            "name": user.display_name or user.email or user.id,
            "claims": dict(claims),
            "is_admin": user.is_admin,
        }

    async def account_changed(self, account: Account) -> None:
        """The next request meets the user as they are now."""
        async with self._sessions.begin() as session:
            await session.merge(UserRow.of(account))


async def make(configuration: Configuration, accounts: Accounts) -> DatabaseUserBackend:
    """`documented_jwt_db`: `users` become the rows of a SQLite database in memory."""
    # One connection for everybody: each further one to `:memory:` would find an empty database.
    engine = create_async_engine("sqlite+aiosqlite:///:memory:", poolclass=StaticPool)
    async with engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with sessions.begin() as session:
        session.add_all(UserRow.of(account) for account in accounts)
    return DatabaseUserBackend(TokenCheck(configuration), sessions, configuration.wants_admins)
