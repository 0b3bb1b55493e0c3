"""The page's reader of a node's answers: which addresses are asked, and which answers count."""

import json
import subprocess
from typing import Any

import pytest

from environments import ROOT, node

READER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier" / "sighting.js"
_SCRIPT = """
import { readFileSync } from "node:fs";
const { isBare, readAddress, understood } = await import(process.argv[1]);
const given = JSON.parse(readFileSync(0, "utf-8"));
const bytes = (value) => new TextEncoder().encode(
  typeof value === "string" ? value : JSON.stringify(value));
const said = (found) => {
  try {
    return found();
  } catch (error) {
    return error.constructor.name === "Malformed" ? null : String(error);
  }
};
const told = ({ newest, sighting }) => (
  { newest: newest === null ? null : Number(newest), sighting });
console.log(JSON.stringify(given.addresses !== undefined
  ? given.addresses.map((text) => said(() => [readAddress(text), isBare(readAddress(text))]))
  : given.answers.map((each) => said(() => told(understood(each.map(bytes), 7n))))));
"""
GENESIS, HASH = "0x" + "01" * 32, "0x" + "07" * 32


def asked(given: Any) -> list[Any]:
    command = [str(node()), "--input-type=module", "-e", _SCRIPT, READER.as_uri()]
    done = subprocess.run(
        command, input=json.dumps(given), check=True, capture_output=True, text=True
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def result(value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": value}


def block(number: int, digest: str, **more: Any) -> dict[str, Any]:
    return result({"number": hex(number), "hash": digest, **more})


SOUND = (
    result("0x7a69"),
    block(0, GENESIS),
    block(7, HASH, transactions=[]),
    block(9, "0x" + "09" * 32),
)


def changed(at: int, answer: Any) -> list[Any]:
    return [answer if number == at else one for number, one in enumerate(SOUND)]


def test_https_anywhere_and_http_on_this_machine_are_addresses() -> None:
    long = "https://rpc.example.org/" + "a" * 2024

    taken = asked(
        {
            "addresses": [
                "https://rpc.example.org",
                "https://rpc.example.org:8545/v3/key?a=b",
                "http://localhost:8545",
                "http://127.0.0.1",
                "https://rpc.example.org/?key",
                long,
            ]
        }
    )
    refused = asked(
        {
            "addresses": [
                "",
                "rpc.example.org",
                "http://rpc.example.org",
                "http://localhost.example.org",
                "http://127.0.0.2",
                "ws://localhost",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "https://a@rpc.example.org",
                "https://:b@rpc.example.org",
                "https://rpc.example.org/#key",
                long + "a",
            ]
        }
    )

    assert taken == [
        ["https://rpc.example.org/", True],
        ["https://rpc.example.org:8545/v3/key?a=b", False],
        ["http://localhost:8545/", True],
        ["http://127.0.0.1/", True],
        ["https://rpc.example.org/?key", False],
        [long, False],
    ]
    assert refused == [None] * 12


def test_a_nodes_answers_say_what_it_has() -> None:
    sighting = {"isReached": True, "hash": HASH, "isFinal": True, "chain": [31337, GENESIS]}

    found = asked(
        {
            "answers": [
                SOUND,
                changed(2, result(None)),
                changed(3, result(None)),
                changed(3, block(7, HASH)),
                changed(3, block(6, HASH)),
            ]
        }
    )

    assert found == [
        {"newest": 9, "sighting": sighting},
        {"newest": 9, "sighting": {**sighting, "hash": None}},
        {"newest": None, "sighting": {**sighting, "isFinal": False}},
        {"newest": 7, "sighting": sighting},
        {"newest": 6, "sighting": {**sighting, "isFinal": False}},
    ]


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        (0, "<html>"),
        (0, []),
        (0, {"id": 1}),
        (0, {**result("0x1"), "error": {"code": -32601}}),
        (0, result(31337)),
        (0, result("31337")),
        (0, result("0x" + "f" * 16)),
        (0, result("0x" + "f" * 17)),
        (1, result(None)),
        (1, block(1, GENESIS)),
        (1, result("0x")),
        (2, block(8, HASH)),
        (2, block(7, "0x0707")),
        (2, block(7, HASH.upper())),
        (2, result([])),
        (3, result({"number": "latest", "hash": HASH})),
        (3, result({"number": "0x9"})),
    ],
)
def test_what_no_node_of_a_chain_says_is_refused(at: int, answer: Any) -> None:
    assert asked({"answers": [changed(at, answer)]}) == [None]
