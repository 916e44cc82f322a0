"""The candidate's side of the wire, in the NumPy and PyTorch lanes.

One worker imports the lane's library once, then forks a child for every
submission; the child confines itself, loads the submission and answers batches
of records, as harness.c does for the C lane.

    parent -> worker   a record {verb "run", id, file, source, call, forbidden, confine} with two
                       descriptors (the child's channel, its standard output), or {verb "kill", id}
    worker -> parent   {event "ended", id, status, cpu_ms, memory_bytes, limit} for every child

The parent's seeds, expected values and tolerances never come here.
"""

import array
import contextlib
import ctypes
import linecache
import os
import re
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
import types

import numpy as np

LANE = sys.argv[1]
CONFINE = sys.argv[2]
if LANE == "torch":
    import torch
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    torch.set_num_threads(1)

CONTROL = 3
DTYPES = [np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_]
OUTPUT_KINDS = {"f": None, "i": np.int64, "u": np.int64, "b": np.bool_}


# ---- records (record.h has the layout) ----


def encode(fields):
    parts, size = [], 0

    def add(data):
        nonlocal size
        parts.append(data)
        size += len(data)

    def pad():
        add(b"\0" * (-size % 8))

    for name, value in fields.items():
        if isinstance(value, str):
            value = value.encode("utf-8", "replace")
        if isinstance(value, bytes):
            value = np.frombuffer(value, np.uint8)
        value = np.asarray(value)
        code = next(i for i, dtype in enumerate(DTYPES) if value.dtype == dtype)
        add(struct.pack("<BBB", code, value.ndim, len(name)) + name.encode())
        pad()
        add(struct.pack("<%dq" % value.ndim, *value.shape))
        add(value.tobytes())
        pad()
    return b"LCXR" + struct.pack("<IQ", len(fields), size) + b"".join(parts)


def decode(message):
    (count,) = struct.unpack_from("<I", message, 4)
    fields, at = {}, 16
    for _ in range(count):
        code, ndim, size = struct.unpack_from("<BBB", message, at)
        name = message[at + 3 : at + 3 + size].decode()
        at = (at + 3 + size + 7) & ~7
        shape = struct.unpack_from("<%dq" % ndim, message, at)
        at += 8 * ndim
        items = 1
        for dim in shape:
            items *= dim
        data = np.frombuffer(message, DTYPES[code], items, at).reshape(shape).copy()
        fields[name] = data
        at = (at + data.nbytes + 7) & ~7
    return fields


def receive_exactly(sock, size):
    data = bytearray(size)
    view = memoryview(data)
    while size:
        got = sock.recv_into(view, size)
        if got == 0:
            raise EOFError
        view = view[got:]
        size -= got
    return bytes(data)


def receive(sock):
    head = receive_exactly(sock, 16)
    (size,) = struct.unpack_from("<Q", head, 8)
    return decode(head + receive_exactly(sock, size))


# ---- one submission, in its own process ----


class Contract(Exception):
    """The submission broke the task's contract; the text says how."""


class Forbidden(Exception):
    """The submission used what the task asks it to write itself."""


def resolved(path):
    """The owner, the last name and what stands there; None when this library lacks it."""
    parts = path.split(".")
    try:
        owner = __import__(parts[0])
        for part in parts[1:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1], getattr(owner, parts[-1])
    except (ImportError, AttributeError):
        return None


def forbid_names(paths, tell):
    """Make the use of dotted names fail while running, and of every alias of theirs that a module
    of the library has."""

    def refusal(path):
        def refuse(*args, **kwargs):
            tell(path)
            raise Forbidden(path)

        return refuse

    refusals = {}
    for path in paths:
        found = resolved(path)
        if found is None or path.startswith("torch.ops."):  # operators are the modes' affair
            continue
        owner, name, target = found
        if isinstance(target, type):
            target.__init__ = refusal(path)
        else:
            refusals[id(target)] = target, refusal(path)
            setattr(owner, name, refusals[id(target)][1])
    for name, module in list(sys.modules.items()) if refusals else []:
        if name.partition(".")[0] not in ("numpy", "torch"):
            continue
        for key, value in list(vars(module).items()):
            if id(value) in refusals and refusals[id(value)][0] is value:
                setattr(module, key, refusals[id(value)][1])


