"""The protocol of the studies: tuning, pairing, resuming, and the statistics of the report."""

import numpy as np
import pytest
from scipy import stats

from evidence.over_images import ImageIntervals
from evidence.paired import bootstrap_over_images, mean_iou, paired
from evidence.protocol import Study, is_done, run_study, tune
from evidence.report import write_report
from evidence.runs import Run, RunLog
from evidence.sources import Sources


class MadeUp(Study):
    """Scores that are known: the best rate is 16, and method b is one point better than method a."""

    name, title, methods, rates = 'made_up', 'Made up', ('a', 'b'), (1, 2, 4)
    measures, default_steps, hours = ('score', 'other'), 5, 0

    def __init__(self, sources, steps=None):
        super().__init__(sources, steps)
        self.trained, self.dies_at = [], None

    def train(self, method, seed, rate):
        if len(self.trained) == self.dies_at:
            raise KeyboardInterrupt
        self.trained.append((method, seed, rate))
        return seed % 3 + (method == 'b') - abs(np.log2(rate) - 4)

    def validate(self, model):
        return model

    def test(self, model, method, seed):
        return {'score': model} | ({'other': 50.0} if method == 'b' else {})


@pytest.fixture
def study(tmp_path):
    return MadeUp(Sources(tmp_path, tmp_path, tmp_path / 'work', tmp_path))


def log_of(study):
    return RunLog(study.sources.results / 'made_up.csv', study.measures)


def test_the_grid_grows_until_the_best_rate_is_inside(study):
    assert tune(study, log_of(study), 'a') == 16
    tried = {rate for _, _, rate in study.trained}
    assert tried == {1, 2, 4, 8, 16, 32}
    assert {seed for _, seed, _ in study.trained} == {100, 101}


def test_the_grid_does_not_grow_for_ever(study):
    assert tune(study, log_of(study), 'a', most_rates=4) == 8


def test_an_interrupted_study_goes_on_and_repeats_nothing(study):
    study.dies_at = 17
    with pytest.raises(KeyboardInterrupt):
        run_study(study, log_of(study), seeds=range(4))
    study.dies_at = None
    assert not is_done(MadeUp, log_of(study), range(4))
    run_study(study, log_of(study), seeds=range(4))
    assert is_done(MadeUp, log_of(study), range(4)) and not is_done(MadeUp, log_of(study), range(5))
    assert len(study.trained) == len(set(study.trained)) == 2 * 6 * 2 + 2 * 4
    kept = log_of(study)
    assert [run.scores for run in kept.final('a')] == [{'score': float(seed % 3)} for seed in range(4)]
    assert [run.scores['other'] for run in kept.final('b')] == [50.0] * 4


def test_the_report_pairs_the_seeds(study, tmp_path):
    run_study(study, log_of(study), seeds=range(4))
    table, picture = write_report([MadeUp], tmp_path, tmp_path / 'work')
    row = next(line for line in table.read_text().splitlines() if line.startswith('| b '))
    assert '+1.00 [+1.00, +1.00], 4 of 4' in row and row.endswith('| 50.00 |')
    assert picture.stat().st_size > 1000


def test_a_run_is_read_back_as_it_was(tmp_path):
    run = Run('final', 'RAN-s, "best"', 3, 0.004, 400, 1.5, {'miou': 41.25})
    RunLog(tmp_path / 'log.csv', ['miou', 'other']).add(run)
    assert RunLog(tmp_path / 'log.csv', ['miou', 'other']).runs == {run.key: run}


@pytest.mark.parametrize(('gain', 'decided'), [(0.3, True), (0.1, False), (-0.3, True)])
def test_the_interval_is_that_of_the_paired_t_test(gain, decided):
    rng = np.random.default_rng(0)
    theirs = rng.normal(size=9)
    ours = theirs + rng.normal(gain, 0.2, size=9)
    found = paired(ours, theirs)
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.decided == (stats.ttest_rel(ours, theirs).pvalue < 0.05) == decided


def test_mean_iou_counts_the_classes_that_occur():
    confusion = np.array([[5, 1, 0], [2, 4, 0], [0, 0, 0]])
    assert mean_iou(confusion) == pytest.approx(100 * (5 / 8 + 4 / 7) / 2)


def test_images_drawn_anew():
    rng = np.random.default_rng(0)
    ours = np.stack([np.diag(row) for row in rng.integers(1, 9, size=(20, 3))])
    assert bootstrap_over_images(ours, ours) == (0, 0)
    worse = ours + np.ones((3, 3), int)
    low, high = bootstrap_over_images(ours, worse)
    assert 0 < low < high


def test_intervals_over_images_are_kept_without_the_matrices(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / 'work/kept/study'
    folder.mkdir(parents=True)
    matrices = {
        name: [rng.integers(1, 9, size=(20, 3, 3)) + gain * np.eye(3, dtype=int) for _ in range(2)]
        for name, gain in (('base', 0), ('better', 4))
    }
    for name, found in matrices.items():
        for seed, matrix in enumerate(found):
            np.save(folder / f'{seed}_{name}.npy', matrix)
    intervals = ImageIntervals(tmp_path, tmp_path / 'work')
    measured = intervals.find('study', 'base', 'better', [0, 1])
    assert measured == bootstrap_over_images(sum(matrices['better']), sum(matrices['base'])) and measured[0] > 0
    assert intervals.find('study', 'base', 'better', [0, 1, 2]) is None
    intervals.save()
    elsewhere = ImageIntervals(tmp_path, tmp_path / 'nothing')
    assert elsewhere.find('study', 'base', 'better', [0, 1]) == pytest.approx(measured, abs=0.005)
    assert elsewhere.find('study', 'base', 'better', [0]) is None
    assert elsewhere.find('other', 'base', 'better', [0, 1]) is None
