"""Downloads over TLS, through a proxy, and from the original addresses of tags: a proxy of our own
leads every https host to a server of our own, whose certificate is made here with openssl."""
import contextlib
import hashlib
import pathlib
import socket
import ssl
import subprocess
import threading
import unittest

from pull_test import HubTest

HOSTS = ("dl.fbaipublicfiles.com", "openaipublic.azureedge.net", "github.com", "huggingface.co")


def make_certificate(folder):
    """A self-signed certificate for HOSTS; returns the file with it and the one with its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{host}" for host in HOSTS),
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class Proxy:
    """Answers CONNECT and leads whatever host was asked for to `target`; keeps the requests' heads."""

    def __init__(self, target):
        self.target, self.heads = target, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],),
                                 daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.heads.append(head.decode())
            with socket.create_connection(self.target) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=self.copy, args=(server, client), daemon=True).start()
                self.copy(client, server)

    @staticmethod
    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class TlsTest(HubTest):
    METACLIP = "/MMPT/metaclip/b32_400m.pt"
    OPENAI = ("/clip/models/40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/"
              "ViT-B-32.pt")

    def setUp(self):
        super().setUp()
        certificate, key = make_certificate(pathlib.Path(self.dir))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = self.hub.servers[0]  # speaks TLS from here on
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        self.proxy = Proxy(server.server_address)
        self.addCleanup(self.proxy.listener.close)
        self.env.update(https_proxy=self.proxy.url, SSL_CERT_FILE=str(certificate), no_proxy="")
        del self.env["HF_ENDPOINT"]

    def test_hub_over_tls(self):
        self.env["HF_TOKEN"] = "hf_secret"
        self.hub.faults.redirect_to = "https://github.com/content"  # another host, same server
        self.hub.plain["/content"] = self.hub.repos["org/tiny"].files["open_clip_model.safetensors"]
        self.pull()
        self.assertTrue(self.proxy.heads[0].startswith("CONNECT huggingface.co:443"))
        self.assertNotIn("hf_secret", "".join(self.proxy.heads))

    def test_unknown_certificates_are_refused(self):
        del self.env["SSL_CERT_FILE"]
        self.refuse(1, "models", "pull", "hf-hub:org/tiny", says=("huggingface.co", "certificate"))

    def test_no_way_back_from_https_to_http(self):
        self.hub.faults.redirect_to = self.hub.cdn + "/org/tiny/open_clip_model.safetensors"
        self.refuse(1, "models", "pull", "hf-hub:org/tiny", "--quiet", says="without encryption")
        self.assertEqual(self.hub.seen("GET", "", "cdn"), [])

    def test_original_address_where_the_hub_has_nothing(self):
        self.hub.plain[self.METACLIP] = b"weights" * 1000
        done = self.run_program("models", "pull", "ViT-B-32:metaclip_400m")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("trying https://dl.fbaipublicfiles.com" + self.METACLIP, done.stderr)
        path = pathlib.Path(done.stdout.strip())
        self.assertEqual(path, self.dir / "home/.cache/clip/b32_400m.pt")
        self.assertEqual(path.read_bytes(), self.hub.plain[self.METACLIP])
        count = len(self.hub.seen("GET", self.METACLIP))
        self.succeed("models", "pull", "ViT-B-32:metaclip_400m", "--quiet")
        self.assertEqual(len(self.hub.seen("GET", self.METACLIP)), count)

    def test_checksum_in_the_address(self):
        self.hub.plain[self.OPENAI] = b"not OpenAI's"
        done = self.run_program("models", "pull", "ViT-B-32:openai", "--quiet")
        self.assertEqual(done.returncode, 1)
        self.assertIn("sha256 checksum", done.stderr)
        self.assertIn(hashlib.sha256(b"not OpenAI's").hexdigest(), done.stderr)
        self.assertFalse(list((self.dir / "home/.cache/clip").glob("*.pt*[!k]")))


if __name__ == "__main__":
    unittest.main()
