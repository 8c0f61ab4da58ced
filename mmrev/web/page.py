"""The page: pictures to choose on the left, what the model shows on the right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from mmrev.errors import UserError
from mmrev.prediction.sources import PICTURES

from .examples import Example
from .exhibit import Exhibit
from .results import Result, difference
from .uploads import Limits

TOP = 12  # classes in the list of shares or scores
KEPT_SECONDS = 3600
MOST_COLUMNS = 2
HEIGHT = 560  # pixels of the picture on the page
SCORES = {
    'segmentation': 'Share of the picture',
    'detection': 'Score of each object',
    'classification': 'Probability of each class',
}
Visibility = Literal['public', 'private']
# a gallery of maps has no square frames and no bar to scroll: a map is as large as its column
CSS = """
footer {display: none !important}
.gradio-container {width: 100% !important; max-width: 1500px !important; margin: auto}
.maps .grid-wrap {max-height: none !important; height: auto !important}
.maps .thumbnail-item {aspect-ratio: auto !important}
.maps .thumbnail-item img {height: auto !important}
#under-the-mouse {position: fixed; z-index: 1000; padding: 2px 8px; border-radius: 4px; pointer-events: none;
  background: #222d; color: white; font: 14px system-ui, sans-serif}
#under-the-mouse:empty {display: none}
"""


@dataclass(frozen=True)
class Panel:
    """A part of the page that follows the chosen picture.

    Args:
        name: Its name for gradio's clients.
        outputs: Its components.
        show: A function that takes the path of the picture, and returns the values of ``outputs``.
        choice: A component that ``show`` also reads and sets. It stays as it is when the next picture comes.
    """

    name: str
    outputs: Sequence[Any]
    show: Callable[..., list]
    choice: Any = None


def build_page(exhibit: Exhibit, examples: Sequence[Example], other: Exhibit | None = None) -> gr.Blocks:
    """Builds the page.

    Args:
        exhibit: The model.
        examples: Pictures that a visitor can pick.
        other: A second model, to compare with.

    Returns:
        The page. It is not served yet.
    """
    with gr.Blocks(
        title=f'{exhibit.name} - mmrev', analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)
    ) as page:
        chosen = gr.State()
        gr.Markdown(f'## {exhibit.name}')
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                upload = _upload(exhibit.limits)
                gallery = _gallery(examples)
            with gr.Column(scale=4), gr.Tabs():
                panels = [_prediction_tab(exhibit)]
                panels += [_view_tab(exhibit, index, chosen) for index in range(len(exhibit.views))]
                if other:
                    panels.append(_comparison_tab(exhibit, other))
        cleared = [component for panel in panels for component in panel.outputs if component is not panel.choice]

        def start(path: str | None) -> list:
            return [path, *[None] * len(cleared)]

        def pick(event: gr.SelectData) -> list:
            return [None, *start(str(examples[event.index].path))]

        after = [chosen, *cleared]
        _follow(upload.upload(start, upload, after, queue=False, api_name='choose'), chosen, panels, 'public')
        upload.clear(lambda: start(None), None, after, queue=False, api_visibility='private')
        picked = gallery.select(pick, None, [upload, *after], queue=False, api_visibility='private')
        _follow(picked, chosen, panels, 'private')
    return page


def _upload(limits: Limits) -> gr.File:
    gr.Markdown(f'**Your picture**, up to {limits.megabytes:g} MB and {limits.megapixels:g} megapixels')
    return gr.File(show_label=False, file_types=list(PICTURES), height=130, elem_id='upload')


def _gallery(examples: Sequence[Example]) -> gr.Gallery:
    gr.Markdown('**Or pick one**', visible=bool(examples))
    return gr.Gallery(
        [(example.thumbnail, None) for example in examples],
        show_label=False,
        columns=2,
        height=440,
        object_fit='cover',
        allow_preview=False,
        interactive=False,
        buttons=[],
        visible=bool(examples),
        elem_id='examples',
    )


def _prediction_tab(exhibit: Exhibit) -> Panel:
    task = exhibit.predictor.task
    with gr.Tab(task.capitalize()), gr.Row():
        if task == 'classification':
            picture: Any = gr.Image(show_label=False, interactive=False, buttons=[], height=HEIGHT, scale=3)
        else:
            picture = gr.AnnotatedImage(show_label=False, height=HEIGHT, scale=3, elem_id='prediction')
        headline = task == 'classification'
        scores = gr.Label(
            label=SCORES[task], num_top_classes=TOP, show_heading=headline, min_width=230, elem_id='scores'
        )

    def show(path: str) -> list:
        result = exhibit.result(path)
        if task == 'classification':
            return [result.picture, dict(result.scores)]
        shown = gr.AnnotatedImage((result.picture, list(result.regions)), color_map=dict(result.colors))
        return [shown, dict(result.scores)]

    return Panel('prediction', [picture, scores], _one_line(show))


def _view_tab(exhibit: Exhibit, index: int, chosen: gr.State) -> Panel:
    view = exhibit.views[index]
    with gr.Tab(view.title):
        gr.Markdown(view.text)
        choice = gr.Dropdown(
            list(view.choices),
            value=None,
            type='index',
            label='Class',
            visible=bool(view.choices),
            elem_classes='class-choice',
        )
        pictures = gr.Gallery(
            show_label=False, object_fit='contain', interactive=False, buttons=['fullscreen'], elem_classes='maps'
        )

    def show(path: str | None, wanted: int | None) -> list:
        if path is None:
            return [gr.skip(), None]
        if wanted is None and view.choices:
            wanted = first_choice(exhibit.result(path), view.choices)
        found = exhibit.pictures(path, index, wanted or 0)
        value = view.choices[wanted or 0] if view.choices else None
        return [gr.Dropdown(value=value), gr.Gallery(found, columns=min(len(found), MOST_COLUMNS))]

    guarded = _one_line(show)
    outputs = [choice, pictures]
    choice.input(guarded, [chosen, choice], outputs, concurrency_id='model', api_visibility='private')
    return Panel(f'maps_{index}', outputs, guarded, choice)


def _comparison_tab(exhibit: Exhibit, other: Exhibit) -> Panel:
    task = exhibit.predictor.task
    with gr.Tab('Comparison'):
        if task == 'classification':
            with gr.Row():
                baseline = gr.Label(label=other.name, num_top_classes=TOP)
                ours = gr.Label(label=exhibit.name, num_top_classes=TOP)

            def show_labels(path: str) -> list:
                return [dict(other.result(path).scores), dict(exhibit.result(path).scores)]

            return Panel('comparison', [baseline, ours], _one_line(show_labels))
        gr.Markdown(f'**{other.name}** is at the left of the line, **{exhibit.name}** at the right. Drag the line.')
        slider = gr.ImageSlider(show_label=False, interactive=False, max_height=HEIGHT, elem_id='comparison')
        text = gr.Markdown()

    def show(path: str) -> list:
        before, after = other.result(path), exhibit.result(path)
        sentence = difference(before, after, other.predictor.classes, exhibit.predictor.classes)
        return [(before.drawn, after.drawn), sentence]

    return Panel('comparison', [slider, text], _one_line(show))


def first_choice(result: Result, choices: Sequence[str]) -> int:
    """Returns the index of the class to show first: the one with the largest share that is no (black) background."""
    found = [name for name in result.scores if name in choices]
    coloured = [name for name in found if result.colors.get(name) != '#000000']
    return list(choices).index(next(iter([*coloured, *found, choices[0]])))


def _follow(event: Any, chosen: gr.State, panels: Sequence[Panel], visibility: Visibility) -> None:
    # one after the other: the first tab comes first, and a picture that cannot be read is reported once
    for number, panel in enumerate(panels):
        event = (event.success if number < 2 else event.then)(
            panel.show,
            [chosen, panel.choice] if panel.choice else [chosen],
            list(panel.outputs),
            concurrency_id='model',
            api_name=panel.name,
            api_visibility=visibility,
        )


def _one_line(show: Callable[..., Any]) -> Callable[..., Any]:
    """Turns our errors into a message on the page."""

    def guarded(*values: Any) -> Any:
        try:
            return show(*values)
        except UserError as problem:
            raise gr.Error(
                str(problem), duration=None, title='This picture cannot be shown', print_exception=False
            ) from None

    return guarded
