"""An agent put together from ports and adapters; unlike a node it needs no chain and no web3."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.adapters.fieldwork.database import AgentDatabase
from guildmark.adapters.fieldwork.sealing import FileSealer
from guildmark.adapters.fieldwork.settings import BY_HAND, AgentSettings, Watch
from guildmark.adapters.keys.devices import pin_file
from guildmark.adapters.keys.keystore import FileKeyStore, is_uri, password_from
from guildmark.adapters.machines.registry import machine_source, refused_reports
from guildmark.adapters.machines.secrets import SecretFiles
from guildmark.adapters.peers.client import NodeClient
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.shopfloor.jobs import Observation, RefusedReports
from guildmark.ports.keys import KeyName
from guildmark.ports.shopfloor import Machine, MachineUnavailableError
from guildmark.services.builds.builds import Builds
from guildmark.services.shopfloor.attesting import Attesting
from guildmark.services.shopfloor.sending import Sending
from guildmark.services.shopfloor.storing import Storing
from guildmark.services.shopfloor.watching import Watching

SECRETS = "secrets"


@dataclass(frozen=True, slots=True)
class ByHand:
    """A machine that tells nothing by itself: people report its jobs."""

    def poll(self, cursor: bytes) -> Observation:
        """Return nothing new."""
        return Observation.nothing(cursor)

    def close(self) -> None:
        """Hold nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent's home, opened: its use cases over one database, one node and its keys."""

    settings: AgentSettings
    keys: FileKeyStore
    store: AgentDatabase
    node: NodeClient
    clock: SystemClock
    watching: Watching
    attesting: Attesting
    sending: Sending
    storing: Storing

    def open_key_files(self) -> None:
        """Open the machines' keys that are files; what does not open is told when it has to sign.

        Opening takes more memory than all other work: done first, it takes it while little is held.
        Devices are asked when they sign: they count wrong PINs.
        """
        for name in {KeyName(watch.post.key) for watch in self.settings.watches}:
            if not is_uri(name):
                with suppress(GuildmarkError, MemoryError):
                    self.keys.open(name)

    def source(self, watch: Watch) -> Machine:
        """Return what reports a machine's jobs.

        Raises:
            MachineKindError: Nobody knows its kind.
            MachineAddressError: Its address cannot be one.
            MachineSecretError: Its secret cannot be read.
        """
        if watch.source == BY_HAND:
            return ByHand()
        return machine_source(watch.source, SecretFiles(folder=self.settings.home / SECRETS))

    def refused_reports(self, watch: Watch) -> Sequence[RefusedReports]:
        """Return what lies refused of a machine's reports and of its measuring machine's.

        A folder that cannot be read is told of where it is polled.
        """
        found = []
        for one in (watch, watch.gauge):
            with suppress(MachineUnavailableError):
                found.append(None if one is None else refused_reports(one.source))
        return [one for one in found if one is not None]

    def close(self) -> None:
        """Let go of database and connections."""
        self.store.close()
        self.node.__exit__(None, None, None)


def open_agent(settings: AgentSettings, environment: Mapping[str, str]) -> Agent:
    """Open an agent's home; no network is touched, and no key.

    Raises:
        AgentStoreUnreadableError: Its database cannot be used.
    """
    clock, entropy = SystemClock(), SystemEntropy()
    keys = FileKeyStore(
        settings.keys,
        password=password_from(settings.keys, environment),
        pin=pin_file(environment),
    )
    store = AgentDatabase(settings.database)
    node = NodeClient(settings.node)
    builds = Builds(keys=keys, entropy=entropy, shown=settings.shown)
    return Agent(
        settings=settings,
        keys=keys,
        store=store,
        node=node,
        clock=clock,
        watching=Watching(store=store, clock=clock, entropy=entropy),
        attesting=Attesting(store=store, builds=builds, clock=clock),
        sending=Sending(store=store, node=node, keys=keys, clock=clock),
        storing=Storing(
            store=store, node=node, sealer=FileSealer(entropy=entropy), entropy=entropy
        ),
    )
