"""Why a home's database cannot be used."""

from guildmark.domain.errors import ConflictError, ContentError, NetworkError, SettingsError


class StoreNotDurableError(SettingsError):
    """The database would lose what it acknowledged."""

    code = "store.notDurable"
    hint = (
        "Put the home on a local disk, since WAL does not work on network file systems; "
        "let a PostgreSQL server run with fsync on, its database in UTF8."
    )


class StoreUnreadableError(SettingsError):
    """The file is no database, or cannot be opened."""

    code = "store.unreadable"
    hint = "Check the file's permissions, or restore it from a backup."


class StoreUnreachableError(NetworkError):
    """The server of the database does not answer, or lets nobody in."""

    code = "store.unreachable"
    hint = "Check the server, the URL of the database, and its password file (PGPASSFILE)."


class StoreDriverMissingError(SettingsError):
    """The package that speaks to PostgreSQL is not installed."""

    code = "store.driverMissing"
    hint = "Install it: pip install 'guildmark[node,postgres]'."


class StoreOutdatedError(SettingsError):
    """The database is of an earlier version of this program."""

    code = "store.outdated"
    hint = "Start the node once, or run `guildmark tx list`: that brings the database up to date."


class StoreNewerError(SettingsError):
    """A later release wrote the database."""

    code = "store.newer"
    hint = "Use the release that wrote it, or a later one; nothing was changed."


class StoreDamagedError(ContentError):
    """The database's file is damaged."""

    code = "store.damaged"
    hint = "Stop the node and restore the home from a backup."


class StoreBusyError(ConflictError):
    """Another process held the database too long."""

    code = "store.busy"
    hint = "Try again when the other command has ended."


class StoreForeignError(SettingsError):
    """The shared database is another home's."""

    code = "store.foreign"
    hint = "Name a database of this home's own; look at GUILDMARK_DATABASE_URL and [database]."


class StoreKeysError(SettingsError):
    """The hosts of a shared database do not have the same keys."""

    code = "store.keysDiffer"
    hint = (
        "Copy the folder `keys` of the home whose node began with this database; what was made "
        "here instead signs and opens nothing."
    )


class StoreTakenError(ConflictError):
    """The database that shall be filled is not empty."""

    code = "store.taken"
    hint = (
        "Make an empty database and name it by GUILDMARK_DATABASE_URL; "
        "or restore with --as-file, into a file of the home's own."
    )
