"""One file a data set. Each one says where its facts come from."""

from .ade20k import ADE20K
from .cityscapes import CITYSCAPES
from .coco import COCO
from .cocostuff10k import COCOSTUFF10K
from .imagenet import IMAGENET
from .nyudv2 import NYUDV2
from .pascal_context import PASCAL_CONTEXT
from .person_part import PERSON_PART
from .voc12aug import VOC12AUG

# the name on the command line -> the data set
DATA_SETS = {
    'pascal-context': PASCAL_CONTEXT,
    'voc12aug': VOC12AUG,
    'person-part': PERSON_PART,
    'nyudv2': NYUDV2,
    'ade20k': ADE20K,
    'cityscapes': CITYSCAPES,
    'cocostuff10k': COCOSTUFF10K,
    'imagenet': IMAGENET,
    'coco': COCO,
}
