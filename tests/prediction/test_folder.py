"""The folder of predictions of a segmentation model."""

import csv
import errno
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import quarters, save, save_truncated, save_turned, save_video
from PIL import Image
from trained_models import CLASSES, PALETTE, save_segmenter

import mmrev
from mmrev.errors import ConfigError, DataError
from mmrev.prediction.journal import NAME
from mmrev.prediction.predictor import Predictor

MESSAGES = dict(full=errno.ENOSPC, read_only=errno.EROFS)


def predict(model: tuple[str, str], images, **options):
    return mmrev.predict(*model, images, device='cpu', progress=False, **options)


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def table_of(out: Path = Path('predictions')) -> list[dict]:
    with open(out / 'areas.csv', newline='', encoding='utf-8', errors='surrogateescape') as file:
        return list(csv.DictReader(file))


def noise(seed: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


@pytest.fixture
def photos(here) -> Path:
    """Five pictures of two sizes."""
    for index, size in enumerate([(48, 64), (48, 64), (40, 56), (48, 64), (48, 64)]):
        save(here / f'photos/{index}.png', noise(index, size))
    return Path('photos')


def test_masks_overlays_probabilities_and_areas(segmenter, photos):
    report = predict(segmenter, photos, probabilities=True, opacity=1)
    assert str(report) == '5 predicted, in predictions'
    kinds = dict(masks='png', overlays='jpg', probabilities='npy')
    expected = [f'{kind}/{index}.{suffix}' for kind, suffix in kinds.items() for index in range(5)]
    assert files_of(report.out) == sorted([*expected, NAME, 'areas.csv', 'legend.png'])
    predicted = Predictor(*segmenter, device='cpu')([f'photos/{index}.png' for index in range(5)])
    for index, row in enumerate(table_of()):
        mask = Image.open(f'predictions/masks/{index}.png')
        labels = np.asarray(mask)
        assert mask.mode == 'P'
        assert mask.getpalette()[:9] == sum(PALETTE, [])
        assert (labels == predicted[index].sample.pred_sem_seg.data[0].numpy()).all()
        values = np.load(f'predictions/probabilities/{index}.npy')
        assert (values.argmax(0) == labels).mean() > 0.99  # float16 has ties
        assert np.allclose(values.sum(0, dtype=np.float32), 1, atol=2e-3)
        overlay = np.asarray(Image.open(f'predictions/overlays/{index}.jpg')).astype(int)
        assert np.median(abs(overlay - np.array(PALETTE)[labels])) < 8
        assert row['image'] == f'photos/{index}.png' and row['mask'] == f'masks/{index}.png'
        assert (int(row['height']), int(row['width'])) == labels.shape
        for label, name in enumerate(CLASSES):
            assert float(row[f'{name} (%)']) == pytest.approx(100 * (labels == label).mean(), abs=1e-3)


def test_a_batch_of_pictures_gives_the_same(segmenter, photos):
    predict(segmenter, photos, out='one')
    predict(segmenter, photos, out='batch', batch_size=3, overlays=False)
    assert table_of(Path('one')) == table_of(Path('batch'))
    assert not Path('batch/overlays').exists()


def test_the_mask_lies_on_the_picture_as_a_viewer_shows_it(segmenter, here):
    save(here / 'upright.png')
    save_turned(here / 'turned.png', 6, quarters())
    predict(segmenter, ['upright.png', 'turned.png'], opacity=0.3)
    for kind, suffix in (('masks', 'png'), ('overlays', 'jpg')):
        upright, turned = (np.asarray(Image.open(f'predictions/{kind}/{n}.{suffix}')) for n in ('upright', 'turned'))
        assert upright.shape[:2] == (48, 32)
        assert (upright == turned).all()


def test_names_with_spaces_umlauts_and_newlines(segmenter, here):
    names = ['two words', 'Größe', 'two\nlines', 'comma, "quote"', '日本', os.fsdecode(b'latin \xe4'), 'x' * 250]
    for name in names:
        save(here / 'in' / f'{name}.png')
    assert predict(segmenter, 'in').problems == []
    assert {path.stem for path in Path('predictions/masks').iterdir()} == set(names)
    assert {row['image'] for row in table_of()} == {f'in/{name}.png' for name in names}
    assert predict(segmenter, 'in').kept == len(names)


def test_one_bad_picture_is_reported_and_the_rest_is_done(segmenter, photos):
    save_truncated(photos / '1b.jpg')
    (photos / '3b.jpg').write_bytes(b'')
    told = []
    report = predict(segmenter, [photos, 'gone.png'], tell=told.append)
    assert str(report) == '5 predicted, 3 failed, in predictions'
    assert [problem.split()[0] for problem in report.problems] == ['gone.png', 'photos/1b.jpg', 'photos/3b.jpg']
    assert told == report.problems
    assert len(table_of()) == 5


def test_the_only_picture_is_bad(segmenter, here):
    (here / 'a.jpg').write_bytes(b'%PDF')
    told = []
    with pytest.raises(DataError, match=r'a.jpg cannot be read \(a PDF\)'):
        predict(segmenter, 'a.jpg', tell=told.append)
    assert told == []


def test_a_picture_that_the_model_cannot_take_does_not_harm_its_batch(segmenter, photos, monkeypatch):
    predictor_class = type(Predictor(*segmenter, device='cpu').model)
    step = predictor_class.test_step

    def fail(model, data):
        if any('1.png' in sample.img_path for sample in data['data_samples']):
            raise RuntimeError('Kernel size\ncannot be greater')
        return step(model, data)

    monkeypatch.setattr(predictor_class, 'test_step', fail)
    report = predict(segmenter, photos, batch_size=4)
    assert report.done == 4
    assert report.problems == [
        'photos/1.png (64 x 48 pixels): the model fails on it (RuntimeError: Kernel size cannot be greater)'
    ]


def test_a_stopped_run_goes_on(segmenter, photos, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 3, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt, match='after 2 images: the same command goes on'):
            predict(segmenter, photos)
    assert len(table_of()) == 2
    written = Path('predictions/masks/0.png').stat().st_mtime_ns
    Path('predictions/masks/1.png').unlink()
    with open(f'predictions/{NAME}', 'a') as file:
        file.write('{"name": "2", "ima')  # the process was killed here
    report = predict(segmenter, photos)
    assert (report.done, report.kept) == (4, 1)
    assert Path('predictions/masks/0.png').stat().st_mtime_ns == written
    assert sorted(row['image'] for row in table_of()) == [f'photos/{index}.png' for index in range(5)]
    report = predict(segmenter, photos)
    assert (report.done, report.kept) == (0, 5)


def stop_at(monkeypatch, number: int, error: BaseException) -> None:
    """Raises an error when mask number ``number`` is written."""
    from mmrev.prediction.tasks import Masks

    write, count = Masks._write_mask, iter(range(1, 100))

    def stopping(self, path, labels):
        if next(count) == number:
            raise error
        write(self, path, labels)

    monkeypatch.setattr(Masks, '_write_mask', stopping)


def test_nothing_of_another_origin_is_overwritten(segmenter, photos):
    save(Path('predictions/masks/3.png'))
    before = Path('predictions/masks/3.png').read_bytes()
    with pytest.raises(DataError, match=r'predictions/masks/3.png exists: .* or overwrite it with --force'):
        predict(segmenter, photos)
    assert Path('predictions/masks/3.png').read_bytes() == before
    assert predict(segmenter, photos, force=True).done == 5
    assert Path('predictions/masks/3.png').read_bytes() != before


def test_a_table_of_another_origin_is_not_overwritten(segmenter, photos):
    Path('predictions').mkdir()
    Path('predictions/areas.csv').write_text('mine')
    with pytest.raises(DataError, match='predictions/areas.csv exists'):
        predict(segmenter, photos)
    assert Path('predictions/areas.csv').read_text() == 'mine'


def test_another_picture_of_the_same_name(segmenter, here):
    for folder in 'ab':
        save(here / folder / 'x.png', noise(ord(folder)))
    predict(segmenter, 'a')
    before = Path('predictions/masks/x.png').read_bytes()
    with pytest.raises(DataError, match=r'b/x.png: the prediction x is of another picture'):
        predict(segmenter, 'b')
    assert Path('predictions/masks/x.png').read_bytes() == before
    predict(segmenter, 'b', force=True)
    assert [row['image'] for row in table_of()] == ['b/x.png']


def test_more_pictures_join_the_table(segmenter, photos):
    predict(segmenter, [photos / '0.png', photos / '1.png'])
    assert predict(segmenter, [photos / '4.png']).done == 1
    assert [row['image'] for row in table_of()] == [f'photos/{index}.png' for index in (0, 1, 4)]


def test_another_model_or_option_in_the_same_folder(segmenter, photos, tmp_path):
    predict(segmenter, photos)
    config, checkpoint = save_segmenter(tmp_path / 'other', seed=1)
    with pytest.raises(DataError, match='predictions has predictions with another checkpoint: '):
        predict((segmenter[0], checkpoint), photos)
    with pytest.raises(DataError, match='predictions with another probabilities'):
        predict(segmenter, photos, probabilities=True)
    assert predict((config, checkpoint), photos, force=True).done == 5


@pytest.mark.parametrize('kind', MESSAGES)
def test_a_disk_that_cannot_be_written(segmenter, photos, monkeypatch, kind):
    number, replace = MESSAGES[kind], os.replace

    def failing(source, target):
        if kind == 'read_only' or Path(target).stem == '2':
            raise OSError(number, os.strerror(number))
        replace(source, target)

    with monkeypatch.context() as patch, pytest.raises(DataError) as error:
        patch.setattr(os, 'replace', failing)
        predict(segmenter, photos)
    if kind == 'read_only':
        assert str(error.value) == (
            f'predictions/{NAME} cannot be written (Read-only file system): name another folder with --out'
        )
        return
    assert str(error.value).startswith('the disk is full: free some space, and run the same command again')
    assert not list(Path('predictions').rglob('.unfinished_*'))
    assert predict(segmenter, photos).kept == 2


def test_the_folder_is_a_file(segmenter, photos):
    Path('predictions').write_text('mine')
    with pytest.raises(DataError, match=r'predictions.* cannot be written'):
        predict(segmenter, photos)
    assert Path('predictions').read_text() == 'mine'


def test_a_video(segmenter, here):
    save_video(here / 'clip one.mp4', frames=5)
    report = predict(segmenter, 'clip one.mp4', every=2)
    assert report.problems == []
    assert [row['image'] for row in table_of()] == [f'clip one.mp4#{frame}' for frame in (0, 2, 4)]
    assert files_of(Path('predictions/masks')) == [f'clip one/{frame:06d}.png' for frame in (0, 2, 4)]
    film = cv2.VideoCapture('predictions/videos/clip one.mp4')
    assert (film.get(cv2.CAP_PROP_FRAME_COUNT), film.get(cv2.CAP_PROP_FPS)) == (3, 5)
    Path('predictions/masks/clip one/000002.png').unlink()
    report = predict(segmenter, 'clip one.mp4', every=2)
    assert (report.done, report.kept) == (1, 2)


def test_a_video_that_is_none(segmenter, here):
    (here / 'a.mp4').write_bytes(b'hello')
    save(here / 'a.png')
    report = predict(segmenter, ['a.mp4', 'a.png'])
    assert report.done == 1
    assert report.problems == ['a.mp4 cannot be read as a video: convert it to MP4 (H.264)']


def test_the_record_says_what_made_the_predictions(segmenter, photos):
    predict(segmenter, photos)
    header = json.loads(Path('predictions', NAME).read_text().splitlines()[0])
    assert header['notes'] == dict(mmrev=mmrev.__version__, checkpoint=segmenter[1], classes=list(CLASSES))


@pytest.mark.parametrize('options', [dict(opacity=2), dict(batch_size=0), dict(every=0), dict(device='gpu')])
def test_wrong_options(segmenter, photos, options):
    with pytest.raises(ConfigError):
        mmrev.predict(*segmenter, photos, progress=False, **options)
    assert not Path('predictions').exists()
