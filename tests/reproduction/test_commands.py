import os
import signal
import sys
import threading
import time

import pytest

from mmrev.reproduction.commands import Command, like_ctrl_c

# it saves its state on SIGTERM, as a training does
CHILD = """
import signal, sys, time
from pathlib import Path
def save(*_):
    time.sleep(0.3)
    Path(sys.argv[1]).write_text('saved')
    sys.exit(130)
signal.signal(signal.SIGTERM, save)
print('ready', flush=True)
time.sleep(600)
"""


@pytest.fixture()
def log(tmp_path):
    return tmp_path / 'logs/train.log'


def test_the_output_of_several_starts_is_kept(log):
    command = Command()
    assert command.run([sys.executable, '-c', 'print(1); raise SystemExit(3)'], log) == 3
    assert command.run([sys.executable, '-c', 'print(2)'], log) == 0
    assert log.read_text() == '1\n2\n'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_ends_the_child_first_and_the_child_saves(number, log, tmp_path):
    def stop_when_ready():
        if 'ready' in log.read_text():
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), like_ctrl_c():
        Command().run([sys.executable, '-c', CHILD, str(tmp_path / 'state')], log, stop_when_ready)
    assert (tmp_path / 'state').read_text() == 'saved'
    assert signal.getsignal(number) is before


def test_a_child_can_be_ended_from_a_signal_handler(log, tmp_path):
    command, status = Command(), []
    thread = threading.Thread(
        target=lambda: status.append(command.run([sys.executable, '-c', CHILD, str(tmp_path / 'state')], log))
    )
    thread.start()
    while not log.exists() or 'ready' not in log.read_text():
        time.sleep(0.01)
    command.stop()
    assert (tmp_path / 'state').read_text() == 'saved'
    thread.join()
    assert status == [130]
    command.stop()  # nothing runs
