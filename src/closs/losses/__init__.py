"""The losses: which arguments they take and what they compute, a file a family.

The objects are immutable, can be compared, hashed and pickled, and may be used by many threads at once.
"""

from closs.losses.ctc import CTCLoss, ctc_greedy_decode
from closs.losses.elementwise import (
    HingeLoss,
    HuberLoss,
    L1Loss,
    L2Loss,
    LogisticLoss,
    PoissonNLLLoss,
    SigmoidBCELoss,
    SigmoidBinaryCrossEntropyLoss,
    SquaredHingeLoss,
)
from closs.losses.metric import CosineEmbeddingLoss, SDMLLoss, TripletLoss
from closs.losses.softmax import KLDivLoss, SoftmaxCELoss, SoftmaxCrossEntropyLoss

__all__ = [
    "CTCLoss",
    "CosineEmbeddingLoss",
    "HingeLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "L2Loss",
    "LogisticLoss",
    "PoissonNLLLoss",
    "SDMLLoss",
    "SigmoidBCELoss",
    "SigmoidBinaryCrossEntropyLoss",
    "SoftmaxCELoss",
    "SoftmaxCrossEntropyLoss",
    "SquaredHingeLoss",
    "TripletLoss",
    "ctc_greedy_decode",
]
