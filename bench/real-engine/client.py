"""Calls by the openai SDK, four at a time, for as long as the file that it is given does not exist; prints one JSON line each."""
import json, os, sys, threading, time
import openai

base, until = sys.argv[1], sys.argv[2]
client = openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=60)
questions = ["What is water?", "Name three colours.", "Why is the sky blue?", "Say hello in French."]


def one(question, stream):
    began, text, first = time.time(), "", None
    row = {"began": began, "stream": stream, "question": question}
    try:
        sent = client.chat.completions.with_raw_response.create(
            model="smollm2-135m", messages=[{"role": "user", "content": question}], max_tokens=32, stream=stream)
        row["endpoint"] = sent.headers.get("x-sluice-endpoint")
        row["attempts"] = sent.headers.get("x-sluice-attempts")
        answer = sent.parse()
        if stream:
            for chunk in answer:
                if chunk.choices and chunk.choices[0].delta.content:
                    first = first or time.time()
                    text += chunk.choices[0].delta.content
        else:
            text = answer.choices[0].message.content
    except Exception as e:
        row["error"] = f"{type(e).__name__}: {e}"
    row.update(ended=time.time(), first=first, text=text)
    print(json.dumps(row), flush=True)


def lane(start):
    n = start
    while not os.path.exists(until):
        one(questions[n % len(questions)], n % 3 != 0)
        n += 1


lanes = [threading.Thread(target=lane, args=(i,)) for i in range(4)]
for t in lanes:
    t.start()
for t in lanes:
    t.join()
