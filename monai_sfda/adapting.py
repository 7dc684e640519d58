"""What `monai-sfda adapt` does, by one method or by several; PyTorch and MONAI are imported after all other checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai_sfda.arguments import chosen_recipe, one_network, source_users, with_places, writable_folder
from monai_sfda.console import say_why
from monai_sfda.json_file import read_json
from monai_sfda.overrides import as_expression
from monai_sfda.places import existing_folder, lock_folder
from monai_sfda.recipe_list import cheap_first
from monai_sfda.schedule import Schedule
from monai_sfda.typed import expanded
from monai_sfda.workflow import check_configs, run_checked

__all__ = ["adapt_each", "adapt_one"]


def adapt_one(
    bundle: str,
    images: str,
    output: str,
    method: str | None,
    source: str | None,
    overrides: dict[str, Any],
    overlays: Sequence[Path] = (),
) -> None:
    """Adapt by one method, and print the verdict; arguments as of `monai_sfda.cli.adapt`, and configs to add."""
    bundle, images, output, source, overrides = expanded((bundle, images, output, source, overrides))
    root, folder = one_network(bundle), writable_folder(output, outside=images)
    method = chosen_recipe(root, method)
    with_source = bool(source_users(root, [method], source))
    if (folder / "bundle").resolve() == root.resolve():
        raise ValueError(f"Expected an output other than the bundle's own, found {output}; choose another --output.")
    report = folder / "report.json"
    if not report.exists():
        existing_folder(images)
    configs = ["adapt_with_source.json" if with_source else "adapt.json", f"methods/{method}.json"]
    configs += map(str, overlays)
    places = with_places(overrides, dataset_dir=images, output_dir=folder)
    if source is not None:
        writable_folder(output, outside=source)
        places |= {"source_dir": as_expression(source if report.exists() else existing_folder(source))}
    weights = overrides.get("checkpoint", root / "models" / "model.pt")
    with lock_folder(folder):
        checked = check_configs(root, configs, **places)
        from monai_sfda.delivery.bundle import define_network
        from monai_sfda.delivery.verdict import WORDS, read_verdict
        from monai_sfda.same_run import refuse_other_adaptation

        given = {"method": method, **overrides}
        refuse_other_adaptation(folder, images=images, weights=weights, given=given, source=source)
        if report.exists():
            print(f"{output} already holds a finished adaptation; choose another --output for a new one.")
        else:
            for path in (root / "configs").glob("*.json"):  # all of them become part of the adapted bundle
                read_json(path)
            run_checked(root, configs, checked)
        define_network(folder / "bundle", overrides)
    verdict = read_verdict(read_json(report))
    print(f"\nVerdict  {WORDS[verdict['decision']]}: {verdict['sentence']}")
    print(f"Report   {folder / 'report.html'}")
    print(f"Bundle   {folder / 'bundle'}")


def adapt_each(
    bundle: str,
    images: str,
    output: str,
    method: str | None,
    methods: str,
    budget: str | None,
    source: str | None,
    overrides: Any,
) -> None:
    """Adapt by several methods, the cheap first, as far as they fit into the budget; one that fails stops no other."""
    if method is not None:
        raise ValueError(f"Expected --method or --methods, found both; leave --method {method} out.")
    bundle, images, output, source, overrides = expanded((bundle, images, output, source, overrides))
    root, folder = one_network(bundle), writable_folder(output, outside=images)
    names, failed, left_out = cheap_first(root, methods, source=source is not None), {}, []
    users = source_users(root, names, source)
    schedule = Schedule(root, folder / "candidates", epochs=overrides.get("epochs"), budget=budget)
    existing_folder(images)
    with lock_folder(folder):
        from monai_sfda.candidates import KEEP_MIDDLE, record_source

        record_source(folder, bundle=root, images=images, overrides=overrides)
        for number, name in enumerate(names, 1):
            if not schedule.fits(name):
                left_out.append(name)
                continue
            print(f"\n{number} of {len(names)}: {name}{schedule.ahead(names[number - 1 :])}", flush=True)
            try:
                given = source if name in users else None
                place = str(folder / "candidates" / name)
                adapt_one(bundle, images, place, name, given, overrides, [KEEP_MIDDLE])
            except Exception as error:
                failed[name] = say_why(error)
                print(f"Failed   {failed[name]}")
    done = len(names) - len(failed) - len(left_out)
    if not done and failed:
        raise ValueError(f"Expected a method to succeed, found that all failed ({next(iter(failed.values()))})")
    if not done:
        raise ValueError(f"Expected a method to fit, found {schedule.left_out(left_out)}")
    print(f"\nAdapted  {done} of {len(names)}" + "".join(f"; {name} failed" for name in failed))
    if left_out:
        print(f"Left out {schedule.left_out(left_out)}")
    print(f"Next     monai-sfda choose {output}")
