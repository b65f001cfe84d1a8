#!/usr/bin/env python3
"""Clients that exist, against a running `openclip serve`: PyPI's openai, clip-retrieval's ClipClient,
the requests of clip-as-service and Immich, and schemathesis on /openapi.json.

    python3 -m venv /tmp/clients && /tmp/clients/bin/pip install openai schemathesis requests
    /tmp/clients/bin/pip install --no-deps clip-retrieval
    build/openclip index samples --out build/samples.index
    build/openclip serve --index build/samples.index --port 8080 &
    /tmp/clients/bin/python tools/serve_clients.py http://127.0.0.1:8080

Prints a line for each client and ends with 1 if one of them fails. docs/serve.md has the results.
"""
import base64
import importlib.metadata
import importlib.util
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CAT = ROOT / "samples/cat.png"


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def data_url():
    return "data:image/png;base64," + base64.b64encode(CAT.read_bytes()).decode()


def openai_client(url):
    import openai
    client = openai.OpenAI(base_url=url + "/v1", api_key="none")
    model = client.models.list().data[0].id
    # The client asks for base64 by itself unless told otherwise.
    coded = client.embeddings.create(model=model, input=["a cat", data_url()])
    plain = client.embeddings.create(model=model, input="a cat", encoding_format="float")
    short = client.embeddings.create(model=model, input="a cat", dimensions=8)
    assert len(coded.data) == 2 and coded.usage.total_tokens > 0
    assert cosine(coded.data[0].embedding, plain.data[0].embedding) > 1 - 1e-6
    assert len(short.data[0].embedding) == 8
    try:
        client.embeddings.create(model="other", input="a")
    except openai.NotFoundError as error:
        assert error.body["type"] == "not_found_error", error.body
    else:
        raise AssertionError("an unknown model was accepted")
    return f"openai {openai.__version__}"


def clip_client_class():
    """The module by itself: the package imports the whole of clip-retrieval."""
    for file in importlib.metadata.files("clip-retrieval"):
        if file.name == "clip_client.py":
            spec = importlib.util.spec_from_file_location("clip_client", file.locate())
            module = importlib.util.module_from_spec(spec)
            sys.modules["clip_client"] = module
            spec.loader.exec_module(module)
            return module
    raise AssertionError("clip-retrieval has no clip_client.py")


def clip_retrieval(url):
    import requests
    module = clip_client_class()
    name = requests.get(url + "/indices-list", timeout=30).json()[0]
    client = module.ClipClient(url=url + "/knn-service", indice_name=name, num_images=5,
                               modality=module.Modality.IMAGE)
    by_text = client.query(text="a cat")
    by_image = client.query(image=str(CAT))
    assert len(by_text) == 5 and {"id", "similarity", "image_path", "image"} <= set(by_text[0])
    assert by_image[0]["image_path"].endswith("cat.png") and by_image[0]["similarity"] > 0.99, by_image[0]
    vector = requests.post(url + "/v1/embeddings", json={"input": data_url()}, timeout=30).json()
    by_vector = client.query(embedding_input=vector["data"][0]["embedding"])
    assert by_vector[0]["id"] == by_image[0]["id"]
    rows = requests.post(url + "/metadata", json={"indice_name": name, "ids": [by_image[0]["id"]]}, timeout=30).json()
    assert rows[0]["metadata"]["image_path"].endswith("cat.png")
    return "clip-retrieval " + importlib.metadata.version("clip-retrieval")


def clip_as_service(url):
    """What clip-client 0.8 sends over HTTP (jina's gateway: /post)."""
    import requests
    encode = requests.post(url + "/post", timeout=30, json={
        "data": [{"text": "a cat"}, {"blob": base64.b64encode(CAT.read_bytes()).decode()}], "execEndpoint": "/"})
    assert len(encode.json()["data"][1]["embedding"]) > 8, encode.text
    rank = requests.post(url + "/post", timeout=30, json={"execEndpoint": "/rank", "data": [
        {"uri": data_url(), "matches": [{"text": t} for t in ("a car", "a cat", "a house")]}]})
    matches = rank.json()["data"][0]["matches"]
    assert matches[0]["text"] == "a cat", matches
    return "clip-as-service's requests"


def immich(url):
    import requests
    name = requests.get(url + "/models", timeout=30).json()["data"][0]["id"].replace("/", "__")
    assert requests.get(url + "/ping", timeout=30).text == "pong"
    visual = requests.post(url + "/predict", timeout=30, files={"image": CAT.read_bytes()},
                           data={"entries": json.dumps({"clip": {"visual": {"modelName": name}}})})
    textual = requests.post(url + "/predict", timeout=30, files={"text": (None, "a cat")},
                            data={"entries": json.dumps({"clip": {"textual": {"modelName": name}}})})
    assert cosine(json.loads(visual.json()["clip"]), json.loads(textual.json()["clip"])) > 0
    return "Immich's requests"


def schemathesis(url):
    command = [str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", url + "/openapi.json",
               "--max-examples", "50", "--generation-deterministic", "--no-color",
               "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
               "response_schema_conformance,unsupported_method,response_headers_conformance"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stdout[-4000:] + done.stderr[-1000:])
    cases = [line.strip() for line in done.stdout.splitlines() if " generated, " in line]
    return f"schemathesis {importlib.metadata.version('schemathesis')}: {'; '.join(cases)}"


def main():
    url = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    failed = 0
    for client in (openai_client, clip_retrieval, clip_as_service, immich, schemathesis):
        try:
            print("ok     ", client(url), flush=True)
        except Exception as error:  # each client has errors of its own
            failed += 1
            print("FAILED ", client.__name__, type(error).__name__, error, flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