# What PyTorch's operators are called inside; an operator that contains others has their words too.
CONTAINED = {
    "_transformer_encoder_layer_fwd": "_scaled_dot_product_multi_head_attention_layer_norm",
    "_transformer_decoder_only_layer_fwd": "_scaled_dot_product_multi_head_attention_layer_norm",
}
DIFFERENTIATION = ("torch.autograd.", "torch.func.", "torch.utils.checkpoint.", "torch.Tensor.backward")
HOOKS = (
    "torch.autograd.graph.saved_tensors_hooks",
    "torch.autograd.graph.save_on_cpu",
    "torch._C._autograd._push_saved_tensors_default_hooks",
    "torch._C._autograd._pop_saved_tensors_default_hooks",
)


def words_of(name):
    """LayerNorm, native_layer_norm, layer_norm_: layer, norm."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    drop = ("", "native", "forward", "backward")
    return [word for word in name.split("_") if word not in drop]


def operator_patterns(paths):
    """The forbidden operators as lists of words."""
    paths = [path for path in paths if not path.startswith(DIFFERENTIATION)]
    return [list(x) for x in {tuple(words_of(path.rpartition(".")[2])) for path in paths}]


def is_forbidden(name, patterns):
    """Whether an operator has all the words of a pattern, in order: layer_norm is in
    native_layer_norm_backward, scaled_dot_product_attention in
    _scaled_dot_product_flash_attention_for_cpu."""
    for pattern in patterns:
        words = iter(words_of(CONTAINED.get(name, name)))
        if all(word in words for word in pattern):
            return True
    return False


def torch_modes(paths, tell):
    """Two modes that see every operator, whatever name or path reached it: one as PyTorch's own
    functions are called, one as the dispatcher runs what they are made of. And from now on,
    where differentiation is forbidden, a backward pass fails when it asks for what was saved."""
    patterns, known = operator_patterns(paths), {}
    differentiation = any(path.startswith(DIFFERENTIATION) for path in paths)

    def look(name):
        if name not in known:
            forward_mode = differentiation and name == "_make_dual"
            known[name] = forward_mode or is_forbidden(name, patterns)
        if known[name]:
            tell("torch." + name)
            raise Forbidden("torch." + name)

    class Called(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            look(getattr(function, "__name__", "").partition(".")[0])
            return function(*args, **(kwargs or {}))

    class Dispatched(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            look(str(function).split(".")[1])
            return function(*args, **(kwargs or {}))

    def asked_back(saved):
        tell("torch.autograd")
        raise Forbidden("torch.autograd")

    if differentiation:
        torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, asked_back).__enter__()
        forbid_names(HOOKS, tell)

    @contextlib.contextmanager
    def watched():
        with Dispatched(), Called():
            yield

    return watched


def where(error, file):
    """The last place inside the candidate's own file, as `file line N: `."""
    line = None
    if isinstance(error, SyntaxError) and error.filename == file:
        line = error.lineno
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == file:
            line = frame.lineno
    return "%s line %d: " % (file, line) if line else ""


def describe(error, file):
    return "%s%s: %s" % (where(error, file), type(error).__name__, error)


def load(source, call_source, file):
    solution = types.ModuleType(file[:-3])
    solution.__file__ = file
    sys.modules[solution.__name__] = solution
    text = source.decode("utf-8", "replace")
    linecache.cache[file] = (len(source), None, text.splitlines(True), file)
    exec(compile(source, file, "exec"), solution.__dict__)

    glue = types.ModuleType("call")
    exec(compile(call_source, "call.py", "exec"), glue.__dict__)
    for name, arguments in glue.CALLABLES.items():
        function = getattr(solution, name, None)
        if not callable(function):
            raise Contract("%s does not define %s" % (file, name))
        check_arity(function, name, arguments)
    return solution, glue


