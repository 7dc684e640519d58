"""``python -m monai_sfda.label APP BUNDLE [BUNDLE ...]``."""

import fire

from monai_sfda.console import one_sentence
from monai_sfda.label.folder import make_app


def main(app: str, *bundles: str) -> None:
    """Write the folder of a MONAI Label app that serves bundles and adapts them to unlabelled studies.

    Args:
        app: folder to write; bundles that it holds stay as they are.
        bundles: folders of bundles, which are copied.
    """
    folder = make_app(app, bundles)
    print(f"Start    monailabel start_server --app {folder} --studies IMAGES --host 127.0.0.1")


if __name__ == "__main__":
    with one_sentence():
        fire.Fire(main, name="python -m monai_sfda.label")
