"""``mmrev serve``: its start, its end, and each mistake in one line."""

import os
import signal
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest
import tiny_runs

from mmrev.cli import serve
from mmrev.web import server

needs_gradio = pytest.mark.skipif(not find_spec('gradio'), reason='gradio is missing')


@pytest.fixture
def refused(segmenter, capsys, monkeypatch):
    """A function that calls the command, and returns its one line on stderr."""
    monkeypatch.setattr(server, 'find_spec', lambda name: name)

    def call(*argv) -> str:
        assert tiny_runs.call(serve.main, *segmenter, '--device', 'cpu', *argv) == 1
        return tiny_runs.error_line(capsys)

    return call


def test_without_gradio_the_extra_is_named(segmenter, capsys, monkeypatch):
    monkeypatch.setattr(server, 'find_spec', lambda name: None)
    assert tiny_runs.call(serve.main, *segmenter) == 1
    assert "pip install 'mmrev[web]'" in tiny_runs.error_line(capsys)


def test_a_taken_port(refused):
    with server.listen('127.0.0.1', 0) as taken:
        port = taken.getsockname()[1]
        assert refused('--port', port) == (
            f'mmrev: error: port {port} is taken by another program: choose another one with --port'
        )


def test_an_address_of_another_machine(refused):
    line = refused('--host', '192.0.2.1', '--port', 0)
    assert "'192.0.2.1' is no address of this machine" in line and 'use --host 127.0.0.1' in line


def test_a_folder_that_is_missing(refused):
    assert 'no_such_folder is missing' in refused('--port', 0, '--images', 'no_such_folder')


def test_a_config_without_a_checkpoint_is_a_published_model(capsys, monkeypatch):
    monkeypatch.setattr(server, 'find_spec', lambda name: name)
    assert tiny_runs.call(serve.main, 'no_such_folder') == 1
    assert 'no_such_folder is no published model' in tiny_runs.error_line(capsys)


def test_two_models_of_one_task(refused, classifier):
    line = refused('--port', 0, '--compare', *classifier)
    assert '--compare is a model of classification, and the first one of segmentation' in line


@pytest.mark.parametrize('option', [('--port', '70000'), ('--max-megabytes', '0'), ('--max-megapixels', 'inf')])
def test_values_of_options(option, segmenter, capsys):
    with pytest.raises(SystemExit):
        serve.main([*segmenter, *option])
    assert 'expected' in capsys.readouterr().err


@needs_gradio
@pytest.mark.parametrize('before', [signal.default_int_handler, signal.SIG_IGN], ids=['alone', 'in the background'])
def test_it_serves_until_ctrl_c(before, segmenter, photo, tmp_path):
    command = [sys.executable, '-m', 'mmrev', 'serve', *segmenter, '--images', str(Path(photo).parent), '--port', '0']
    process = subprocess.Popen(
        command,
        env={**tiny_runs.ENVIRONMENT, 'TMPDIR': str(tmp_path)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, before),  # ignored for a command in a shell's background
    )
    try:
        line = process.stdout.readline()
        assert line.startswith('the page is at http://127.0.0.1:'), process.stderr.read()
        address = line.split()[4]
        assert urllib.request.urlopen(address, timeout=60).status == 200
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith('mmrev_serve_')]
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, errors) == (130, 'mmrev: stopped\n')
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith('mmrev_serve_')]