def check_arity(function, name, arguments):
    import inspect

    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*range(arguments))
    except TypeError:
        raise Contract(
            "%s%s cannot be called with %d arguments" % (name, signature, arguments)
        ) from None


def for_lane(value):
    if value.ndim == 0:
        return value.item()
    return torch.from_numpy(value) if LANE == "torch" else value


def packed(name, value):
    """What the submission returned, as an array that may travel."""
    if isinstance(value, bytes):
        return np.frombuffer(value, np.uint8)
    if LANE == "torch" and isinstance(value, torch.Tensor):
        value = value.detach()
        value = value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
        value = value.cpu().contiguous().numpy()
    elif isinstance(value, (bool, int, float)):
        value = np.asarray(value)
    elif not isinstance(value, (np.ndarray, np.generic)):
        wanted = "a tensor" if LANE == "torch" else "a NumPy array"
        raise Contract("%s is a %s, expected %s" % (name, type(value).__name__, wanted))
    if value.dtype.kind not in OUTPUT_KINDS:
        raise Contract("%s has dtype %s" % (name, value.dtype))
    if value.dtype.kind == "f":
        return value if value.dtype == np.float64 else value.astype(np.float32)
    if value.dtype in (np.int32, np.uint8):
        return value
    return value.astype(OUTPUT_KINDS[value.dtype.kind])


def asked_bytes(error):
    """The size that an allocator was refused, as far as the error says it."""
    shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)
    if isinstance(shape, tuple) and isinstance(dtype, np.dtype):
        size = dtype.itemsize
        for dim in shape:
            size *= int(dim)
        return size
    said = re.search(r"tried to allocate (\d+) bytes", str(error))
    return int(said.group(1)) if said else 0


