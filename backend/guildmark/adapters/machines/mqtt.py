"""An MQTT 5 broker's messages, each acknowledged once what it says is stored (extra ``mqtt``)."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from guildmark.ports.shopfloor import MachineUnavailableError

MESSAGE_MAX = 1 << 20
AT_ONCE = 64

_KEEPALIVE = 60
_PATIENCE = 15.0
_MONTH = 30 * 24 * 3600
_STEP = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where a broker is, and as whom it is spoken to.

    Args:
        client: The name of the session: the broker keeps it for a month while nobody is there.
    """

    host: str
    port: int
    client: str
    is_secure: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; only those of quality 1 are acknowledged."""

    topic: str
    payload: bytes
    mid: int
    quality: int


@dataclass(slots=True, kw_only=True)
class Inbox:
    """A session with a broker: what came and was not yet taken out.

    Args:
        broker: The broker.
        topic: What is subscribed to.
        monotonic: Seconds that no jump of the clock disturbs.
    """

    broker: Broker
    topic: str
    monotonic: Callable[[], float] = time.monotonic
    messages: list[Message] = field(default_factory=list, init=False)
    is_new: bool = field(default=False, init=False)
    _client: Client | None = field(default=None, init=False, repr=False)
    _is_ready: bool = field(default=False, init=False)

    def fetch(self) -> None:
        """Take in what the broker has for us.

        Raises:
            MachineUnavailableError: It does not answer, or not to us.
        """
        if self._client is None or not self._client.is_connected():
            self._connect()
        quiet_since = self.monotonic()
        while len(self.messages) < AT_ONCE:
            before = len(self.messages)
            self._turn()
            now = self.monotonic()
            if len(self.messages) > before:
                quiet_since = now
            elif now - quiet_since > 5 * _STEP:
                return

    def take_out(self, count: int) -> None:
        """Acknowledge the oldest messages: what they say is stored."""
        taken, self.messages = self.messages[:count], self.messages[count:]
        for message in taken:
            if self._client is not None and message.quality:
                self._client.ack(message.mid, message.quality)
        if self._client is not None and self._client.is_connected():
            self._client.loop(timeout=0)

    def close(self) -> None:
        """End the connection; the session stays with the broker."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None

    def _turn(self) -> None:
        """Let the connection do what there is to be done.

        Raises:
            MachineUnavailableError: The connection broke.
        """
        if (
            self._client is None
            or self._client.loop(timeout=_STEP) != MQTTErrorCode.MQTT_ERR_SUCCESS
        ):
            self._lose()

    def _connect(self) -> None:
        # Whatever was not acknowledged comes again.
        self.messages = [one for one in self.messages if not one.quality]
        self._is_ready = False
        client = self._client = self._made()
        wanted = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # has no types
        wanted.SessionExpiryInterval = _MONTH
        wanted.MaximumPacketSize = MESSAGE_MAX
        try:
            client.connect(
                self.broker.host,
                self.broker.port,
                keepalive=_KEEPALIVE,
                clean_start=False,
                properties=wanted,
            )
        except OSError as error:
            self._client = None
            message = "The broker does not answer."
            raise MachineUnavailableError(message) from error
        end = self.monotonic() + _PATIENCE
        while not self._is_ready:
            self._turn()
            if self.monotonic() > end:
                self._lose()

    def _made(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, self.broker.client, protocol=MQTTProtocolVersion.MQTTv5
        )
        client.manual_ack_set(True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        if self.broker.user is not None:
            client.username_pw_set(self.broker.user, self.broker.password)
        if self.broker.is_secure:
            client.tls_set_context(ssl.create_default_context())
        return client

    def _lose(self) -> None:
        """Give the connection up.

        Raises:
            MachineUnavailableError: Always.
        """
        self.close()
        message = "The broker does not answer, or does not let us in."
        next_step = "Look at the broker's address, and at user and secret."
        raise MachineUnavailableError(message, next_step=next_step)

    def _on_connect(
        self,
        client: Client,
        _: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        __: Properties | None,
    ) -> None:
        if not reason.is_failure:
            self.is_new = self.is_new or not flags.session_present
            client.subscribe(self.topic, options=SubscribeOptions(qos=1))

    def _on_subscribe(self, *_: object) -> None:
        self._is_ready = True

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        self.messages.append(
            Message(
                topic=message.topic,
                payload=bytes(message.payload),
                mid=message.mid,
                quality=message.qos,
            )
        )
