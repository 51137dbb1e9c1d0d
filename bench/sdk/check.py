"""What the Python SDKs see through the proxy; bench/sdk/run starts everything and calls this."""
import json, os, re, time, traceback, urllib.error, urllib.request
import anthropic, openai

PROXY, DIRECT, DOWN = os.environ["PROXY"], os.environ["DIRECT"], os.environ["DOWN"]
client = openai.OpenAI(base_url=PROXY + "/v1", max_retries=0)
messages = [{"role": "user", "content": "Say something about water."}]
failed = []


def check(what):
    def run(f):
        try:
            f()
            print(f"pass  python  {what}", flush=True)
        except Exception as e:
            failed.append(what)
            print(f"FAIL  python  {what}: {type(e).__name__}: {str(e)[:300]}", flush=True)
            if isinstance(e, AssertionError):
                traceback.print_exc(limit=-1)
    return run


def raised(kind, f):
    try:
        f()
    except kind as e:
        return e
    raise AssertionError(f"no {kind.__name__}")


def get(url):
    with urllib.request.urlopen(url, timeout=5) as r:
        return json.loads(r.read())


@check("chat")
def _():
    answer = client.chat.completions.create(model="sim", messages=messages, max_tokens=8)
    assert answer.choices[0].message.content and answer.usage.completion_tokens == 8


@check("chat, stream")
def _():
    chunks = list(client.chat.completions.create(model="sim", messages=messages, max_tokens=8, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert chunks[-1].choices[0].finish_reason == "length" and all(c.usage is None for c in chunks)


@check("chat, stream with usage")
def _():
    chunks = list(client.chat.completions.create(
        model="sim", messages=messages, max_tokens=8, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.completion_tokens == 8 and not chunks[-1].choices


@check("completions, also as a stream")
def _():
    assert client.completions.create(model="sim", prompt="Water is", max_tokens=4).choices[0].text
    assert list(client.completions.create(model="sim", prompt="Water is", max_tokens=4, stream=True))[-1].choices[0].finish_reason


@check("embeddings")
def _():
    assert len(client.embeddings.create(model="sim", input=["a", "b"]).data) == 2


@check("models")
def _():
    assert [m.id for m in client.models.list()] == ["sim"]


@check("tools pass through")
def _():
    tool = {"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}}
    answer = client.chat.completions.create(model="sim", messages=messages, tools=[tool], tool_choice={
        "type": "function", "function": {"name": "weather"}})
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"


@check("unknown model: NotFoundError")
def _():
    e = raised(openai.NotFoundError, lambda: client.chat.completions.create(model="none", messages=messages))
    assert e.code == "model_not_found" and e.body["message"] and e.request_id


@check("bad request: BadRequestError, from the engine and from the proxy")
def _():
    raised(openai.BadRequestError, lambda: client.chat.completions.create(model="sim", messages=messages, max_tokens=-1))
    e = raised(openai.BadRequestError, lambda: client.chat.completions.with_raw_response.create(
        model="sim", messages=messages, extra_body={"model": 7}))
    assert e.body["message"]


@check("nothing serves: InternalServerError with status 503")
def _():
    other = client.with_options(base_url=DOWN + "/v1")
    e = raised(openai.APIStatusError, lambda: other.chat.completions.create(model="sim", messages=messages))
    assert e.status_code == 503 and isinstance(e, openai.InternalServerError)


@check("cancel in the middle reaches the engine")
def _():
    stream = client.chat.completions.create(model="sim", messages=messages, max_tokens=2000, stream=True)
    next(iter(stream))
    running = lambda: sum(get(e + "/sim/requests")["running"] for e in os.environ["ENGINES"].split())
    assert running() == 1
    stream.close()
    time.sleep(0.2)
    assert running() == 0
    pool = get(os.environ["ADMIN"] + "/admin/v1/load")["pools"][0]
    assert pool["in_flight"] == 0, pool


@check("an error on /v1/messages has Anthropic's shape")
def _():
    claude = anthropic.Anthropic(base_url=PROXY, max_retries=0)
    e = raised(anthropic.NotFoundError, lambda: claude.messages.create(model="none", max_tokens=8, messages=messages))
    assert e.body["type"] == "error" and e.body["error"]["type"] == "not_found_error", e.body


@check("the same bytes direct and through the proxy: chat, stream, stream with usage, completions, embeddings, an error")
def _():
    # Two replicas of one seed draw the same words and ids; only the second of `created` may differ.
    def raw(base, path, body):
        request = urllib.request.Request(base + path, json.dumps(body).encode(), {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as r:
                return r.status, r.headers["content-type"], re.sub(rb'"created":\d+', b"", r.read())
        except urllib.error.HTTPError as e:
            return e.code, e.headers["content-type"], e.read()
    chat = {"model": "sim", "messages": messages, "max_tokens": 30, "unknown_field": {"kept": [1, None]}}
    for path, body in (
        ("/v1/chat/completions", chat),
        ("/v1/chat/completions", {**chat, "stream": True}),
        ("/v1/chat/completions", {**chat, "stream": True, "stream_options": {"include_usage": True}}),
        ("/v1/completions", {"model": "sim", "prompt": "Water is", "max_tokens": 30}),
        ("/v1/embeddings", {"model": "sim", "input": "water"}),
        ("/v1/chat/completions", {**chat, "max_tokens": -1}),
    ):
        direct, relayed = raw(os.environ["TWIN"], path, body), raw(os.environ["TWIN_PROXY"], path, body)
        assert direct == relayed, (path, direct, relayed)


raise SystemExit(1 if failed else 0)
