"""The configs that all bundles share, and how those of one bundle are written from them and its task."""

from monai_sfda.template.write import CONFIGS, write_configs

__all__ = ["CONFIGS", "write_configs"]
