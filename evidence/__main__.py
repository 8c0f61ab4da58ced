"""Checks the papers' claims at a small size, with paired seeds: ``python -m evidence --data-root ... --weights ...``.

Each run is one line of a CSV in evidence/results. After Ctrl-C the same command continues. To repeat everything, give
another folder with --results.
"""

import argparse
import sys
from pathlib import Path

from mmengine.logging import MMLogger
from tqdm import tqdm

from .protocol import MOST_RATES, is_done, run_study
from .report import write_report
from .runs import RunLog
from .sources import Sources
from .studies import STUDIES

RESULTS = Path(__file__).parent / 'results'


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='evidence', description=__doc__)
    parser.add_argument('--data-root', type=Path, required=True, help='holds camvid/ and tiny_imagenet50/')
    parser.add_argument(
        '--weights', type=Path, required=True, help='holds resnet50_caffe_in1k.pth and mobilenet_v2_in1k.pth'
    )
    parser.add_argument('--only', nargs='+', choices=STUDIES, default=list(STUDIES), help='some studies')
    parser.add_argument('--results', type=Path, default=RESULTS, help='for CSVs, tables and the forest plot')
    parser.add_argument(
        '--work-dir', type=Path, default=Path('work_dirs/evidence'), help='for features and other files'
    )
    parser.add_argument('--seeds', type=int, nargs='+', help='instead of those of each study')
    parser.add_argument('--device', default='cpu', help='such as cuda; give other --results too (default: cpu)')
    parser.add_argument('--quick', action='store_true', help='does it run? A few images, 2 steps, one seed')
    args = parser.parse_args(argv)
    MMLogger.get_instance('evidence', log_level='WARNING')  # initial weights are not of interest
    limit = 4 if args.quick else None
    sources = Sources(args.data_root, args.weights, args.work_dir, args.results, limit, args.device)
    args.results.mkdir(parents=True, exist_ok=True)
    print(
        f'This takes about {sum(STUDIES[name].hours for name in args.only):.1f} hours on one core, less what is done.'
    )
    for name in tqdm(args.only, desc='studies'):
        log = RunLog(args.results / f'{name}.csv', STUDIES[name].measures)
        seeds = args.seeds or ((0,) if args.quick else STUDIES[name].seeds)
        if not is_done(STUDIES[name], log, seeds):
            study = STUDIES[name](sources, 2 if args.quick else None)
            run_study(study, log, seeds, 1 if args.quick else MOST_RATES)
    print('\n'.join(map(str, write_report(list(STUDIES.values()), args.results, args.work_dir))))
    return 0


if __name__ == '__main__':
    sys.exit(main())
