"""All studies, in the order in which they run."""

from .degraded import DegradedRegions
from .gates import PretrainedGates
from .protocol import Study
from .ran import FrozenContinued, FrozenScratch, Trained
from .regions import FrozenRegions, TrainedRegions
from .scales import FrozenScales
from .small_networks import SmallNetworks

STUDIES: dict[str, type[Study]] = {
    study.name: study
    for study in (
        FrozenScratch,
        FrozenContinued,
        FrozenScales,
        FrozenRegions,
        DegradedRegions,
        PretrainedGates,
        SmallNetworks,
        Trained,
        TrainedRegions,
    )
}
