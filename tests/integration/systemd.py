"""A bus with a systemd of one's own on it, for ../integration/systemd.bats: it makes and ends scopes
in the machine's cgroup2 tree as the real one does, and fails as it is told.

    systemd.py SOCKET CGROUP2 CALLS [WAY...]

Each call's name and first text goes to the file CALLS. The ways:
    /A.slice/B.scope  there is such a unit, which runs
    mute              StartTransientUnit gets no answer
    refuse            SetUnitProperties fails
"""
import os
import signal
import socket
import struct
import sys
import threading
import time

BUS, UNIT, SCOPE = ("org.freedesktop.systemd1" + s for s in ("", ".Unit", ".Scope"))
JOB = "/org/freedesktop/systemd1/job/1"
path, root, calls, *ways = sys.argv[1:]
units = {way.rsplit("/", 1)[1]: way for way in ways if way.startswith("/")}
made = set()  # of those: by a call
lock = threading.Lock()  # of both


def pad(data, n):
    return data + bytes(-len(data) % n)


def text(s):
    return struct.pack("<I", len(s)) + s.encode() + b"\0"


def field(code, kind, value):
    body = text(value) if kind != "u" else struct.pack("<I", value)
    return bytes((code, 1)) + kind.encode() + b"\0" + body


def message(kind, fields, signature, body):
    data = b""
    for f in fields:
        data = pad(data, 8) + f
    if signature:
        data = pad(data, 8) + bytes((8, 1)) + b"g\0" + bytes((len(signature),)) + signature.encode() + b"\0"
    head = struct.pack("<cBBBIII", b"l", kind, 1, 1, len(body), 7, len(data)) + data
    return pad(head, 8) + body


def answer(serial, signature="", body=b""):
    return message(2, [field(5, "u", serial), field(6, "s", ":1.5"), field(7, "s", ":1.1")], signature, body)


def failure(serial, name, words):
    fields = [field(4, "s", name), field(5, "u", serial), field(6, "s", ":1.5"), field(7, "s", ":1.1")]
    return message(3, fields, "s", text(words))


def job_removed(unit):
    fields = [field(1, "o", "/org/freedesktop/systemd1"), field(2, "s", BUS + ".Manager"),
              field(3, "s", "JobRemoved"), field(7, "s", ":1.1")]
    body = struct.pack("<I", 1) + text(JOB)
    return message(4, fields, "uoss", pad(pad(body, 4) + text(unit), 4) + text("done"))


def variant(s):
    return b"\1s\0" + pad(b"\0" * 3, 4)[3:] + text(s)


def start(unit, body):
    at = body.index(b"PIDs\0") + 5 + 4  # and the signature "au"
    pid = struct.unpack_from("<I", body, at + -at % 4 + 4)[0]
    at = body.index(b"Slice\0") + 6 + 3
    at += -at % 4
    name = body[at + 4:at + 4 + struct.unpack_from("<I", body, at)[0]].decode()
    units[unit] = "/" + name + "/" + unit
    os.makedirs(root + units[unit], exist_ok=True)
    with open(root + units[unit] + "/cgroup.procs", "w", encoding="ascii") as f:
        f.write(str(pid))
    made.add(unit)


def forget_gone():
    """A unit goes with its cgroup, whoever has removed that."""
    for unit in [u for u in made if not os.path.isdir(root + units[u])]:
        made.remove(unit)
        units.pop(unit)


def stop(unit):
    cgroup = root + units.pop(unit)
    made.discard(unit)
    for _ in range(100):
        try:
            with open(cgroup + "/cgroup.procs", encoding="ascii") as f:
                for pid in f.read().split():
                    os.kill(int(pid), signal.SIGKILL)
            os.rmdir(cgroup)
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)


def property_of(unit, name):
    if name == "Version":
        return "252"
    if name == "ActiveState":
        return "active"
    return units.get(unit, "")


def serve(serial, member, object_path, body):
    words = body[4:4 + struct.unpack_from("<I", body)[0]].decode() if len(body) > 4 else ""
    with open(calls, "a", encoding="ascii") as f:
        f.write(f"{member} {words}\n")
    if member == "Hello":
        return answer(serial, "s", text(":1.5"))
    if member == "Get":
        at = 4 + len(words) + 1
        at += -at % 4
        name = body[at + 4:-1].decode()
        unit = next((u for u in units if object_path.endswith(u.replace("-", "_").replace(".", "_"))), "")
        return answer(serial, "v", variant(property_of(unit, name)))
    if member == "GetUnit":
        if words not in units:
            return failure(serial, BUS + ".NoSuchUnit", "Unit not loaded.")
        return answer(serial, "o", text("/org/freedesktop/systemd1/unit/" + words.replace("-", "_").replace(".", "_")))
    if member == "StartTransientUnit":
        if "mute" in ways:
            lock.release()
            time.sleep(3600)
        if words in units:
            return failure(serial, BUS + ".UnitExists", "Unit was already loaded.")
        start(words, body)
        return answer(serial, "o", text(JOB)) + job_removed(words)
    if member == "StopUnit":
        if words not in units:
            return failure(serial, BUS + ".NoSuchUnit", "Unit not loaded.")
        stop(words)
        return answer(serial, "o", text(JOB)) + job_removed(words)
    if member == "SetUnitProperties" and "refuse" in ways:
        return failure(serial, "org.freedesktop.DBus.Error.AccessDenied", "Access denied")
    return answer(serial)


def read(stream, n):
    data = stream.read(n)
    if len(data) < n:
        raise EOFError
    return data


def fields_of(data):
    at, found = 0, {}
    while at < len(data):
        at += -at % 8
        code, kind = data[at], chr(data[at + 2])
        at += 4
        if kind == "g":
            at += data[at] + 2
            continue
        at += -at % 4
        size = struct.unpack_from("<I", data, at)[0]
        if kind == "u":
            at += 4
            continue
        found[code] = data[at + 4:at + 4 + size].decode()
        at += 4 + size + 1
    return found


def converse(connection):
    try:
        talk(connection)
    except (EOFError, ConnectionError):
        pass
    finally:
        connection.close()


def talk(connection):
    stream = connection.makefile("rb")
    read(stream, 1)
    for line in stream:
        word = line.strip().split(b" ")
        if word[0] == b"BEGIN":
            break
        reply = {b"AUTH": b"OK 0123456789abcdef0123456789abcdef", b"DATA": b"OK 0123456789abcdef0123456789abcdef",
                 b"NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD"}[word[0]]
        if word == [b"AUTH", b"EXTERNAL"]:
            reply = b"DATA"
        connection.sendall(reply + b"\r\n")
    while True:
        _, kind, _, _, size, serial, n = struct.unpack("<cBBBIII", read(stream, 16))
        fields = fields_of(read(stream, n))
        read(stream, -(16 + n) % 8)
        body = read(stream, size)
        if kind == 1:
            member = fields[3]
            with lock:
                forget_gone()
                reply = serve(serial, member, fields[1], body)
            connection.sendall(reply)


server = socket.socket(socket.AF_UNIX)
# The name is there when it can be connected to, not between bind and listen.
server.bind(path + ".new")
server.listen(8)
os.rename(path + ".new", path)
while True:
    client, _ = server.accept()
    threading.Thread(target=converse, args=(client,), daemon=True).start()
