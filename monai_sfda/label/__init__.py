"""Adaptation from within MONAI Label; only `app` and `tasks` need monailabel."""

from monai_sfda.label.epoch_lines import EpochLines
from monai_sfda.label.folder import make_app
from monai_sfda.label.on_voxels import lay_on_voxels
from monai_sfda.label.site import adapt_site, methods_for_site, site_models

__all__ = ["EpochLines", "adapt_site", "lay_on_voxels", "make_app", "methods_for_site", "site_models"]
