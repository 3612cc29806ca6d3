"""What can stand between Kith and digiKam, as sentences that say what happened and what to do."""

from __future__ import annotations


class DigikamError(Exception):
    """Base of all errors that the bridge raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DigikamError):
    """There is no digiKam here, or no database where its settings say."""


class NotSqlite(DigikamError):
    """digiKam keeps its data on a database server, or the file is no database."""


class UnknownSchema(DigikamError):
    """A version of digiKam's database that the bridge has not been told about."""


class DatabaseBusy(DigikamError):
    """Another program has locked the database, or was ended while it wrote there."""


class RootMissing(DigikamError):
    """A folder of photos isn't where digiKam's database says."""


class DigikamRuns(DigikamError):
    """digiKam has its database open, or is about to open it."""


class NotWritten(DigikamError):
    """digiKam's database could not be replaced: no space, no permission, or it is damaged."""
