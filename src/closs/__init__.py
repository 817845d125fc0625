"""closs: loss functions and their gradients over NumPy arrays, in one pass, from a plain-C core.

>>> import closs
>>> loss = closs.HuberLoss(rho=1)
>>> value, grad = loss.value_and_grad([[0.5, 3.0]], [[0.0, 0.0]])
>>> value, grad
(array([1.3125]), array([[0.25, 0.5 ]]))
"""

from closs._config import config, get_include, get_library_dir, show_config
from closs._core import version as _version
from closs._threads import get_num_threads, num_threads, set_num_threads
from closs.losses import (
    CosineEmbeddingLoss,
    CTCLoss,
    HingeLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    L2Loss,
    LogisticLoss,
    PoissonNLLLoss,
    SDMLLoss,
    SigmoidBCELoss,
    SigmoidBinaryCrossEntropyLoss,
    SoftmaxCELoss,
    SoftmaxCrossEntropyLoss,
    SquaredHingeLoss,
    TripletLoss,
    ctc_greedy_decode,
)

__version__ = _version()

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
    "config",
    "ctc_greedy_decode",
    "get_include",
    "get_library_dir",
    "get_num_threads",
    "num_threads",
    "set_num_threads",
    "show_config",
]
