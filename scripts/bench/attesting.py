"""The peer: an attestation a part, by the Ethereum Attestation Service, compiled by its makers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from eth_abi.abi import decode, encode

from bench.sender import Sender
from environments import ROOT
from guildmark.adapters.chain.rpc import data, quantity
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, Bytes32, Digest, to_hex

_ARTIFACTS = ROOT / "hardhat-local/node_modules/@ethereum-attestation-service/eas-contracts"
_REQUEST = "(address,uint64,bool,bytes32,bytes,uint256)"
_KEPT = "(bytes32,bytes32,uint64,uint64,uint64,bytes32,address,address,bool,bytes)"
_KEPT_DATA = 9
_ATTESTED = to_hex(keccak256(b"Attested(address,address,bytes32,bytes32)"))
_NOBODY = "0x" + "00" * 20
_NONE = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What was attested, or stamped: what it cost, and whether the chain keeps it."""

    gas: int
    same_answer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestations:
    """The service with one schema: a digest of 32 bytes."""

    sender: Sender
    address: Address
    schema: Bytes32

    @classmethod
    def deploy(cls, sender: Sender) -> Self:
        """Deploy it and its registry, and register the schema."""
        registry = sender.create(_code("SchemaRegistry"))
        service = sender.create(_code("EAS") + encode(["address"], [to_hex(registry)]))
        values = ("bytes32 digest", _NOBODY, False)
        types = ["string", "address", "bool"]
        receipt = sender.send(registry, _call("register(string,address,bool)", types, values))
        return cls(
            sender=sender, address=service, schema=Bytes32(data(receipt["logs"][0]["topics"][1]))
        )

    def attest(self, digest: Digest) -> Attested:
        """Attest one digest."""
        payload = _call(
            f"attest((bytes32,{_REQUEST}))",
            [f"(bytes32,{_REQUEST})"],
            [(self.schema, _request(digest))],
        )
        return self._attested(payload, [digest])

    def attest_all(self, digests: Sequence[Digest]) -> Attested:
        """Attest several digests at once."""
        payload = _call(
            f"multiAttest((bytes32,{_REQUEST}[])[])",
            [f"(bytes32,{_REQUEST}[])[]"],
            [[(self.schema, [_request(digest) for digest in digests])]],
        )
        return self._attested(payload, digests)

    def stamp(self, digest: Digest) -> Attested:
        """Give one digest the time of its block, and nothing else."""
        receipt = self.sender.send(self.address, _call("timestamp(bytes32)", ["bytes32"], [digest]))
        asked = _call("getTimestamp(bytes32)", ["bytes32"], [digest])
        is_kept = int.from_bytes(self.sender.read(self.address, asked)) > 0
        return Attested(gas=quantity(receipt["gasUsed"]), same_answer=is_kept)

    def _attested(self, payload: bytes, digests: Sequence[Digest]) -> Attested:
        receipt = self.sender.send(self.address, payload)
        kept = [self._kept(log) for log in receipt["logs"] if log["topics"][0] == _ATTESTED]
        return Attested(gas=quantity(receipt["gasUsed"]), same_answer=kept == list(digests))

    def _kept(self, log: Mapping[str, Any]) -> bytes:
        asked = _call("getAttestation(bytes32)", ["bytes32"], [data(log["data"])])
        (found,) = decode([_KEPT], self.sender.read(self.address, asked))
        kept: bytes = found[_KEPT_DATA]
        return kept


def _request(digest: Digest) -> tuple[str, int, bool, bytes, bytes, int]:
    return (_NOBODY, 0, False, _NONE, digest, 0)


def _call(signature: str, types: Sequence[str], values: Sequence[object]) -> bytes:
    return keccak256(signature.encode())[:4] + encode(types, values)


def _code(name: str) -> bytes:
    file = _ARTIFACTS / "artifacts" / "contracts" / f"{name}.sol" / f"{name}.json"
    code: str = json.loads(file.read_text())["bytecode"]
    return data(code)
