"""The jobs of ``mmrev reproduce``: several GPUs a job, and jobs of submitit."""

import logging
import sys
from importlib.util import find_spec

import pytest
from tiny_paper import lines

from mmrev.cli import reproduce_job
from mmrev.cli.main import main
from mmrev.cli.reproduce_executors import Once
from mmrev.reproduction.commands import Command

needs_submitit = pytest.mark.skipif(find_spec('submitit') is None, reason='submitit is not installed')


def test_several_gpus_start_torchrun(tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(Command, 'run', lambda self, argv, *_: commands.append(argv) or 0)
    settings = reproduce_job.Settings(tmp_path, gpus=4)
    reproduce_job.Job(reproduce_job.Task('c', 0, ()), settings)._mmrev('train', tmp_path / 'c.py', watch=None)
    (argv,) = commands
    assert argv[:5] == [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=4']
    assert argv[-2:] == ['--launcher', 'pytorch']


@needs_submitit
@pytest.mark.slow  # four processes
def test_a_job_of_submitit_on_this_machine(tmp_path, capsys):
    argv = ['ran_n_r18_camvid', '--budget', 'tiny', '--made-up-data', '--seeds', '0', '--executor', 'local']
    assert main(['reproduce', *argv, '--out', str(tmp_path)]) == 0
    assert '1 of 1 trainings done' in capsys.readouterr().err
    assert [config for config, _, _ in lines(tmp_path / 'made_up_data')] == ['ran_n_r18_camvid']


@needs_submitit
def test_one_job_a_row_and_seed(paper, out, called, capsys, monkeypatch):
    import submitit

    jobs = []

    class Here(submitit.DebugExecutor):
        """It runs the jobs in this process."""

        def __init__(self, folder, max_num_timeout):
            super().__init__(folder)
            assert max_num_timeout > 10

        def submit(self, job):
            jobs.append((str(job.task), self.parameters.get('visible_gpus')))
            return super().submit(job)

    monkeypatch.setattr(submitit, 'LocalExecutor', Here)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 2)
    assert paper('tiny/1', '--seeds', '0', '1', '--executor', 'local', '--jobs', '2') == 1
    names = ['broken, seed 0', 'base, seed 0', 'broken, seed 1', 'base, seed 1']
    assert jobs == [(name, [number % 2]) for number, name in enumerate(names)]
    assert [command[0] for command in called] == ['train', 'test', 'test'] * 2
    assert 'mmrev: error: 2 failed, the first: broken, seed 0: ' in capsys.readouterr().err
    assert len(lines(out)) == 2 * 4


@needs_submitit
@pytest.mark.parametrize(
    ('argv', 'says'),
    [
        (['--executor', 'slurm'], '--executor slurm: '),
        (
            ['--executor', 'local', '--executor-options', 'colour=red'],
            "unknown name in --executor-options 'colour': use one of 'timeout_min', 'signal_delay_s'",
        ),
        (['--executor', 'local', '--executor-options', 'timeout_min=long'], 'timeout_min=long: expected a whole'),
    ],
)
def test_what_submitit_cannot_do_is_one_line(paper, capsys, argv, says, monkeypatch):
    monkeypatch.setenv('PATH', '/nowhere')  # no Slurm
    assert paper('base', '--seeds', '0', *argv) == 1
    assert says in capsys.readouterr().err.splitlines()[-1]


def test_a_message_that_is_repeated_is_shown_once():
    texts = ['Call #1 - no sacct', 'Call #2 - no sacct', 'Job 7 has ended']
    records = [logging.LogRecord('submitit', logging.WARNING, '', 0, text, (), None) for text in texts]
    once = Once()
    assert [once.filter(record) for record in records] == [True, False, True]


def test_without_submitit_the_error_says_what_to_install(paper, capsys, monkeypatch):
    monkeypatch.setattr('mmrev.cli.reproduce_executors.find_spec', lambda name: None)
    assert paper('base', '--executor', 'local') == 1
    assert "pip install 'mmrev[reproduce]'" in capsys.readouterr().err
