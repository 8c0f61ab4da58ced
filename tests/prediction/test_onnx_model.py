"""Exported models: what `mmrev export` writes, and `mmrev predict` of it where torch and OpenMMLab are missing."""

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tiny_runs
from fresh_process import run_fresh
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from PIL import Image
from stacks import UPSTREAM
from trained_models import CLASSES, PALETTE, save_model, save_segmenter

from mmrev.cli import export, predict
from mmrev.cli.main import main
from mmrev.cli.predict_onnx import main as predict_onnx
from mmrev.errors import CheckpointError
from mmrev.prediction.onnx_images import interpolate, prepare
from mmrev.prediction.onnx_model import OnnxModel, _windows
from mmrev.prediction.predictor import Predictor
from mmrev.prediction.results import as_array
from mmrev.prediction.sources import find_sources

HERE = not UPSTREAM and all(map(find_spec, ('onnx', 'onnxscript', 'onnxruntime')))
needs_onnx = pytest.mark.skipif(not HERE, reason='export to ONNX needs torch 2.6 and the extra onnx')
WITHOUT = ('torch', 'mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'mmdet', 'cv2', 'tqdm', 'matplotlib', 'scipy', 'onnx')
RESIZING = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(80, 60), keep_ratio=True),
    dict(type='PackSegInputs'),
]


@pytest.fixture(scope='session')
def exported(tmp_path_factory) -> tuple[tuple[str, str], Path]:
    """A segmenter whose pipeline resizes, and its ONNX file."""
    folder = tmp_path_factory.mktemp('exported')
    segmenter = save_segmenter(folder, **{'model.scales': (1.0,), 'test_dataloader.dataset.pipeline': RESIZING})
    assert tiny_runs.call(export.main, *segmenter, '--out', folder / 'model.onnx', '--uint8') == 0
    return segmenter, folder / 'model.onnx'


@pytest.fixture
def photos(here) -> list[str]:
    names = ['a.png', 'b.jpg', 'wide.png']
    for index, (name, size) in enumerate(zip(names, [(48, 64), (61, 47), (30, 90)], strict=True)):
        noise = np.random.default_rng(index).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(noise).resize(size[::-1], reducing_gap=None).save(name)
    return names


def rows(path: str) -> list[list[str]]:
    with open(path, newline='') as file:
        return list(csv.reader(file))


@needs_onnx
def test_the_masks_are_those_of_torch_without_torch(exported, photos):
    segmenter, file = exported
    assert tiny_runs.call(predict.main, *segmenter, *photos, '--device', 'cpu', '--out', 'torch') == 0
    code = f'from mmrev.cli.main import main\nprint(main({["predict", str(file), *photos, "--out", "onnx"]}))'
    assert run_fresh(code, absent=WITHOUT).splitlines() == ['3 predicted, in onnx: areas.csv', '0']
    for name in ('a', 'b', 'wide'):
        ours, torchs = (np.asarray(Image.open(f'{folder}/masks/{name}.png')) for folder in ('onnx', 'torch'))
        assert ours.shape == torchs.shape and (ours == torchs).mean() > 0.995  # noise, resized by OpenCV and by us
    assert Image.open('onnx/masks/a.png').getpalette()[:9] == sum(PALETTE, [])
    assert sorted(path.name for path in Path('onnx/overlays').iterdir()) == ['a.jpg', 'b.jpg', 'wide.jpg']
    tables = [rows(f'{folder}/areas.csv') for folder in ('onnx', 'torch')]
    assert tables[0][0] == tables[1][0] == ['image', 'mask', 'width', 'height', *(f'{name} (%)' for name in CLASSES)]
    for ours, torchs in zip(*(table[1:] for table in tables), strict=True):
        assert ours[:4] == torchs[:4]
        np.testing.assert_allclose(np.float64(ours[4:]), np.float64(torchs[4:]), atol=0.5)


@needs_onnx
def test_the_file_says_what_it_is(exported):
    model = OnnxModel(exported[1])
    about = model.description
    assert about['classes'] == list(CLASSES) and about['palette'] == PALETTE and about['opset'] == 18
    assert about['methods'] == ['MultiScaleEncoderDecoder', 'ReverseAttentionHead']
    assert (
        about['input']['uint8'] and about['steps'][0]['scale'] == [80, 60] and 'ReverseAttentionHead' in about['config']
    )
    (images,) = model.session.get_inputs()
    assert images.name == 'images' and images.shape == ['batch', 3, 'height', 'width']


