"""Envelopes: the encoding that is signed, strict parsing, thresholds."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as PeerEnvelope

from guildmark.domain.builds import dsse
from guildmark.domain.encoding.fields import MemberUnknownError
from guildmark.domain.encoding.strictjson import JsonTooLargeError
from guildmark.domain.errors import MalformedError, SignatureError
from guildmark.domain.identifiers import KeyId

ONE, TWO, THREE = (KeyId(bytes([number]) * 32) for number in (1, 2, 3))


def signer(secret: bytes) -> dsse.Sign:
    return lambda data: secret + dsse.envelope_digest(data)


def verifier(secret: bytes) -> dsse.Verify:
    def verify(data: bytes, signature: bytes) -> None:
        if signature != secret + dsse.envelope_digest(data):
            raise SignatureError("wrong")

    return verify


def envelope(*keys: KeyId, payload: bytes = b'{"a":1}') -> dsse.Envelope:
    signers = {key: signer(key) for key in keys or (ONE,)}
    return dsse.Envelope.sign(payload, payload_type="application/x", signers=signers)


def test_encoding_is_the_example_of_the_standard() -> None:
    encoded = dsse.pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")

    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(st.text(max_size=30), st.binary(max_size=60))
def test_encoding_is_that_of_securesystemslib(kind: str, payload: bytes) -> None:
    peer = PeerEnvelope(payload=payload, payload_type=kind, signatures={})

    assert dsse.pre_authentication_encoding(kind, payload) == peer.pae()


@given(st.binary(max_size=200), st.sets(st.sampled_from([ONE, TWO, THREE]), min_size=1))
def test_envelopes_are_read_back(payload: bytes, keys: set[KeyId]) -> None:
    ours = envelope(*keys, payload=payload)

    assert dsse.Envelope.parse(ours.encode()) == ours


def test_keys_that_signed_are_returned() -> None:
    keys = {key: verifier(key) for key in (ONE, THREE)}

    assert envelope(ONE, TWO).verify(keys) == (ONE,)
    assert envelope(ONE, TWO, THREE).verify(keys, threshold=2) == (ONE, THREE)


@pytest.mark.parametrize(("threshold", "keys"), [(1, [TWO]), (2, [ONE, TWO]), (0, [])])
def test_too_few_signatures_are_refused(threshold: int, keys: list[KeyId]) -> None:
    with pytest.raises(dsse.SignaturesMissingError) as caught:
        envelope(ONE).verify({key: verifier(key) for key in keys}, threshold=threshold)

    assert caught.value.detail["threshold"] == threshold


def test_a_wrong_signature_by_an_expected_key_is_refused_beside_a_right_one() -> None:
    with pytest.raises(SignatureError, match="wrong"):
        envelope(ONE, TWO).verify({ONE: verifier(ONE), TWO: verifier(ONE)})


def test_signature_covers_the_payload_and_its_type() -> None:
    good = envelope(ONE)
    other_type = dsse.Envelope(
        payload_type="application/y", payload=good.payload, signatures=good.signatures
    )

    good.verify({ONE: verifier(ONE)})
    with pytest.raises(SignatureError, match="wrong"):
        other_type.verify({ONE: verifier(ONE)})


def changed(**members: Any) -> bytes:
    return json.dumps(json.loads(envelope(ONE).encode()) | members).encode()


def sig(**members: Any) -> dict[str, Any]:
    return {"keyid": "0x" + "01" * 32, "sig": "AAAA"} | members


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (changed(payload="YQ"), dsse.MalformedEnvelopeError),
        (changed(payload="YQ==\n"), dsse.MalformedEnvelopeError),
        (changed(payload="YR=="), dsse.MalformedEnvelopeError),
        (changed(payload="_-8="), dsse.MalformedEnvelopeError),
        (changed(payload="é==="), dsse.MalformedEnvelopeError),
        (changed(signatures=[]), dsse.MalformedEnvelopeError),
        (changed(signatures=[sig(), sig(sig="BBBB")]), dsse.MalformedEnvelopeError),
        (
            changed(signatures=[sig(keyid="0x" + f"{n:064x}") for n in range(9)]),
            dsse.MalformedEnvelopeError,
        ),
        (changed(signatures=[sig(keyid="key-1")]), MalformedError),
        (changed(signatures=[sig(cert="x")]), MemberUnknownError),
        (changed(more=1), MemberUnknownError),
    ],
)
def test_envelopes_in_another_form_are_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        dsse.Envelope.parse(data)


CANONICAL = envelope(ONE).encode()


def in_full(data: bytes) -> dsse.Envelope:
    """Return the envelope as the JSON reader reads it: a blank before it is no canonical form."""
    return dsse.Envelope.parse(b" " + data)


def outcome(read: Callable[[bytes], dsse.Envelope], data: bytes) -> object:
    try:
        return read(data)
    except MalformedError as error:
        return type(error), error.code


@given(
    place=st.integers(0, len(CANONICAL)),
    removed=st.integers(0, 4),
    inserted=st.one_of(
        st.binary(max_size=3), st.sampled_from([b'"', b"=", b"==", b"A", b"\\u0041", b",", b"}"])
    ),
)
def test_law_canonical_form_is_read_as_any_other(place: int, removed: int, inserted: bytes) -> None:
    data = CANONICAL[:place] + inserted + CANONICAL[place + removed :]

    assert outcome(dsse.Envelope.parse, data) == outcome(in_full, data)


@pytest.mark.parametrize("size", [4096, 4100])
def test_a_signature_is_bounded_in_canonical_form_too(size: int) -> None:
    data = CANONICAL.replace(b'"sig":"', b'"sig":"' + b"A" * (size - 44))

    assert len(json.loads(data)["signatures"][0]["sig"]) >= size - 44
    assert outcome(dsse.Envelope.parse, data) == outcome(in_full, data)


def test_an_envelope_is_bounded_in_canonical_form_too() -> None:
    limit = dsse.ENVELOPE_LIMITS.size
    filler = b"AAAA" * ((limit - len(CANONICAL)) // 4)

    longest = CANONICAL.replace(b'"payload":"', b'"payload":"' + filler)
    longer = CANONICAL.replace(b'"payload":"', b'"payload":"' + filler + b"AAAA")

    assert len(longest) <= limit < len(longer)
    assert dsse.Envelope.parse(longest).payload.endswith(b'{"a":1}')
    with pytest.raises(JsonTooLargeError):
        dsse.Envelope.parse(longer)


def test_eight_keys_may_sign() -> None:
    keys = [KeyId(bytes([number]) * 32) for number in range(8)]

    assert len(envelope(*keys).signatures) == 8


def test_digest_covers_the_signatures() -> None:
    one, two = envelope(ONE).encode(), envelope(TWO).encode()

    assert dsse.envelope_digest(one) != dsse.envelope_digest(two)
    assert base64.b64encode(b'{"a":1}') in one


@given(st.text(alphabet="AQgw+/=-\n é", max_size=13))
def test_base64_has_the_one_form_that_its_encoder_writes(text: str) -> None:
    canonical = envelope(ONE)
    written = canonical.encode().replace(
        b'"payload":"eyJhIjoxfQ=="', b'"payload":%s' % json.dumps(text).encode()
    )
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        decoded = None
    is_own = decoded is not None and base64.b64encode(decoded).decode() == text

    if is_own:
        assert dsse.Envelope.parse(written).payload == decoded
    else:
        with pytest.raises(dsse.MalformedEnvelopeError):
            dsse.Envelope.parse(written)


def test_a_payload_with_escapes_is_read_in_full() -> None:
    written = envelope(ONE).encode().replace(b'"payload":"eyJh', b'"payload":"\\u0065yJh')

    assert dsse.Envelope.parse(written) == envelope(ONE)
