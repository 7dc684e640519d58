"""Choose among methods in MONAI Label: ``python scripts/monailabel_choose_smoke.py BUNDLE LABELLED [--keep]``.

Runs the commands of docs/monai_label.md. Needs monailabel and a labelled folder (``image`` and ``mask``) of 8 pictures
or more, whose masks play the outlines of a person. Works on copies and stops the server that it started.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from functools import partial
from pathlib import Path

from monailabel_adapt_smoke import STATUS, Documented, ask, expect, finished, name_of, run, serve, wait


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--keep", action="store_true", help="keep the working folder")
    options = parser.parse_args()
    masks = {name_of(path): path.resolve() for path in (options.labelled / "mask").iterdir()}
    serve(options.bundle, options.labelled / "image", partial(check, masks), keep=options.keep)


def check(masks: dict[str, Path], name: str, work: Path, documented: Documented, server: subprocess.Popen) -> None:
    weights, folder = work / "APP" / "model" / name / "models" / "model_several.pt", work / "APP" / "adapted" / name
    info = wait(lambda: ask(documented("/info/"), work), 600, server)
    expect("the strategy and the scoring are there", f"{name}_outline_next" in info["strategies"], info["scoring"])
    following, choose = documented(f"{name}_outline_next"), documented(f"{name}_choose")
    expect("nothing is offered before", ask(following, work) == {})
    ask(documented('"several"'), work)
    status = wait(lambda: finished(ask(documented(STATUS), work)), 900, server)
    expect("several methods are adapted", status["status"] == "DONE", "" if status["status"] == "DONE" else status)
    made = sorted(path.parent.name for path in (folder / "several" / "candidates").glob("*/report.json"))
    expect("each has its report", len(made) > 1, made)
    drawn = sorted(path.name for path in (folder / "several" / "outline" / "image").iterdir())

    decision = {}
    for number, copy in enumerate(drawn, 1):
        image = ask(following, work)
        if not image:
            break
        expect(
            f"image {number} is offered in its order", image["id"] == name_of(Path(copy)).partition("_")[2], image["id"]
        )
        place = documented("/info/").split()[-1].replace("/info/", f"/datastore/label?image={image['id']}&tag=final")
        put = f"curl --silent --fail -X PUT '{place}' -F 'params={{}}' -F label=@{masks[image['id']]}"
        expect("its label is saved", json.loads(run(put, work))["image"] == image["id"])
        if number in (1, 5, len(drawn)):
            wait(lambda: _updated(folder / "several", number), 300, server)  # noqa: B023 - is called at once
            decision = wait(lambda: ask(choose, work), 300, server)  # busy while another is decided
            print(f"      {number} outlines: {decision}", flush=True)
    expect("a decision was reached", decision["decision"] in ("adopt", "keep-source"), decision["sentence"])
    expect("nothing is offered afterwards", ask(following, work) == {})
    expect("chosen weights are there if one was adopted", weights.is_file() == (decision["decision"] == "adopt"))
    choices = ask(documented("/info/"), work)["models"][name]["config"]["model_filename"]
    expect("and can be served", ("model_several.pt" in choices) == weights.is_file(), choices)
    ask(documented(r"scoring/\?all"), work)


def _updated(run: Path, count: int) -> bool | None:
    """Whether the background has decided on so many outlines; None: not yet."""
    record = json.loads((run / "choice.json").read_text()).get("measured", {})
    return len(record.get("outlined", ())) >= count or None


if __name__ == "__main__":
    main()
