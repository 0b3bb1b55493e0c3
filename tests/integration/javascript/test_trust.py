"""The page's reader of trust lists: it takes no list that the Python reader refuses."""

import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from environments import ROOT, node
from fakes.notes import key
from fakes.simulator import Simulator
from guildmark.domain import trust
from guildmark.domain.trust import TrustedBlock, TrustFileError

READER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier" / "trust.js"
_SCRIPT = """
import { readFileSync } from "node:fs";
const { inWords, readTrust } = await import(process.argv[1]);
for (const text of JSON.parse(readFileSync(0, "utf-8"))) {
  let said;
  try {
    said = inWords(await readTrust(new TextEncoder().encode(text)));
  } catch (error) {
    said = error.message;
  }
  console.log(JSON.stringify(said));
}
"""
_WITNESS = key("w.example").encode()
Change = Callable[[dict[str, Any]], object]
WRONG: Mapping[str, Change] = {
    "version": lambda it: it.update(version=2),
    "no chain": lambda it: it.pop("chain"),
    "unknown member": lambda it: it.update(everybody=True),
    "chain without class": lambda it: it["chain"].pop("class"),
    "class": lambda it: it["chain"].update({"class": "good"}),
    "genesis": lambda it: it["chain"].update(genesis="0x12"),
    "contract": lambda it: it["chain"]["contracts"].update(mine={}),
    "address": lambda it: it["chain"]["contracts"]["log"].update(address="0xAB"),
    "operators": lambda it: it.update(operators={}),
    "id": lambda it: it["operators"][0].update(id="0x"),
    "name": lambda it: it["operators"][0].update(name=5),
    "party's member": lambda it: it["operators"][0].update(is_good=True),
    "null": lambda it: it.update(issuers=None),
    "party's time": lambda it: it["operators"][0].update({"from": None}),
    "blocks twice": lambda it: it["blocks"].append(it["blocks"][0]),
    "block's hash": lambda it: it["blocks"][0].update(hash="0x00"),
    "block's time": lambda it: it["blocks"][0].update(time=None),
    "quorum": lambda it: it.update(quorum=1),
    "witness": lambda it: it.update(witnesses=[{}], quorum=1),
    "witness's key": lambda it: it.update(witnesses=[{"key": "a+00000000+AAAA"}], quorum=1),
    "witness twice": lambda it: it.update(witnesses=[{"key": _WITNESS}] * 2, quorum=1),
    "witness's time": lambda it: it.update(witnesses=[{"key": _WITNESS, "to": None}], quorum=1),
    "no quorum": lambda it: it.update(witnesses=[{"key": _WITNESS}]),
    "check that is none": lambda it: it.update(policy={"required": [0, 1, 2, 3, 4, 13]}),
    "no essential check": lambda it: it.update(policy={"required": [0, 1, 2, 3]}),
    "checks out of order": lambda it: it.update(policy={"required": [0, 1, 2, 4, 3]}),
    "check twice": lambda it: it.update(policy={"required": [0, 1, 2, 3, 3, 4]}),
    "no list of checks": lambda it: it.update(policy={"required": None}),
    "age": lambda it: it.update(policy={"maxAge": -1}),
    "policy": lambda it: it.update(policy={"all": False}),
}
GOOD: Mapping[str, Change] = {
    "less": lambda it: it.update(policy={"required": [0, 1, 2, 3, 4], "maxAge": 90}),
    "one witness": lambda it: it.update(witnesses=[{"key": _WITNESS}], quorum=1),
}


@pytest.fixture(scope="module")
def said() -> Mapping[str, Any]:
    """Return what the page's reader says of each list: its words, or why it refuses it."""
    texts = {"good": _good(), "no JSON": "{", "no object": "[]"}
    for name, change in {**WRONG, **GOOD}.items():
        value = json.loads(_good())
        change(value)
        texts[name] = json.dumps(value)
    command = [str(node()), "--input-type=module", "-e", _SCRIPT, READER.as_uri()]
    asked = json.dumps(list(texts.values()))
    done = subprocess.run(command, input=asked, check=True, capture_output=True, text=True)
    return dict(zip(texts, map(json.loads, done.stdout.splitlines()), strict=True))


def test_a_list_is_told_in_words_before_it_is_taken(said: Mapping[str, Any]) -> None:
    known = trust.parse(_good().encode())
    words = dict(said["good"])

    assert words["Chain"].startswith(f"number {known.chain.chain_id} ({known.chain.chain_class})")
    assert f"0x{known.operators[0].id.hex()}" in words["May log parts"]
    assert words["May inspect parts in doubt"] == "nobody"
    assert words["Blocks you believe"].startswith("7 0x0101")
    assert words["Witnesses"] == "none"
    numbers = ", ".join(map(str, known.policy.required))
    assert words["Asks for"] == f"checks {numbers}; evidence at most 30 days old"


@pytest.mark.parametrize("name", WRONG)
def test_a_list_that_python_refuses_is_not_taken(said: Mapping[str, Any], name: str) -> None:
    value = json.loads(_good())
    WRONG[name](value)

    assert isinstance(said[name], str)
    with pytest.raises(TrustFileError):
        trust.parse(json.dumps(value).encode())


def test_a_list_may_ask_for_less(said: Mapping[str, Any]) -> None:
    assert dict(said["less"])["Asks for"] == "checks 0, 1, 2, 3, 4; evidence at most 90 seconds old"
    assert dict(said["one witness"])["Witnesses"] == "1 of 1 must agree"


def test_what_is_no_json_object_is_no_list(said: Mapping[str, Any]) -> None:
    assert said["no JSON"] == "The file is no JSON."
    assert said["no object"] == "What stands for trust list is no object."


def _good() -> str:
    listed = Simulator().trust()
    block = TrustedBlock(number=7, hash=type(listed.chain.genesis)(b"\x01" * 32), time=70)
    return trust.serialise(
        trust.Trust(
            version=listed.version, chain=listed.chain, operators=listed.operators, blocks=(block,)
        )
    ).decode()
