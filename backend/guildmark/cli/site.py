"""``guildmark site``: sites."""

from guildmark.cli.identities import app_of
from guildmark.domain.identity.identity import IdentityKind

app = app_of(IdentityKind.SITE)
