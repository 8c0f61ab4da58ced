"""The page as a client of gradio sees it."""

import socket

import pytest

pytest.importorskip('gradio', reason='the page is not tested: it needs gradio')

from fastapi.testclient import TestClient
from gradio_client import Client, handle_file
from serving_pages import served

from mmrev.prediction import Predictor
from mmrev.web.exhibit import Exhibit
from mmrev.web.page import build_page, first_choice
from mmrev.web.results import Result
from mmrev.web.server import kept_here, make_app, require_gradio
from mmrev.web.uploads import Limits


@pytest.fixture(scope='module')
def exhibit(segmenter) -> Exhibit:
    return Exhibit('tiny', Predictor(*segmenter, device='cpu'), Limits(megabytes=0.5))


@pytest.fixture(scope='module')
def connected():
    """The hosts that this process connects to, server and client."""
    hosts, connect = [], socket.socket.connect

    def note(self, address):
        hosts.append(address[0])
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, 'connect', note)
        yield hosts


@pytest.fixture(scope='module')
def client(exhibit, connected):
    require_gradio()
    with kept_here() as folder, served(make_app(build_page(exhibit, [], other=exhibit), exhibit.limits)) as address:
        yield Client(address, download_files=folder, verbose=False, analytics_enabled=False)


def test_a_picture_goes_through_all_panels(client, exhibit, photo):
    client.predict(handle_file(photo), api_name='/choose')
    drawn, scores = client.predict(api_name='/prediction')
    result = exhibit.result(photo)
    found = {entry['label']: entry['confidence'] for entry in scores['confidences']}
    assert found == pytest.approx(dict(result.scores))
    assert [entry['label'] for entry in drawn['value']['annotations']] == [name for _, name in result.regions]
    choice, maps = client.predict(None, api_name='/maps_0')
    captions = [entry['caption'] for entry in maps['value']]
    assert captions[0] == 'picture' and captions[2] == f'{choice["value"]}: reverse attention'
    _, maps = client.predict('sky', api_name='/maps_0')
    assert maps['value'][1]['caption'] == 'sky: before'
    assert client.predict(api_name='/comparison')[1] == 'The two models differ on 0.0 % of the pixels.'


def test_the_server_asks_no_other_machine(client, connected, photo):
    client.predict(handle_file(photo), api_name='/choose')
    client.predict(api_name='/prediction')
    assert connected and set(connected) == {'127.0.0.1'}


def test_a_broken_picture_is_one_line(client, folder):
    path = folder / 'broken.jpg'
    path.write_bytes(b'%PDF-1.7')
    client.predict(handle_file(path), api_name='/choose')
    with pytest.raises(Exception) as caught:
        client.predict(api_name='/prediction')
    assert str(caught.value) == 'broken.jpg cannot be read (a PDF): export it as JPEG or PNG'


def test_a_file_above_the_limit_is_not_taken(client, folder):
    path = folder / 'large.bmp'
    path.write_bytes(bytes(600_000))
    with pytest.raises(Exception, match='413|exceed|too large|Maximum'):
        client.predict(handle_file(path), api_name='/choose')


def test_files_of_this_machine_cannot_be_chosen(client):
    with pytest.raises(Exception, match='not in the upload|not allowed|Cannot|Invalid|was not|error'):
        client.predict(dict(path='/etc/hostname', meta=dict(_type='gradio.FileData')), api_name='/choose')


def test_answers_forbid_the_outside_and_report_nothing(exhibit):
    app = make_app(build_page(exhibit, []), exhibit.limits)
    with TestClient(app) as local:
        page = local.get('/')
        settings = local.get('/config').json()
    policy = page.headers['Content-Security-Policy']
    assert page.status_code == 200 and 'http' not in policy and "default-src 'self'" in policy
    assert settings['analytics_enabled'] is False
    assert 'fonts.g' not in page.text
    assert settings['title'] == 'tiny - mmrev'


@pytest.mark.parametrize(
    ('scores', 'expected'), [({'sky': 0.9, 'road': 0.1}, 'road'), ({'sky': 1.0}, 'sky'), ({}, 'car')]
)
def test_the_first_class_is_no_background(scores, expected):
    result = Result(None, None, scores, colors={'sky': '#000000', 'road': '#ff0000'})
    choices = ['car', 'sky', 'road']
    assert choices[first_choice(result, choices)] == expected
