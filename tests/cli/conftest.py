"""A small config with its errors, and a made-up paper for the tests of ``mmrev reproduce``."""

import contextlib

import pytest
import tiny_paper
import tiny_runs

from mmrev.cli import check_data, reproduce, reproduce_job
from mmrev.cli import main as command_line
from mmrev.cli.main import main
from mmrev.reproduction.commands import Command


@pytest.fixture
def cfg(tmp_path):
    return tiny_runs.segmentation(tmp_path / 'data')


@pytest.fixture
def refused(cfg, tmp_path, capsys):
    """A function that calls a command on the config, and returns its one line on stderr."""

    def call(main, *argv) -> str:
        config = tiny_runs.save(cfg, tmp_path / 'c.py')
        work_dir = [] if main is check_data.main else ['--work-dir', tmp_path / 'w']
        assert tiny_runs.call(main, config, *work_dir, *argv) == 1
        return tiny_runs.error_line(capsys)

    return call


@pytest.fixture()
def called(monkeypatch):
    """Lets the children run in this process. Returns their commands as they come."""
    commands = []

    def run(self, argv, log, watch=lambda: None):
        del self
        arguments = argv[argv.index('mmrev') + 1 :]
        commands.append(arguments)
        watch()
        with log.open('a') as output, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            status = tiny_runs.call(command_line.main, *arguments)
        if status == 130:
            raise KeyboardInterrupt  # the terminal's Ctrl-C reaches both
        return status

    monkeypatch.setattr(Command, 'run', run)
    return commands


@pytest.fixture()
def paper(tmp_path, monkeypatch):
    """The made-up paper in the place of the real ones. Returns the call of ``mmrev reproduce`` on it."""
    root = tiny_paper.write(tmp_path)
    for module in (reproduce, reproduce_job):
        monkeypatch.setattr(module, 'config_root', lambda: root)

    def run(*argv):
        return main(['reproduce', *argv, '--out', str(tmp_path / 'out')])

    return run


@pytest.fixture()
def out(tmp_path):
    return tmp_path / 'out/paper'
