"""Several adapted networks of one source: make their masks, ask for a few outlines, choose by what these say.

The arithmetic is in `monai_sfda.choice`.
"""

from monai_sfda.candidates.ask import ask
from monai_sfda.candidates.cheap import KEEP_MIDDLE
from monai_sfda.candidates.measure import measure
from monai_sfda.candidates.run import record_source
from monai_sfda.candidates.words import what_to_do, what_was_found

__all__ = ["KEEP_MIDDLE", "ask", "measure", "record_source", "what_to_do", "what_was_found"]