@needs_onnx
def test_a_run_goes_on_and_another_model_is_refused(exported, photos, capsys, segmenter):
    command = ('predict', str(exported[1]), *photos)
    assert main(list(command)) == 0 and main(list(command)) == 0
    assert '0 predicted, 3 kept' in capsys.readouterr().out
    assert tiny_runs.call(predict.main, *segmenter, *photos, '--device', 'cpu') == 1
    assert 'predictions has predictions with another config: name another folder' in tiny_runs.error_line(capsys)


@needs_onnx
def test_the_labels_of_a_classifier(photos, tmp_path, capsys):
    model = save_model(tmp_path / 'model', 'classification', dict(dataset_meta=dict(classes=['cat', 'dog'])))
    assert tiny_runs.call(export.main, *model, '--out', 'c.onnx', '--check-images', *photos) == 0
    out = capsys.readouterr().out
    assert 'your images: the largest difference' in out and '100.000 % of the top labels are equal' in out
    assert predict_onnx(['c.onnx', *photos, '--out', 'onnx', '--probabilities']) == 0
    assert tiny_runs.call(predict.main, *model, *photos, '--device', 'cpu', '--out', 'torch', '--probabilities') == 0
    ours, torchs = (rows(f'{folder}/labels.csv') for folder in ('onnx', 'torch'))
    assert [row[:3] for row in ours] == [row[:3] for row in torchs]
    assert abs(float(ours[1][3]) - float(torchs[1][3])) < 1e-4


@needs_onnx
def test_files_that_are_in_the_way(exported, here, capsys, monkeypatch):
    segmenter, _ = exported
    Path('model.onnx').write_text('mine')
    assert tiny_runs.call(export.main, *segmenter, '--out', 'model.onnx') == 1
    assert 'model.onnx exists: name another file with --out, or overwrite it with --force' in tiny_runs.error_line(
        capsys
    )
    assert tiny_runs.call(export.main, *segmenter, '--out', '.') == 1
    assert '. is a folder: name a file with --out' in tiny_runs.error_line(capsys)
    monkeypatch.setattr('mmrev.export.exporting.os.access', lambda *_: False)
    assert tiny_runs.call(export.main, *segmenter, '--out', 'new.onnx') == 1
    assert 'cannot be written: name another folder with --out' in tiny_runs.error_line(capsys)
    assert [path.name for path in here.iterdir()] == ['model.onnx'] and Path('model.onnx').read_text() == 'mine'


@needs_onnx
def test_a_wrong_file_is_never_written(exported, here, capsys, monkeypatch):
    from mmrev.export import exporting

    right = exporting.run_archive
    monkeypatch.setattr(exporting, 'run_archive', lambda file: lambda images: [1.01 * right(file)(images)[0]])
    assert tiny_runs.call(export.main, *exported[0], '--format', 'torch-export', '--out', 'model.pt2') == 1
    assert 'the exported file is wrong: its outputs differ by' in tiny_runs.error_line(capsys)
    assert list(here.iterdir()) == []


def test_a_format_that_is_not_there(segmenter, here, capsys):
    assert tiny_runs.call(export.main, *segmenter, '--format', 'torchscript') == 1
    assert "unknown format 'torchscript': use one of 'onnx', 'torch-export'" in tiny_runs.error_line(capsys)


@pytest.mark.skipif(find_spec('onnxruntime') is None, reason='no onnxruntime')
def test_files_that_are_not_ours(here, capsys):
    Image.new('RGB', (8, 8)).save('a.png')
    Path('bad.onnx').write_text('no model')
    for name, message in (
        ('bad', 'is no ONNX file that onnxruntime can run'),
        ('none', 'is missing: expected a file of'),
    ):
        assert main(['predict', f'{name}.onnx', 'a.png']) == 1
        assert message in tiny_runs.error_line(capsys)
    assert main(['predict', 'bad.onnx', 'nothing.png']) == 1
    assert 'nothing.png is missing' in tiny_runs.error_line(capsys)
    assert not Path('predictions').exists()


@needs_onnx
def test_an_onnx_file_without_a_description(here):
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info('x', TensorProto.FLOAT, [1])
    other = helper.make_tensor_value_info('y', TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node('Identity', ['x'], ['y'])], 'g', [value], [other])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=8), 'x.onnx')
    with pytest.raises(CheckpointError, match='has no description by mmrev'):
        OnnxModel('x.onnx')


