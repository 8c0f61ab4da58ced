"""Where the data sets come from: what the error of a missing one says."""

_PREPARE = "layout as in mmsegmentation's docs, user_guides/2_dataset_prepare"
SOURCES = {
    'PascalContextDataset59': f'VOC 2010 and the 59-class masks of PASCAL-Context; {_PREPARE}',
    'PascalVOCDataset': f'VOC 2012 and the SBD masks in SegmentationClassAug; {_PREPARE}',
    'ADE20KDataset': f'ADEChallengeData2016 from sceneparsing.csail.mit.edu; {_PREPARE}',
    'PascalPersonPartDataset': 'VOC 2010 and the Person-Part masks of Chen et al. 2014; layout in docs/datasets.md',
    'NYUDv2Dataset': 'NYU Depth v2 with the 40 classes of Gupta et al. 2013; layout in docs/datasets.md',
    'CamVidDataset': 'CamVid, the 480 x 360 version with SegNet\'s 11 classes; layout in docs/datasets.md',
    'DigitScenesDataset': 'it is drawn by `make demo`',
}


def how_to_get(dataset_type: str) -> str:
    """One sentence on where to get a data set, by the name of its class, with or without a scope."""
    return SOURCES.get(dataset_type.rpartition('.')[2], "see the data set's own documentation")
