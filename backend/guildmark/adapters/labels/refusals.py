"""Why a picture of a code is refused: one code a reason."""

from guildmark.domain.errors import SettingsError, UsageError

_NEXT = "Take a new photo of the code alone: sharp, flat, in even light."


class CodePictureUnreadableError(UsageError):
    """A file that is no PNG or JPEG, or a damaged one."""

    code = "picture.unreadable"
    hint = "Save the photo as JPEG or PNG and try again, or type the serial."


class CodePictureTooLargeError(UsageError):
    """A picture with more bytes or pixels than are looked at."""

    code = "picture.tooLarge"
    hint = "Cut the picture to the code, or make it smaller."


class CodePictureTooCostlyError(UsageError):
    """Looking for a code takes more time or memory than a photo may."""

    code = "picture.tooCostly"
    hint = _NEXT


class CodeMissingError(UsageError):
    """A picture without a QR code that can be read."""

    code = "picture.noCode"
    hint = f"{_NEXT} Or type what stands below it."


class CodesSeveralError(UsageError):
    """A picture with several QR codes that say different things."""

    code = "picture.severalCodes"
    hint = "Take a photo with one code in it: each part has its own."


class CodeReaderMissingError(SettingsError):
    """What reads codes from pictures is not installed."""

    code = "picture.readerMissing"
    hint = "pip install 'guildmark[scan]', or type what stands below the code."
