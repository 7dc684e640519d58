"""What is said of networks before anything is outlined."""

import json
from types import SimpleNamespace

from candidate_support import make_run

from monai_sfda.candidates.run import find_candidates
from monai_sfda.candidates.triage import triage

CHANGE = {
    "disc": {"area_before": 0.394, "area_after": 0.359, "area_ratio": 0.91},
    "cup": {"area_before": 0.1, "area_after": 0.2},
}


def test_each_adapted_network_has_its_checks_told(monkeypatch, tmp_path):
    monkeypatch.setattr("monai_sfda.candidates.triage.like_it", lambda *look: f"of those like {look}, some lost")
    run = make_run(tmp_path, {"source": (3,), "dpl": (1,), "tent": (2,), "dae": (2,)}, count=2)
    reports = {
        "dpl": {
            "verdict": {"decision": "outline", "sentence": "Outline.", "checks": []},
            "change": CHANGE,
            "source_masks": {"shares": {"disc": 0.432}, "spread": {"disc": 0.06}},
        },
        "tent": {
            "verdict": {"decision": "keep-source", "sentence": "Evidence of collapse: disc is gone.", "checks": []}
        },
    }
    for name, report in reports.items():
        (run / "candidates" / name / "report.json").write_text(json.dumps(report))
    known = {one.name: one for one in find_candidates(run)[0]}
    known["dpl at 0.75"] = known["dpl"].at(0.75)
    found = triage(run, SimpleNamespace(candidates=known))
    assert found == {
        "dae": "its report holds no checks",
        "dpl": "no sign of a collapse; disc 35.9 % of the image (source network 39.4 %, the source's masks 43.2 % "
        "with a spread of 6 %); cup 20 % of the image (source network 10 %); of those like ('outline', {'disc': 0.91, "
        "'cup': None}), some lost",
        "tent": "Evidence of collapse: disc is gone. Of those like ('keep-source', {}), some lost.",
    }
