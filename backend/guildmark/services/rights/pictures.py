"""Pictures of designs: signed by the owner, shown to everybody as long as he owns the design."""

from dataclasses import dataclass

from guildmark.domain.chain.facts import DesignFact
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import DesignId
from guildmark.domain.rights.picture import PICTURE_PAYLOAD_TYPE, DesignPicture
from guildmark.ports.clock import Clock
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, Documents, NodeStore
from guildmark.services.release.releasing import sign_as_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Use cases around the picture that an owner publishes of a design."""

    keys: KeyStore
    clock: Clock
    store: NodeStore

    def publish(self, design: DesignId, image: bytes, *, key: KeyName) -> bytes:
        """Sign a picture, keep it in this home, whose node shows it, and return it for others.

        An empty image takes the picture back.

        Raises:
            PictureMalformedError: The image is no small PNG of pixels alone.
            KeyMissingError: There is no such key.
            KeyPurposeError: It has no account.
        """
        with self.store.reading() as view:
            former = view.documents.get(DocumentKind.DESIGN_PICTURE, design)
        # Two within a second have an order, too.
        at = max(self.clock.now(), 0 if former is None else DesignPicture.signed(former).at + 1)
        made = DesignPicture(design=design, at=at, image=image)
        body = sign_as_account(
            made.encode(), payload_type=PICTURE_PAYLOAD_TYPE, keys=self.keys, key=key
        )
        with self.store.writing() as work:
            work.documents.put(DocumentKind.DESIGN_PICTURE, design, body)
        return body


def shown_picture(design: DesignFact, documents: Documents) -> bytes:
    """Return the PNG that a design's present owner shows of it, empty where he shows none."""
    body = documents.get(DocumentKind.DESIGN_PICTURE, design.id)
    if body is None:
        return b""
    try:
        return DesignPicture.of_owner(body, design.owner).image
    except GuildmarkError:
        # The design has another owner since.
        return b""