def test_without_onnxruntime(here):
    Path('x.onnx').write_text('model')
    Image.new('RGB', (8, 8)).save('a.png')
    code = "from mmrev.cli.main import main\nimport sys; sys.stderr = sys.stdout\nmain(['predict', 'x.onnx', 'a.png'])"
    assert "x.onnx needs onnxruntime: pip install 'mmrev[onnx]'" in run_fresh(code, absent=('onnxruntime', 'torch'))


@pytest.mark.parametrize('align', [False, True])
@pytest.mark.parametrize('size', [(7, 9), (3, 4), (5, 1), (20, 30)])
def test_maps_are_resized_as_by_torch(size, align):
    import torch
    from torch.nn import functional as F

    maps = np.random.default_rng(0).standard_normal((3, 5, 6)).astype(np.float32)
    expected = F.interpolate(torch.from_numpy(maps)[None], size, mode='bilinear', align_corners=align)[0]
    np.testing.assert_allclose(interpolate(maps, size, align), expected, atol=2e-5)


@pytest.mark.parametrize(
    'step',
    [
        dict(type='Resize', scale=(50, 40), keep_ratio=True),
        dict(type='Resize', scale=(50, 40)),
        dict(type='Resize', scale_factor=1.7),
        dict(type='ResizeEdge', scale=40),
        dict(type='ResizeEdge', scale=40, edge='long', backend='pillow'),
        dict(type='CenterCrop', crop_size=31),
    ],
)
def test_steps_are_those_of_openmmlab(step):
    from mmrev.export.description import steps_of

    image = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        expected = Compose([dict(step)])(dict(img=image.copy()))['img']
    (known,) = json.loads(json.dumps(steps_of([step])))
    description = dict(steps=[known], input=dict(uint8=True))
    ours = prepare(image, description)[0].transpose(1, 2, 0)
    assert ours.shape == expected.shape
    assert np.abs(ours.astype(int) - expected).max() <= 1  # OpenCV computes in fixed point


def test_windows_are_those_of_mmseg():
    found = list(_windows((10, 7), [6, 8], [3, 8]))
    assert [(rows.start, rows.stop) for rows, _ in found] == [(0, 6), (3, 9), (4, 10)]
    assert {(columns.start, columns.stop) for _, columns in found} == {(0, 7)}


SLIDING = {
    'model.scales': (1.0,),
    'model.test_cfg': dict(mode='slide', crop_size=(32, 48), stride=(20, 31)),
    'test_dataloader.dataset.pipeline': [RESIZING[0], RESIZING[2]],
}


@needs_onnx
def test_sliding_windows_are_those_of_mmseg(photos, tmp_path):
    """Pictures are larger than a window, have odd sizes, or are smaller than a window in one direction."""
    segmenter = save_segmenter(tmp_path, **SLIDING)
    assert tiny_runs.call(export.main, *segmenter, '--out', tmp_path / 'model.onnx') == 0
    sources, _ = find_sources(photos)
    ours = OnnxModel(tmp_path / 'model.onnx').stream(sources, batch_size=2)
    torchs = Predictor(*segmenter, device='cpu').stream(sources)
    sizes = []
    for (_, found), (_, expected) in zip(ours, torchs, strict=True):
        sizes.append(found.picture.shape[:2])
        scores, own = (as_array(part.sample.seg_logits.data) for part in (expected, found))
        np.testing.assert_allclose(own, scores, atol=1e-4)
        assert (found.sample.pred_sem_seg.data == as_array(expected.sample.pred_sem_seg.data)).mean() > 0.999
    assert sizes == [(48, 64), (61, 47), (30, 90)]


@pytest.mark.parametrize('output', ['probabilities', 'labels'])
def test_only_scores_can_be_averaged_over_windows(output, here, capsys):
    """mmseg averages scores before the softmax."""
    segmenter = save_segmenter(here / 'model', **SLIDING)
    assert (
        tiny_runs.call(export.main, *segmenter, '--format', 'torch-export', '--output', output, '--out', 'm.pt2') == 1
    )
    assert "mmseg averages the scores of windows (test_cfg mode='slide'): use --output scores" in tiny_runs.error_line(
        capsys
    )
