"""A customer with nothing but the command line: whom he trusts, and what he finds."""

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.making import Part
from demo.scene import Scene
from demo.showing import bundle_path
from demo.stage import StageError, write
from guildmark.adapters.peers.client import NodeClient
from guildmark.domain import bundle
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import to_hex
from guildmark.domain.verification.evidence import Evidence

OVER_NODE, FROM_BUNDLE = "over the other node", "from its bundle, offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What ``guildmark verify`` answered, and with which exit code it ended."""

    of: str
    way: str
    exit: int
    answer: dict[str, Any]

    @property
    def failed(self) -> Sequence[dict[str, Any]]:
        """Return the failed checks, the lowest first."""
        failed: Sequence[dict[str, Any]] = self.answer.get("failed", [])
        return failed

    @property
    def checks(self) -> Sequence[dict[str, Any]]:
        """Return number and state of each check."""
        return [
            {"check": check["check"], "state": check["state"]}
            for check in self.answer.get("checks", [])
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Verifies with the installed command, in a process of its own."""

    scene: Scene

    @property
    def trust(self) -> Path:
        """Return the customer's own trust file."""
        return self.scene.stage.folder / "trust.json"

    def choose_whom_to_trust(self) -> None:
        """Pin the chain over his own node; accept two operators and one issuer and evaluator."""
        pin = self.scene.designer.home.ledger.pin()
        operators = [
            word
            for operator in self.scene.operators
            for word in ("--operator", to_hex(operator.party.id))
        ]
        self._succeed(
            *("trust", "init", "--rpc", self.scene.casting.chain.url),
            *("--directory", to_hex(pin.contracts[ContractName.DIRECTORY].address)),
            *(*operators, "--issuer", to_hex(self.scene.authority.id)),
            *("--authority", to_hex(self.scene.authority.id)),
            *("--trust", str(self.trust)),
        )

    def believe_newest_block(self) -> int:
        """Believe the newest final block as his own node shows it, and return its number."""
        answer = self._succeed(
            *("trust", "close", "--rpc", self.scene.casting.chain.url),
            *("--trust", str(self.trust), "--json"),
        )
        return int(json.loads(answer)["number"])

    def verify_both_ways(self, parts: Sequence[Part], *, block: int) -> Sequence[Verdict]:
        """Verify parts over the node that did not log them, and from their bundles offline."""
        with ThreadPoolExecutor(max_workers=3) as pool:
            over_nodes = pool.map(lambda part: self._over_other_node(part, block), parts)
            bundles = pool.map(
                lambda part: self.verify_file(part.hint, bundle_path(self.scene, part)), parts
            )
            return [*over_nodes, *bundles]

    def verify_over_own_node(self, part: Part, *, block: int) -> Verdict:
        """Verify a part over the node that logged it."""
        return self._over(self.scene.node_of(part.workshop.operator), part, block)

    def activate(self, part: Part, *, node: str, code: Path) -> int:
        """Claim a part by the code under its scratch field; return the exit code."""
        out = code.with_name("claim.json")
        words = (part.hint, "--node", node, "--code", str(code), "--out", str(out))
        return _run("part", "activate", *words).returncode

    def verify_bad(self, shown: Sequence[tuple[str, Evidence]]) -> Sequence[Verdict]:
        """Verify what a rogue shows."""
        folder = self.scene.stage.folder / "bad"
        for case, evidence in shown:
            write(folder / f"{case}.zip", bundle.write(evidence))
        with ThreadPoolExecutor(max_workers=3) as pool:
            cases = [case for case, _ in shown]
            return list(
                pool.map(lambda case: self.verify_file(case, folder / f"{case}.zip"), cases)
            )

    def verify_file(self, of: str, path: Path) -> Verdict:
        """Verify a bundle without any connection."""
        return self._verify(of, FROM_BUNDLE, str(path), "--offline")

    def _over_other_node(self, part: Part, block: int) -> Verdict:
        return self._over(self.scene.other_node(part.workshop.operator), part, block)

    def _over(self, node: NodeClient, part: Part, block: int) -> Verdict:
        asked = (part.hint, "--node", node.url, "--at", str(block))
        return self._verify(part.hint, OVER_NODE, *asked)

    def _verify(self, of: str, way: str, *words: str) -> Verdict:
        done = _run("verify", *words, "--trust", str(self.trust), "--json")
        try:
            answer = json.loads(done.stdout)
        except ValueError as exc:
            message = f"`guildmark verify {' '.join(words)}` gave no JSON: {done.stderr}"
            raise StageError(message) from exc
        return Verdict(of=of, way=way, exit=done.returncode, answer=answer)

    def _succeed(self, *words: str) -> str:
        done = _run(*words)
        if done.returncode:
            message = f"`guildmark {' '.join(words[:2])}` ended with {done.stderr}"
            raise StageError(message)
        return done.stdout


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guildmark", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
