"""What every bench needs: free ports, child processes that end with it, small HTTP calls."""
import atexit, asyncio, json, os, shutil, signal, socket, statistics, subprocess, sys, time, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, "bench", "out")
os.makedirs(OUT, exist_ok=True)
_children = []
_given = set()


def need(command, package):
    if shutil.which(command) is None:
        sys.exit(f"needs {command}: apt-get install {package}")


def port():
    """A port of the loopback that is free now and was not given before."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            p = s.getsockname()[1]
        if p not in _given:
            _given.add(p)
            return p


def start(name, *command, cpu=None, env=None):
    """Starts a process of its own group, pinned to a core if asked; its output goes to bench/out/NAME.log."""
    if cpu is not None and os.cpu_count() > cpu and shutil.which("taskset"):
        command = ("taskset", "-c", str(cpu)) + command
    log = open(os.path.join(OUT, name + ".log"), "w")
    child = subprocess.Popen([str(c) for c in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                             start_new_session=True, cwd=OUT, env={**os.environ, **(env or {})})
    _children.append(child)
    return child


def stop(child, sig=signal.SIGTERM, wait=15):
    if child.poll() is None:
        os.killpg(child.pid, sig)
        try:
            child.wait(wait)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@atexit.register
def stop_all():
    for child in _children:
        stop(child, signal.SIGKILL)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def get(url, body=None, method=None, timeout=5):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, method=method, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        text = answer.read().decode()
        return json.loads(text) if text and text[0] in "{[" else text


def until(what, seconds, check, every=0.05):
    """Waits for check() to be true; anything it raises counts as not yet."""
    end = time.time() + seconds
    last = None
    while time.time() < end:
        try:
            if check():
                return time.time()
        except Exception as e:
            last = e
        time.sleep(every)
    sys.exit(f"gave up waiting for {what} after {seconds} s ({last}); see {OUT}/*.log")


def sluice(*args):
    return (os.path.join(ROOT, "sluice"),) + args


def simulator(name, p, *flags, cpu=None):
    child = start(name, *sluice("simulate", "--port", str(p), *flags), cpu=cpu)
    return child


def simulators(count, *flags, cpu=None):
    """Starts replicas and waits until they are ready: [(process, port)]."""
    out = [(None, port()) for _ in range(count)]
    out = [(simulator(f"sim-{p}", p, *flags, cpu=cpu), p) for _, p in out]
    for _, p in out:
        until(f"replica {p}", 60, lambda: get(f"http://127.0.0.1:{p}/health") is not None)
    return out


class Proxy:
    def __init__(self, ports, config="", policy="least_loaded", endpoints=None, cpu=None, pool="", name="proxy", wait=True, more=""):
        self.port, self.admin = port(), port()
        lines = endpoints or [f"{{url: 'http://127.0.0.1:{p}'}}" for p in ports]
        text = (f"listen: 127.0.0.1:{self.port}\nadmin: 127.0.0.1:{self.admin}\n"
                f"{config}\npools:\n  - name: bench\n    policy: {policy}\n{pool}    endpoints:\n"
                + "".join(f"      - {line}\n" for line in lines) + more)
        path = os.path.join(OUT, f"{name}-{self.port}.yaml")
        with open(path, "w") as f:
            f.write(text)
        self.child = start(f"{name}-{self.port}", *sluice("proxy", "--config", path), cpu=cpu)
        if wait:
            until("the proxy", 60, lambda: len(self.usable()) == len(lines))

    def endpoints(self):
        answer = get(f"http://127.0.0.1:{self.admin}/admin/v1/load")
        return answer["pools"][0]["endpoints"]

    def usable(self):
        return [e for e in self.endpoints() if e["state"] in ("healthy", "degraded")]

    def load(self):
        return get(f"http://127.0.0.1:{self.admin}/admin/v1/load")["pools"][0]

    def idle(self):
        load = self.load()
        return load["in_flight"] == 0 and load["queued"] == 0

    def stop(self):
        stop(self.child, wait=90)


def cpu_ticks(pid):
    """User and system time of a process and of its children that still run, in seconds."""
    total = 0
    for p in [pid] + [int(c) for c in children(pid)]:
        try:
            with open(f"/proc/{p}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except FileNotFoundError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def children(pid):
    out = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                for c in f.read().split():
                    out += [c] + children(c)
    except FileNotFoundError:
        pass
    return out


def rss_mb(pid):
    """Resident memory of one process."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


class Answer:
    def __init__(self):
        self.status, self.headers, self.body, self.error = 0, {}, b"", None
        self.ttft = self.total = None

    @property
    def finished(self):
        return b"[DONE]" in self.body or b'"usage"' in self.body


async def call(p, body, abort_after=None, timeout=120, path="/v1/chat/completions"):
    """One call on a connection of its own, read to its end or left after abort_after seconds."""
    answer, began = Answer(), time.perf_counter()
    writer = None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", p)
        data = json.dumps(body).encode()
        writer.write(f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
        raw = b""
        while True:
            left = timeout if abort_after is None else max(0.0, began + abort_after - time.perf_counter())
            try:
                part = await asyncio.wait_for(reader.read(65536), left)
            except asyncio.TimeoutError:
                answer.error = "left" if abort_after is not None else "no answer in time"
                writer.transport.abort()
                return answer
            if not part:
                break
            raw += part
            if answer.ttft is None and (b'"content":"' in raw.replace(b'"content":""', b"")):
                answer.ttft = time.perf_counter() - began
        head, _, answer.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        answer.status = int(lines[0].split()[1]) if lines[0] else 0
        answer.headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if ": " in line)}
        if not answer.status:
            answer.error = "closed without an answer"
    except OSError as e:
        answer.error = f"{type(e).__name__}: {e}"
    finally:
        answer.total = time.perf_counter() - began
        if writer is not None:
            writer.close()
    return answer


def chat(tokens=16, stream=True, text="Say something about water.", model="sim"):
    return {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": tokens, "stream": stream}


async def open_loop(rate, seconds, one):
    """Begins one(i) at a fixed rate whatever the answers do; returns what they returned."""
    began, tasks = time.perf_counter(), []
    for i in range(int(rate * seconds)):
        await asyncio.sleep(max(0, began + i / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(i)))
    return await asyncio.gather(*tasks)


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p / 100))] if values else float("nan")


def median(values):
    return statistics.median(values) if values else float("nan")
