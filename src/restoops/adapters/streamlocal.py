"""Open a Unix socket on the host through SSH itself, without starting a program there.

https://github.com/openssh/openssh-portable/blob/V_9_9_P1/PROTOCOL, section 2.4. paramiko has
no call for this kind of channel, so its own way of opening one is followed here, step by step
(`Transport.open_channel`, paramiko 3.5 to 5.1). Where that does not work, or the host forbids
forwarding, there is `docker system dial-stdio`.
"""

from __future__ import annotations

import threading
import time

import paramiko
from paramiko.common import cMSG_CHANNEL_OPEN
from paramiko.message import Message


def open_streamlocal(
    transport: paramiko.Transport, path: str, timeout_s: float
) -> paramiko.Channel:
    """Return a channel that is connected to the Unix socket at `path` on the host.

    Raises:
        paramiko.ChannelException: refused; code 1 means that the host forbids it, code 2 that
            nothing listens there.
        paramiko.SSHException: the connection was lost, or no answer came within `timeout_s`.
    """
    with transport.lock:
        window = transport._sanitize_window_size(None)  # type: ignore[attr-defined]
        packet = transport._sanitize_packet_size(None)  # type: ignore[attr-defined]
        number = transport._next_channel()  # type: ignore[attr-defined]
        message = Message()
        message.add_byte(cMSG_CHANNEL_OPEN)
        message.add_string("direct-streamlocal@openssh.com")
        for value in (number, window, packet):
            message.add_int(value)
        message.add_string(path)
        message.add_string("")  # reserved
        message.add_int(0)  # reserved
        channel = paramiko.Channel(number)
        transport._channels.put(number, channel)  # type: ignore[attr-defined]
        answered = transport.channel_events[number] = threading.Event()
        transport.channels_seen[number] = True
        channel._set_transport(transport)  # type: ignore[attr-defined]
        channel._set_window(window, packet)  # type: ignore[attr-defined]
    transport._send_user_message(message)  # type: ignore[attr-defined]
    _await(transport, answered, timeout_s)
    if transport._channels.get(number) is None:  # type: ignore[attr-defined]
        raise transport.get_exception() or paramiko.SSHException("the channel was refused")
    return channel


def _await(transport: paramiko.Transport, answered: threading.Event, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not answered.wait(0.1):
        if not transport.is_active():
            raise transport.get_exception() or paramiko.SSHException("the connection was lost")
        if time.monotonic() > end:
            raise paramiko.SSHException("timed out opening a channel")