def refused(error, file, limit):
    """An exhausted memory, or an exception like any other: the measured use decides. A half of the
    limit in use, or asked for at once, is where a refusal can come from."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    needed = max(peak, asked_bytes(error))
    if 2 * needed < limit:
        return {"_exception": describe(error, file)}
    return {"_memory": describe(error, file), "_memory_bytes": np.int64(min(needed, 2**62))}


def answer(solution, glue, fields, file, limit):
    try:
        out = glue.call(solution, {name: for_lane(v) for name, v in fields.items()}, LANE)
        return {name: packed(name, value) for name, value in out.items()}
    except Contract as error:
        return {"_contract": str(error)}
    except BaseException as error:  # the candidate's own mistakes, all of them
        if isinstance(error, MemoryError) or asked_bytes(error):
            return refused(error, file, limit)
        return {"_exception": describe(error, file)}


def serve(channel, request):
    file = bytes(request["file"]).decode()
    paths = bytes(request["forbidden"]).decode().split()
    owed, forbidden = 1, None  # records that the parent waits for; the first forbidden use

    def tell(name):
        """Say it to the parent at once: what the submission does afterwards cannot take it back."""
        nonlocal owed, forbidden
        forbidden = forbidden or name
        channel.sendall(encode({"_forbidden": forbidden}) * owed)
        owed = 0

    watched = contextlib.nullcontext
    if paths and LANE == "torch":
        watched = torch_modes(paths, tell)
    forbid_names(paths, tell)
    try:
        with watched():
            solution, glue = load(bytes(request["source"]), bytes(request["call"]), file)
        hello = {"_status": np.int64(0)}
    except Contract as error:
        hello = {"_contract": str(error)}
    except BaseException as error:
        hello = {"_import": describe(error, file)}
    if not owed:
        return
    channel.sendall(encode(hello))
    if "_status" not in hello:
        return
    while True:
        try:
            count = int(receive(channel)["count"])
            batch = [receive(channel) for _ in range(count)]
        except EOFError:
            return
        owed = count + (count == 1)  # a single one is answered with its inputs as well
        if forbidden:
            tell(forbidden)
            continue
        limit = int(request["memory_bytes"])
        timed = count > 1 or "calls" in batch[0]  # the modes take time of their own
        with contextlib.nullcontext() if timed else watched():
            replies = [answer(solution, glue, fields, file, limit) for fields in batch]
        echo = batch if count == 1 else []  # the inputs, so that the parent sees what was modified
        if owed:
            channel.sendall(b"".join(encode(fields) for fields in replies + echo))


def child(request, channel, output):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(output, 1)
    os.dup2(output, 2)
    moved = os.dup(channel)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(moved, CONTROL)
    os.closerange(4, 1024)
    sys.stdout.reconfigure(line_buffering=True)  # what was printed before a crash is kept
    options = bytes(request["confine"]).decode().split("\n")
    arguments = (ctypes.c_char_p * (len(options) + 1))(*[o.encode() for o in options], None)
    failed = confine(len(options), arguments)
    sock = socket.socket(fileno=CONTROL)
    if failed:
        sock.sendall(encode({"_sandbox": "confine: %s" % os.strerror(failed)}))
        return
    serve(sock, request)


# ---- the worker: forks, watches, reports ----


def resident(pid):
    try:
        with open("/proc/%d/statm" % pid) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except (OSError, IndexError, ValueError):
        return 0


class Running:
    def __init__(self, request, pid):
        self.id = int(request["id"])
        self.pid = pid
        self.deadline = time.monotonic() + float(request["wall_s"])
        self.memory = int(request["memory_bytes"])
        self.peak = 0
        self.limit = ""

    def watch(self):
        size = resident(self.pid)
        self.peak = max(self.peak, size)
        if size > self.memory:
            self.end("memory")
        elif time.monotonic() > self.deadline:
            self.end("wall")

    def end(self, limit):
        self.limit = self.limit or limit
        os.kill(self.pid, signal.SIGKILL)


def reap(control, running):
    for pid in list(running):
        got, status, usage = os.wait4(pid, os.WNOHANG)
        if got == 0:
            continue
        ended = running.pop(pid)
        event = {
            "event": "ended",
            "id": np.int64(ended.id),
            "status": np.int64(status),
            "cpu_ms": np.float64((usage.ru_utime + usage.ru_stime) * 1000),
            "memory_bytes": np.int64(max(ended.peak, usage.ru_maxrss * 1024)),
            "limit": ended.limit,
        }
        control.sendall(encode(event))


def receive_request(control):
    head, descriptors = b"", array.array("i")
    message, ancillary, _, _ = control.recvmsg(16, socket.CMSG_SPACE(2 * 4))
    if not message:
        raise EOFError
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data)
    head = message + receive_exactly(control, 16 - len(message))
    (size,) = struct.unpack_from("<Q", head, 8)
    return decode(head + receive_exactly(control, size)), list(descriptors)


def main():
    global confine
    library = ctypes.CDLL(CONFINE)
    confine = library.confine_apply
    libc = ctypes.CDLL(None)
    libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: no child may look into the worker

    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    control = socket.socket(fileno=CONTROL)
    running = {}
    control.sendall(encode({"event": "ready", "version": library_version()}))

    while True:
        ready, _, _ = select.select([control, woken], [], [], 0.02 if running else None)
        if woken in ready:
            os.read(woken, 4096)
        for child_running in running.values():
            child_running.watch()
        reap(control, running)
        if control not in ready:
            continue
        try:
            request, descriptors = receive_request(control)
        except EOFError:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            return
        if bytes(request["verb"]) == b"kill":
            for child_running in running.values():
                if child_running.id == int(request["id"]):
                    child_running.end("stopped")
            continue
        pid = os.fork()
        if pid == 0:
            try:
                child(request, *descriptors)
            except BaseException:
                traceback.print_exc()
                os._exit(70)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)
        running[pid] = Running(request, pid)


def library_version():
    return torch.__version__ if LANE == "torch" else np.__version__


main()
