"""``guildmark org``: organizations."""

from guildmark.cli.identities import app_of
from guildmark.domain.identity.identity import IdentityKind

app = app_of(IdentityKind.ORGANIZATION)
