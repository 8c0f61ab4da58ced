"""The page in a real browser: it shows what it should, and asks no other machine for anything."""

import io
import json
import shutil
import urllib.request

import numpy as np
import pytest

pytest.importorskip('gradio', reason='the page is not tested: it needs gradio')
pytest.importorskip('selenium', reason='the page is not tested in a browser: it needs selenium')

from pictures import save
from PIL import Image
from scipy.ndimage import minimum_filter
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from serving_pages import served

from mmrev.prediction import Predictor
from mmrev.web.examples import find_examples
from mmrev.web.exhibit import Exhibit
from mmrev.web.page import build_page
from mmrev.web.server import kept_here, make_app, require_gradio
from mmrev.web.uploads import Limits

PATIENCE = 90
SHOWN = '#prediction img.base-image, #prediction .image-container img'


@pytest.fixture(scope='module')
def page(segmenter, tmp_path_factory):
    """The address of a page with two examples and a comparison."""
    require_gradio()
    folder, rng = tmp_path_factory.mktemp('examples'), np.random.default_rng(0)
    for name in 'ab':
        save(folder / f'{name}.png', rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    exhibit = Exhibit('tiny', Predictor(*segmenter, device='cpu'), Limits())
    examples = find_examples(folder, exhibit.predictor.reader, exhibit.limits)
    with kept_here(), served(make_app(build_page(exhibit, examples, exhibit), exhibit.limits)) as address:
        yield address


@pytest.fixture(scope='module')
def browser():
    chromium, driver = map(shutil.which, ('chromium', 'chromedriver'))
    if not (chromium and driver):
        pytest.skip('the page is not tested in a browser: apt-get install chromium chromium-driver')
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    # as root Chromium has no sandbox; the other options stop requests of the browser itself
    for option in ('headless=new', 'no-sandbox', 'disable-dev-shm-usage', 'window-size=1400,1000', 'disable-gpu'):
        options.add_argument(f'--{option}')
    for option in ('disable-background-networking', 'disable-component-update', 'no-first-run'):
        options.add_argument(f'--{option}')
    options.set_capability('goog:loggingPrefs', dict(performance='ALL', browser='ALL'))
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


def wait(browser, condition):
    return WebDriverWait(browser, PATIENCE, poll_frequency=0.2).until(lambda _: condition())


def visible(browser, selector: str) -> list:
    return [found for found in browser.find_elements(By.CSS_SELECTOR, selector) if found.is_displayed()]


def text(browser) -> str:
    return browser.find_element(By.TAG_NAME, 'body').text


def open_tab(browser, title: str) -> None:
    wait(browser, lambda: [tab for tab in visible(browser, 'button[role=tab]') if tab.text == title])[0].click()


def requested(browser) -> set[str]:
    """Returns the addresses that the browser has asked since the last call."""
    messages = [json.loads(entry['message'])['message'] for entry in browser.get_log('performance')]
    sent = [message['params'] for message in messages if message['method'] == 'Network.requestWillBeSent']
    return {message['request']['url'] for message in sent}


def assert_names_under_the_mouse(browser) -> None:
    """Inside of the pixels of each mask, the note names its class."""
    masks = wait(browser, lambda: visible(browser, '#prediction img.mask'))
    names = [item.text for item in visible(browser, '#prediction .legend-item')]
    box = browser.execute_script('return arguments[0].getBoundingClientRect().toJSON()', masks[0])
    seen = set()
    for mask, name in zip(masks, names, strict=True):
        opaque = np.array(Image.open(fetched(mask.get_attribute('src'))).convert('RGBA'))[..., 3] > 0
        size = np.array(opaque.shape)
        scale = min(np.array([box['height'], box['width']]) / size)
        inside = np.argwhere(minimum_filter(opaque, 5))
        for place in inside[:: len(inside) // 3 + 1]:
            down, right = (scale * (place - size / 2)).astype(int).tolist()
            ActionChains(browser).move_to_element_with_offset(masks[0], right, down).perform()
            wait(browser, lambda expected=name: note(browser) == expected)
            seen.add(name)
    assert len(seen) > 1
    ActionChains(browser).move_to_element(browser.find_element(By.ID, 'scores')).perform()
    wait(browser, lambda: note(browser) == '')


def note(browser) -> str:
    return browser.find_element(By.ID, 'under-the-mouse').text


def fetched(url: str) -> io.BytesIO:
    with urllib.request.urlopen(url) as answer:
        return io.BytesIO(answer.read())


def test_a_visit(browser, page, tmp_path):
    browser.get(page)
    thumbnails = wait(browser, lambda: visible(browser, '#examples button.thumbnail-item'))
    assert len(thumbnails) == 2

    thumbnails[1].click()
    wait(browser, lambda: visible(browser, SHOWN))
    wait(browser, lambda: any(name in text(browser) for name in ('sky', 'road', 'car')))

    assert_names_under_the_mouse(browser)

    open_tab(browser, 'Reverse attention')
    wait(browser, lambda: 'reverse attention' in text(browser).split('Dark is 0')[-1])
    wait(browser, lambda: visible(browser, '.class-choice input'))[0].click()
    wait(browser, lambda: [option for option in visible(browser, '[role=option]') if 'car' in option.text])[0].click()
    wait(browser, lambda: 'car: reverse attention' in text(browser))

    open_tab(browser, 'Comparison')
    wait(browser, lambda: 'differ on 0.0 % of the pixels' in text(browser))

    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(b'%PDF-1.7')
    browser.find_element(By.CSS_SELECTOR, '#upload input[type=file]').send_keys(str(broken))
    wait(browser, lambda: 'broken.jpg cannot be read (a PDF): export it as JPEG or PNG' in text(browser))
    open_tab(browser, 'Segmentation')
    wait(browser, lambda: not visible(browser, SHOWN))

    # an example takes the place of the broken upload
    visible(browser, '#examples button.thumbnail-item')[0].click()
    wait(browser, lambda: visible(browser, SHOWN))
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, '#upload input[type=file]'))

    urls = requested(browser)
    outside = {url for url in urls if not url.startswith((page, 'data:', 'blob:', 'chrome:'))}
    assert len(urls) > 10 and not outside
    problems = [entry for entry in browser.get_log('browser') if entry['level'] == 'SEVERE']
    assert problems == []
