"""What all bundles share: their configs, how those of one bundle follow from its task, and how a new bundle begins."""

from monai_sfda.template.new import LOSSES, check_structures, new_task, write_bundle
from monai_sfda.template.write import CONFIGS, TASK, write_configs

__all__ = ["CONFIGS", "LOSSES", "TASK", "check_structures", "new_task", "write_bundle", "write_configs"]
