"""``mmrev serve``: a web page that shows a model at work."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmrev.errors import ConfigError
from mmrev.prediction import Predictor
from mmrev.prediction.predictor import open_published
from mmrev.web.examples import find_examples
from mmrev.web.exhibit import Exhibit
from mmrev.web.server import kept_here, listen, make_app, require_gradio, serve
from mmrev.web.uploads import Limits

from .arguments import config_parser
from .configs import load_config
from .running import run

LOCAL = ('127.0.0.1', 'localhost', '::1')


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser(
        'serve',
        'Open a web page on this machine: choose a picture, and see the prediction of a model of any host and the maps '
        'inside of it. Ctrl-C ends it.',
    )
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='a .pth or .safetensors file of this config; a file that holds code is refused. Leave it out if the '
        'config is a published model (`mmrev publish`)',
    )
    parser.add_argument('--images', type=Path, metavar='FOLDER', help='pictures that the page offers')
    parser.add_argument(
        '--compare', nargs=2, metavar=('CONFIG', 'CHECKPOINT'), help='a second model, such as a baseline'
    )
    parser.add_argument('--host', default='127.0.0.1', help='0.0.0.0 lets the network in (default: 127.0.0.1)')
    parser.add_argument('--port', type=_port, default=7860, help='0 takes a free one (default: 7860)')
    parser.add_argument('--max-megabytes', type=_above_zero, default=20, metavar='MB', help='(default: 20)')
    parser.add_argument('--max-megapixels', type=_above_zero, default=25, metavar='MP', help='(default: 25)')
    parser.add_argument('--device', help='such as cpu or cuda:1 (default: a GPU if there is one)')
    return run(serve_page, parser, argv)


def serve_page(args: argparse.Namespace) -> None:
    require_gradio()
    if args.checkpoint is None:
        cfg, checkpoint = open_published(args.config, args.cfg_options)
    else:
        cfg, checkpoint = load_config(args, needs='test_dataloader'), args.checkpoint
    limits = Limits(args.max_megabytes, args.max_megapixels)
    with listen(args.host, args.port) as opened, kept_here():
        exhibit = Exhibit(Path(args.config).stem, Predictor(cfg, checkpoint, args.device), limits)
        other = None
        if args.compare:
            config, baseline = args.compare
            other = Exhibit(Path(config).stem, Predictor(config, baseline, args.device), limits)
        if other and other.predictor.task != exhibit.predictor.task:
            raise ConfigError(
                f'--compare is a model of {other.predictor.task}, and the first one of {exhibit.predictor.task}: give '
                'two models of one task'
            )
        examples = find_examples(args.images, exhibit.predictor.reader, limits) if args.images else []
        from mmrev.web.page import build_page

        app = make_app(build_page(exhibit, examples, other), limits)
        if args.host not in LOCAL:
            print('anyone who reaches this machine can use the page, without a password')
        print(f'the page is at {address(args.host, opened.getsockname()[1])} (Ctrl-C ends it)', flush=True)
        serve(app, opened)


def address(host: str, port: int) -> str:
    """Returns the address to open in a browser on this machine.

    Example:
        >>> address('0.0.0.0', 80), address('::1', 80)
        ('http://127.0.0.1:80', 'http://[::1]:80')
    """
    host = {'0.0.0.0': '127.0.0.1', '::': '::1'}.get(host, host)
    return f'http://[{host}]:{port}' if ':' in host else f'http://{host}:{port}'


def _port(text: str) -> int:
    if not 0 <= (port := int(text)) <= 65535:
        raise argparse.ArgumentTypeError(f'{text}: expected 0 to 65535')
    return port


def _above_zero(text: str) -> float:
    if not 0 < (number := float(text)) < float('inf'):
        raise argparse.ArgumentTypeError(f'{text}: expected a number above 0')
    return number
