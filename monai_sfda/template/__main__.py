"""``python -m monai_sfda.template BUNDLE``: write the configs of a bundle anew from its ``configs/task.json``."""

import sys
from pathlib import Path

from monai_sfda.console import one_sentence
from monai_sfda.json_file import read_json
from monai_sfda.template.write import TASK, write_configs

if __name__ == "__main__":
    with one_sentence():
        if len(sys.argv) != 2:
            raise ValueError("Expected the folder of a bundle, as in: python -m monai_sfda.template BUNDLE.")
        configs = Path(sys.argv[1]) / "configs"
        write_configs(configs, read_json(configs / TASK))
