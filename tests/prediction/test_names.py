from pathlib import Path

import pytest

from mmrev.errors import DataError
from mmrev.prediction.names import output_names, shown
from mmrev.prediction.sources import Source, find_sources


def make(folder: Path, *names: str) -> list[Path]:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')
    return [folder / name for name in names]


def names_of(*inputs, **options) -> dict[str, str]:
    """The name of the predictions of each file."""
    sources, problems = find_sources(inputs, **options)
    assert problems == []
    return {str(source.path): source.name for source in sources}


def test_a_folder_is_searched_to_its_bottom_for_pictures(here):
    make(here, 'in/b.PNG', 'in/a.jpg', 'in/new/c d.jpeg', 'in/notes.txt', 'in/.hidden.jpg', 'in/.git/x.jpg', 'in/v.mp4')
    assert names_of('in') == {'in/a.jpg': 'a', 'in/b.PNG': 'b', 'in/new/c d.jpeg': 'new/c d'}


def test_the_predictions_are_no_pictures_to_predict(here):
    make(here, 'a.jpg', 'predictions/overlays/a.jpg', 'predictions/masks/a.png')
    assert names_of('.', leave_out=Path('predictions')) == {'a.jpg': 'a'}


def test_patterns_and_files_whose_names_look_like_one(here):
    make(here, 'in/a.jpg', 'in/x/b.jpg', 'in/c[1].jpg')
    assert names_of('in/**/*.jpg') == {'in/a.jpg': 'a', 'in/c[1].jpg': 'c[1]', 'in/x/b.jpg': 'b'}
    assert names_of('in/c[1].jpg') == {'in/c[1].jpg': 'c[1]'}


def test_a_picture_named_twice_is_predicted_once(here):
    make(here, 'in/a.jpg')
    assert names_of('in', 'in/a.jpg', here / 'in/../in/a.jpg') == {'in/a.jpg': 'a'}


def test_the_same_name_in_two_folders(here):
    make(here, 'may/a.jpg', 'june/a.jpg', 'june/b.jpg')
    assert names_of('may', 'june') == {'may/a.jpg': 'may/a', 'june/a.jpg': 'june/a', 'june/b.jpg': 'b'}
    assert names_of('may/a.jpg', 'june/a.jpg') == {'may/a.jpg': 'may/a', 'june/a.jpg': 'june/a'}
    make(here, 'x/1/a.jpg', 'y/1/a.jpg')
    assert names_of('x/1', 'y/1') == {'x/1/a.jpg': 'x/1/a', 'y/1/a.jpg': 'y/1/a'}


def test_two_suffixes_of_one_name(here):
    make(here, 'in/a.jpg', 'in/a.png', 'in/b.png', 'other/a.jpg')
    expected = {'in/a.jpg': 'a.jpg', 'in/a.png': 'a.png', 'in/b.png': 'b.png', 'other/a.jpg': 'a'}
    assert names_of('in', 'other') == expected


@pytest.mark.parametrize('count', [1, 7])
def test_names_are_never_equal(count):
    files = [(Path('/p', str(i)), Path('/p', str(i), 'x', f'a{s}')) for i in range(count) for s in ('.jpg', '.png', '')]
    names = output_names(files)
    assert len(set(names)) == len(names) == 3 * count


def test_a_video_beside_a_folder_of_its_frames(here):
    make(here, 'clip.mp4', 'in/clip/000001.jpg')
    assert names_of('clip.mp4', 'in') == {'clip.mp4': 'clip.mp4', 'in/clip/000001.jpg': 'clip/000001'}
    assert names_of('clip.mp4') == {'clip.mp4': 'clip'}


def test_a_link_to_a_folder(here):
    make(here, 'real/a.jpg')
    (here / 'link').symlink_to('real')
    assert names_of('link') == {'link/a.jpg': 'a'}


def test_missing_inputs_are_problems_beside_good_ones(here):
    make(here, 'a.jpg', 'empty/notes.txt', 'empty/b.heic')
    sources, problems = find_sources(['a.jpg', 'gone.jpg', '*.bmp', 'empty'])
    assert sources == [Source(Path('a.jpg'), 'a')]
    assert [problem.split(':')[0] for problem in problems] == [
        'gone.jpg is missing',
        '*.bmp is missing',
        'empty has no pictures',
    ]
    assert problems[2].endswith('; it has .heic, .txt files')


def test_nothing_at_all(here):
    make(here, 'in/clip.mp4')
    with pytest.raises(DataError, match='in has no pictures: .* files; it has .mp4 files. Name a video itself'):
        find_sources(['in'])


def test_a_name_in_a_message_is_one_line():
    assert shown('a\nb.jpg') == 'a\\nb.jpg'
    assert shown('Größe 1 日本.jpg') == 'Größe 1 日本.jpg'
    assert shown('a\udcff.jpg').isprintable()
