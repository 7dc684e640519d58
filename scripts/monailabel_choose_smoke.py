"""Choose among methods in MONAI Label: ``python scripts/monailabel_choose_smoke.py BUNDLE LABELLED [--keep]``.

Runs the commands of docs/monai_label.md. Needs monailabel and a labelled folder (``image`` and ``mask``) of 8 pictures
or more, whose masks play the outlines of a person. Works on copies and stops the server that it started.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from monailabel_adapt_smoke import Served, expect, name_of, serve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--keep", action="store_true", help="keep the working folder")
    options = parser.parse_args()
    masks = {name_of(path): path.resolve() for path in (options.labelled / "mask").iterdir()}
    serve(options.bundle, options.labelled / "image", partial(check, masks), keep=options.keep)


def check(masks: dict[str, Path], served: Served) -> None:
    name, app = served.name, served.work / "APP"
    weights, folder = app / "model" / name / "models" / "model_several.pt", app / "adapted" / name
    info = served.wait(served.info)
    expect("the strategy and the scoring are there", f"{name}_outline_next" in info["strategies"], info["scoring"])
    following, choose = served.documented(f"{name}_outline_next"), served.documented(f"{name}_choose")
    expect("nothing is offered before", served.ask(following) == {})
    status = served.train(served.documented('"several"'), 900)
    expect("several methods are adapted", status["status"] == "DONE", "" if status["status"] == "DONE" else status)
    made = sorted(path.parent.name for path in (folder / "several" / "candidates").glob("*/report.json"))
    expect("each has its report", len(made) > 1, made)
    drawn = sorted(path.name for path in (folder / "several" / "outline" / "image").iterdir())

    decision = {}
    for number, copy in enumerate(drawn, 1):
        image = served.ask(following)
        if not image:
            break
        expect(
            f"image {number} is offered in its order", image["id"] == name_of(Path(copy)).partition("_")[2], image["id"]
        )
        saved = json.loads(served.save_label(image["id"], masks[image["id"]]))
        expect("its label is saved", saved["image"] == image["id"])
        if number in (1, 5, len(drawn)):
            served.wait(lambda: _updated(folder / "several", number), 300)  # noqa: B023 - is called at once
            decision = served.wait(lambda: served.ask(choose), 300)  # busy while another is decided
            print(f"      {number} outlines: {decision}", flush=True)
    expect("a decision was reached", decision["decision"] in ("adopt", "keep-source"), decision["sentence"])
    expect("nothing is offered afterwards", served.ask(following) == {})
    expect("chosen weights are there if one was adopted", weights.is_file() == (decision["decision"] == "adopt"))
    choices = served.info()["models"][name]["config"]["model_filename"]
    expect("and can be served", ("model_several.pt" in choices) == weights.is_file(), choices)
    served.ask(served.documented(r"scoring/\?all"))


def _updated(run: Path, count: int) -> bool | None:
    """Whether the background has decided on so many outlines; None: not yet."""
    record = json.loads((run / "choice.json").read_text()).get("measured", {})
    return len(record.get("outlined", ())) >= count or None


if __name__ == "__main__":
    main()
