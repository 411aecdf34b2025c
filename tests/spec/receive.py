# receive.py MODE SOCKET NAME: waits at a new AF_UNIX socket for one connection, and writes what has
# come into files: NAME.data the bytes, NAME.fds one line for each message with its number of
# descriptors, NAME.end when the other side, or the terminal, has closed. Modes:
#
#   console   the descriptor is a terminal: what is written to it goes to NAME.tty
#   notify    it is a seccomp listener: each system call of it is answered with error 77, from the
#             moment on when it has come: not every runtime closes the connection soon
import array
import errno
import fcntl
import os
import select
import socket
import struct
import sys
import threading

mode, path, name = sys.argv[1:4]


def receive(connection):
    """All messages until the end: their bytes, and the descriptors of each."""
    data, fds = b"", []
    while True:
        part, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_LEN(16 * 4))
        got = array.array("i")
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                got.frombytes(value[: len(value) - len(value) % got.itemsize])
        if not part and not got:
            return data, fds
        data += part
        if mode == "notify" and got and not any(fds):
            threading.Thread(target=answer, args=(got[0],)).start()
        fds.append(list(got))
        if mode == "console":
            return data, fds


def copy_terminal(fd):
    with open(name + ".tty", "wb", buffering=0) as out:
        while True:
            try:
                part = os.read(fd, 4096)
            except OSError:
                return
            if not part:
                return
            out.write(part)


def answer(fd):
    """SECCOMP_IOCTL_NOTIF_RECV and _SEND: struct seccomp_notif has 80 bytes, the answer 24. Ends
    when no process has the filter any more."""
    asked = select.poll()
    asked.register(fd, select.POLLIN)
    while not asked.poll()[0][1] & (select.POLLHUP | select.POLLERR):
        request = bytearray(80)
        try:
            fcntl.ioctl(fd, 0xC0502100, request, True)
            reply = struct.pack("<QqiI", struct.unpack_from("<Q", request)[0], 0, -77, 0)
            fcntl.ioctl(fd, 0xC0182101, bytearray(reply), True)
        except OSError as error:
            # Who has asked may be gone, or was interrupted and asks again.
            if error.errno not in (errno.ENOENT, errno.EINTR):
                return


listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
# The name is there when it can be connected to, not between bind and listen.
listener.bind(path + ".new")
listener.listen(8)
os.rename(path + ".new", path)
connection, _ = listener.accept()
data, fds = receive(connection)
with open(name + ".fds", "w", encoding="ascii") as file:
    file.writelines(f"{len(got)}\n" for got in fds)
with open(name + ".data", "wb") as file:
    file.write(data)
first = [fd for got in fds for fd in got]
if mode == "console" and first:
    copy_terminal(first[0])
with open(name + ".end", "w", encoding="ascii") as file:
    file.write("closed\n")
