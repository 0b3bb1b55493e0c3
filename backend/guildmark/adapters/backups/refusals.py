"""What can be wrong with a backup, or with where it comes from and goes to."""

from guildmark.domain.errors import (
    ConflictError,
    ContentError,
    ForbiddenError,
    SettingsError,
    UntrustedError,
    UsageError,
)


class BackupDamagedError(ContentError):
    """The file is not the backup that was written: cut off, changed, or none at all."""

    code = "backup.damaged"
    hint = "Take another copy of the backup; one that was not finished has nothing to restore."


class BackupMalformedError(ContentError):
    """The file is whole, and yet does not hold what a backup holds."""

    code = "backup.malformed"
    hint = "Take a backup that `guildmark backup create` made."


class BackupNewerError(SettingsError):
    """A later release wrote the backup, or a database in it."""

    code = "backup.newer"
    hint = "Use the release that wrote it, or a later one."


class BackupChainOtherError(UntrustedError):
    """The backup is of a home on another chain."""

    code = "backup.chainOther"
    hint = "Take the backup of a home on this chain, or correct the chain's address."


class BackupTargetError(ConflictError):
    """The folder to restore into is not empty."""

    code = "backup.targetNotEmpty"
    hint = "Name a folder that does not exist yet, or is empty: nothing is overwritten."


class BackupPlaceError(UsageError):
    """The backup would be written into the home that it is of."""

    code = "backup.insideHome"
    hint = "Name a file outside the home, best on another disk."


class BackupKeysError(UsageError):
    """Keys are asked for that the backup does not have."""

    code = "backup.withoutKeys"
    hint = "Restore without --with-keys, then put the folder of the keys back from its own copy."


class BackupPasswordError(ForbiddenError):
    """The password does not open the keys of the backup."""

    code = "backup.passwordWrong"
    hint = "Name the file with the password that the backup was made with."


class BackupPasswordShortError(UsageError):
    """The password is too short for keys that may lie where others can try passwords."""

    code = "backup.passwordShort"
    hint = "Make one: openssl rand -hex 32 > FILE; keep it elsewhere than the backup."
