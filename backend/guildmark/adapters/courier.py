"""Letters over HTTP: to public addresses alone, each name resolved once, no redirects followed."""

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from urllib.parse import urlsplit

from guildmark.adapters.addresses import split_url
from guildmark.ports.letters import (
    AddressForbiddenError,
    AddressGoneError,
    UndeliveredError,
    WatchAddressError,
)

SECONDS = 30.0
"""How long a try may take, however the receiver spreads its answer."""

URL_MAX = 2_000

_STEP = 10.0
_IPV4_SIZE = 4
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052."""
_PORTS = {"http": 80, "https": 443}
_CONTENT = {"Content-Type": "application/json", "User-Agent": "guildmark"}


def _resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCourier:
    """Sends letters; fulfils ``Courier``.

    Args:
        resolve: Returns the addresses of a name.
        trusted: Whose certificates count; None: the system's.
        seconds: How long a try may take.
    """

    resolve: Callable[[str, int], Sequence[str]] = _resolve
    trusted: ssl.SSLContext | None = None
    seconds: float = SECONDS

    def check(self, url: str) -> None:
        """Check that letters can be sent to an address."""
        parts = split_url(url)
        is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= URL_MAX
        if parts is None or not is_plain or not parts.hostname or parts.fragment:
            raise _refused("no address of a server")
        if parts.username is not None or parts.password is not None:
            raise _refused("an address with a user in it")
        is_own = parts.scheme == "http" and _is_loopback(parts.hostname)
        if parts.scheme != "https" and not is_own:
            raise _refused("neither https nor of this machine")

    def deliver(
        self, url: str, body: bytes, headers: Mapping[str, str], *, allows_private: bool
    ) -> None:
        """Send a letter; it was taken where this returns."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        address = self._address(host, port, parts.scheme, allows_private=allows_private)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line = self._line(parts.scheme, host, port, address)
        status = self._status(line, path, body, {**_CONTENT, **headers})
        if status == HTTPStatus.GONE:
            message = "The receiver wants no more letters."
            raise AddressGoneError(message)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            message = f"The receiver answered {status}."
            raise UndeliveredError(message, status=status)

    def _address(self, host: str, port: int, scheme: str, *, allows_private: bool) -> str:
        """Return the address that is connected to: nobody resolves the name a second time."""
        try:
            found = [ip_address(one) for one in self.resolve(host, port)]
        except (OSError, ValueError) as error:
            message = "The receiver's name leads to no address."
            raise AddressForbiddenError(message) from error
        is_own = scheme == "http" or _is_loopback(host)
        # One forbidden address among several is enough: which one is used is the name's choice.
        if not found or not all(_may(one, is_own, allows_private) for one in found):
            message = "The receiver's name leads to an address that letters are not sent to."
            raise AddressForbiddenError(message)
        return str(found[0])

    def _line(self, scheme: str, host: str, port: int, address: str) -> HTTPConnection:
        if scheme == "http":
            line = HTTPConnection(host, port, timeout=_STEP)
        else:
            line = HTTPSConnection(host, port, timeout=_STEP)
        line.sock = None
        try:
            plain = socket.create_connection((address, port), timeout=min(_STEP, self.seconds))
        except OSError as error:
            raise _unreachable(error) from error
        if scheme == "http":
            line.sock = plain
            return line
        context = self.trusted or ssl.create_default_context()
        try:
            line.sock = context.wrap_socket(plain, server_hostname=host)
        except OSError as error:
            plain.close()
            raise _unreachable(error) from error
        return line

    def _status(
        self, line: HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]
    ) -> int:
        """Return what the receiver answers; its body is of no interest, and not read."""
        held: socket.socket = line.sock
        end = Timer(self.seconds, _hang_up, [held])
        end.daemon = True
        end.start()
        try:
            line.request("POST", path, body=body, headers=dict(headers))
            return line.getresponse().status
        except (OSError, HTTPException, ValueError) as error:
            raise _unreachable(error) from error
        finally:
            end.cancel()
            line.close()


def _may(address: IPv4Address | IPv6Address, is_own: bool, allows_private: bool) -> bool:
    real = _within(address)
    if is_own:
        return bool(real.is_loopback)
    if allows_private:
        return not (real.is_multicast or real.is_unspecified or real.is_link_local)
    return bool(real.is_global) and not real.is_multicast


def _within(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the address of IPv4 that one of IPv6 stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-_IPV4_SIZE:])
    return address.ipv4_mapped or address.sixtofour or address


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It has ended by itself.
        return


def _unreachable(error: Exception) -> UndeliveredError:
    # The kind of failure alone: addresses stay out of logs.
    message = f"The receiver does not answer ({type(error).__name__})."
    return UndeliveredError(message)


def _is_loopback(host: str) -> bool:
    """Return whether a host is written as this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(reason: str) -> WatchAddressError:
    # An address may hold a secret: it is not repeated.
    return WatchAddressError(f"It is {reason}.")
