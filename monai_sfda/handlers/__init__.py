"""What happens between steps."""

from monai_sfda.handlers.anneal import ExponentialAnneal, LinearAnneal
from monai_sfda.handlers.case_table import CaseTable
from monai_sfda.handlers.epoch_seed import EpochSeed
from monai_sfda.handlers.fit_cutoffs import FitCutoffs
from monai_sfda.handlers.flip_agreement import FlipAgreement
from monai_sfda.handlers.follow import FollowStudent
from monai_sfda.handlers.heap_keep import HeapKeep
from monai_sfda.handlers.heap_trim import HeapTrim
from monai_sfda.handlers.history import History
from monai_sfda.handlers.keep_middle import KeepMiddle
from monai_sfda.handlers.postprocess_in_threads import PostprocessInThreads
from monai_sfda.handlers.postprocess_items import PostprocessItems
from monai_sfda.handlers.progress import Progress
from monai_sfda.handlers.resume import Resume
from monai_sfda.handlers.shared_statistics import SharedStatistics
from monai_sfda.handlers.shrinkage_stop import ShrinkageStop
from monai_sfda.handlers.teacher import MeanTeacher
from monai_sfda.handlers.training_history import TrainingHistory

__all__ = [
    "CaseTable",
    "EpochSeed",
    "ExponentialAnneal",
    "FitCutoffs",
    "FlipAgreement",
    "FollowStudent",
    "HeapKeep",
    "HeapTrim",
    "History",
    "KeepMiddle",
    "LinearAnneal",
    "MeanTeacher",
    "PostprocessInThreads",
    "PostprocessItems",
    "Progress",
    "Resume",
    "SharedStatistics",
    "ShrinkageStop",
    "TrainingHistory",
]
