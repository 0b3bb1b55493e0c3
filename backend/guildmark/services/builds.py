"""Builds: what a machine says about a part, signed with the machine's own key."""

from dataclasses import dataclass

from guildmark.domain.dsse import Envelope
from guildmark.domain.identifiers import KeyId
from guildmark.domain.identity import key_id
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.statement import PAYLOAD_TYPE, BuildStatement
from guildmark.ports import KeyName, KeyPurposeError, KeyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """Use cases around what machines sign."""

    keys: KeyStore

    def attest(self, statement: BuildStatement, *, key: KeyName) -> bytes:
        """Return the envelope of a statement, signed with a machine's key.

        Raises:
            KeyMissingError: There is no such key.
            PasswordWrongError: Its file does not open.
            KeyPurposeError: It signs nothing.
        """
        signer = key_id(statement.run.machine, signing_key(self.keys, key))
        return self._sign(statement, key, signer).encode()

    def _sign(self, statement: BuildStatement, key: KeyName, signer: KeyId) -> Envelope:
        return Envelope.sign(
            statement.encode(),
            payload_type=PAYLOAD_TYPE,
            signers={signer: lambda payload: self.keys.sign_payload(key, payload)},
        )


def signing_key(keys: KeyStore, name: KeyName) -> PublicKey:
    """Return a key as it is registered for a machine.

    Raises:
        KeyMissingError: There is no such key.
        KeyPurposeError: It signs nothing.
    """
    key = keys.public_key(name)
    algorithms = {algorithm.name.lower(): algorithm for algorithm in Algorithm}
    algorithm = algorithms.get(key.algorithm.value)
    if algorithm is None:
        message = f"{name} is a {key.algorithm} key, which signs nothing."
        raise KeyPurposeError(message, name=name)
    return PublicKey(algorithm=algorithm, data=key.value)
