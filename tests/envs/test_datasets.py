"""Data sets are fetched when asked, with the licence accepted, whole and checked, from a server on this machine."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tenacity import wait_none

from simonides.envs import datasets
from simonides.envs.datasets import UNKNOWN, DataFile, DataSet, fetch, list_datasets, path
from simonides.sim.errors import DataError, UnknownName, UserError

BODY = b'{"a": 1}' * 40_000


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        trouble = self.server.troubles.pop(0) if self.server.troubles else 200
        self.send_response(trouble)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if trouble == 200:
            self.wfile.write(BODY[: self.server.cut])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.asked, httpd.troubles, httpd.cut = [], [], None
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("SIMONIDES_CACHE", str(tmp_path))
    monkeypatch.setattr(datasets, "wait_exponential", lambda **_: wait_none())
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def publish(monkeypatch, server, sha256=UNKNOWN):
    file = DataFile("toy.json", f"http://127.0.0.1:{server.server_port}/toy.json", sha256)
    monkeypatch.setitem(datasets.CATALOGUE, "toy", DataSet("toy", "Toy", "here", "MIT", "locomo", (file,)))


def test_a_fetched_file_is_whole_reported_and_found(monkeypatch, server, tmp_path):
    publish(monkeypatch, server, hashlib.sha256(BODY).hexdigest())
    seen = []
    folder = fetch("toy", accept_licence=True, progress=lambda *step: seen.append(step))
    assert (folder / "toy.json").read_bytes() == BODY and folder == path("toy") == tmp_path / "data" / "toy"
    assert seen[-1] == ("toy.json", len(BODY), len(BODY))
    fetch("toy", accept_licence=True)
    assert len(server.asked) == 1


def test_nothing_is_fetched_unless_the_licence_is_accepted(monkeypatch, server):
    publish(monkeypatch, server)
    with pytest.raises(UserError, match="has the licence MIT; accept it"):
        fetch("toy", accept_licence=False)
    with pytest.raises(DataError, match="simonides data fetch toy"):
        path("toy")
    assert server.asked == []


def test_a_file_of_another_sha256_is_refused_and_leaves_nothing(monkeypatch, server, tmp_path):
    publish(monkeypatch, server, "0" * 64)
    with pytest.raises(DataError, match="expected 0000"):
        fetch("toy", accept_licence=True)
    assert list((tmp_path / "data" / "toy").iterdir()) == []


def test_an_unknown_sha256_is_pinned_by_the_first_fetch(monkeypatch, server):
    publish(monkeypatch, server)
    folder = fetch("toy", accept_licence=True)
    (folder / "toy.json").unlink()
    (folder / "toy.json.sha256").write_text("1" * 64)
    with pytest.raises(DataError, match="expected 1111"):
        fetch("toy", accept_licence=True)


def test_passing_trouble_is_tried_again_and_lasting_trouble_is_not(monkeypatch, server):
    publish(monkeypatch, server)
    server.troubles = [503, 500]
    fetch("toy", accept_licence=True)
    assert len(server.asked) == 3
    (path("toy") / "toy.json").unlink()
    server.troubles = [404]
    with pytest.raises(DataError, match="404"):
        fetch("toy", accept_licence=True)
    assert len(server.asked) == 4


def test_a_connection_that_breaks_off_leaves_nothing(monkeypatch, server, tmp_path):
    publish(monkeypatch, server)
    server.cut = 1000
    with pytest.raises(DataError, match="could not be fetched"):
        fetch("toy", accept_licence=True)
    assert list((tmp_path / "data" / "toy").iterdir()) == []


def test_the_catalogue_names_publishers_licences_and_environments_that_exist():
    from simonides.sim.registry import registry

    names = ["commonroad", "droidtask", "locomo", "longmemeval", "memorybank"]
    assert [data.name for data in list_datasets()] == names
    for data in list_datasets():
        assert data.licence and data.publisher.startswith("https://")
        assert all(file.url.startswith("https://") for file in data.files)
        assert data.environment in registry("environment").names()


def test_a_misspelt_data_set_names_the_near_one():
    with pytest.raises(UnknownName, match="Did you mean 'locomo'"):
        path("locomoo")
