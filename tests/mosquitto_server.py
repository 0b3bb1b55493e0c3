"""A real Mosquitto on this machine, with or without a password."""

import getpass
import shutil
import socket
import subprocess
import time
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

_PROGRAM = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
_SETTINGS = """\
listener {port} 127.0.0.1
allow_anonymous {anonymous}
persistence false
user {user}
max_inflight_messages 0
max_queued_messages 0
log_dest stderr
{more}
"""


class Mosquitto:
    """A broker; ``password`` is that of the user ``agent``, where there is one."""

    def __init__(self, folder: Path, password: str | None = None) -> None:
        self.folder, self.password = folder, password
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self) -> None:
        """Start it, again where another process took the port first."""
        for _ in range(5):
            if self._start():
                return
        raise RuntimeError((self.folder / "out.log").read_text()[-2_000:])

    def kill(self) -> None:
        """End it as a power cut does: it keeps nothing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def publish(self, *messages: tuple[str, bytes], quality: int = 1) -> None:
        """Publish as an edge node does, and wait until the broker has it."""
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if self.password is not None:
            client.username_pw_set("agent", self.password)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        for topic, data in messages:
            client.publish(topic, data, qos=quality).wait_for_publish(60)
        client.disconnect()
        client.loop_stop()

    def _start(self) -> bool:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        more = "" if self.password is None else f"password_file {self._users(self.password)}"
        settings = self.folder / "mosquitto.conf"
        anonymous = "true" if self.password is None else "false"
        settings.write_text(
            _SETTINGS.format(port=self.port, anonymous=anonymous, more=more, user=getpass.getuser())
        )
        with (self.folder / "out.log").open("wb") as log:
            self._process = subprocess.Popen(
                [_PROGRAM, "-c", str(settings)], stdout=log, stderr=log
            )
        end = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return True
            time.sleep(0.02)
        self.kill()
        return False

    def _users(self, password: str) -> Path:
        file = self.folder / "users"
        command = [shutil.which("mosquitto_passwd") or "mosquitto_passwd", "-b", "-c"]
        subprocess.run([*command, str(file), "agent", password], check=True, capture_output=True)
        return file
