"""A study's file is checked when it is read, and a mistake is told with the path of its field."""

import pytest
import yaml
from toys import toy_study

from simonides.experiments.studyfile import load_study
from simonides.sim.config import parse_study
from simonides.sim.errors import StudyError, UnknownName, UserError


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(toy_study()))
    return str(path)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["memry=x"], r"^memry: no such field of a study\. Did you mean 'memory'\?"),
        (["memory.capcity=3"], r"^memory\.capcity: no such parameter\. Did you mean 'capacity'\?"),
        (["memory.capacity=many"], r"^memory\.capacity: input should be a valid integer.*found 'many'"),
        (["worlds=0"], r"^worlds: input should be greater than or equal to 1, found 0"),
        (["seeds=[1, 1]"], r"^seeds: .*distinct"),
        (["time_limit=-1"], r"^time_limit: input should be greater than 0"),
        (["wiring.name=glbal"], r"No wiring is called 'glbal'\. Did you mean 'global'\?"),
        (["environment.name.x=1"], r"^environment\.name\.x: environment\.name is a value, not a map"),
        (["factors.memory.capcity=[1, 2]"], r"^memory\.capcity: no such parameter"),
        (["factors.memory.capacity=3"], r"^factors: .*memory\.capacity takes a list of values, or a map"),
        (["interventions=[{tik: 3}]"], r"^interventions\.0\.tik: extra inputs are not permitted"),
        (["worlds"], r"'worlds' is no override; write a dotted path of a field and a value"),
        (["worlds=[1"], r"^worlds: '\[1' is not a YAML value"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_field(study, overrides, told):
    with pytest.raises(UserError, match=told) as caught:
        load_study(study, overrides)
    assert "\n" not in str(caught.value)


def test_overrides_are_yaml_values_at_dotted_paths(study):
    found = load_study(study, ["memory.capacity=9", "seeds=[4, 5]", "ticks=null", "name='12'", "wiring=private"])
    assert found.memory.params == {"capacity": 9}
    assert (found.seeds, found.ticks, found.name, found.wiring.name) == ((4, 5), None, "12", "private")


def test_an_override_of_a_factor_replaces_its_values_only(study):
    found = load_study(study, ["factors.memory.capacity=[1, 2]", "factors.wiring=[private, global]"])
    assert found.factors == {"memory.capacity": [1, 2], "wiring": ["private", "global"]}


def test_every_combination_of_factors_meets_every_seed_once(study):
    found = load_study(study, ["factors={memory.capacity: [1, 2], wiring: [private, team, global]}", "seeds=2"])
    trials = list(found.trials())
    assert len({trial.id for trial in trials}) == len(trials) == 12
    assert {(t.study.memory.params["capacity"], t.study.wiring.name, t.seed) for t in trials} == {
        (capacity, wiring, seed) for capacity in (1, 2) for wiring in ("private", "team", "global") for seed in (0, 1)
    }


def test_the_path_of_data_does_not_depend_on_the_folder_one_is_in(study, tmp_path, monkeypatch):
    (tmp_path / "dialogues.json").touch()
    monkeypatch.chdir(tmp_path)
    found = load_study(study, ["data=dialogues.json", "environment=rogues:needs_data"])
    assert found.data == str(tmp_path / "dialogues.json")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a study is a map of fields .* found nothing"),
        ("- a", "a study is a map of fields .* found a list"),
        ("a: [1", "not YAML"),
        ("1: 2", "a field's name must be text"),
        ("name: x", "environment: field required"),
    ],
)
def test_a_file_that_is_no_study_says_what_it_is(tmp_path, text, told):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(StudyError, match=told):
        load_study(str(tmp_path / "x.yaml"))


def test_a_missing_study_is_a_users_mistake(tmp_path):
    with pytest.raises(UserError, match=r"No study file or shipped study"):
        load_study(str(tmp_path / "none.yaml"))


def test_a_plug_in_that_fails_to_import_says_so(study):
    with pytest.raises(UnknownName, match=r"importing it failed: .*no_such_module_of_ours"):
        load_study(study, ["memory=no_such_module_of_ours:Memory"])


def test_a_parameter_may_have_the_name_of_another_kinds_service():
    fields = toy_study(environment={"name": "claims", "agents": 6}, policy="claim-holder", memory="bm25")
    assert parse_study(fields).environment.params == {"agents": 6}


def test_a_factor_may_have_levels_by_name_that_set_several_fields():
    levels = {"small": {"memory.capacity": 1}, "large and shared": {"memory.capacity": 9, "wiring": "global"}}
    made = list(parse_study({**toy_study(), "factors": {"size": levels}, "seeds": 1}).trials())
    assert [trial.id for trial in made] == ["size=small,seed=0", "size=large and shared,seed=0"]
    assert [trial.study.memory.params["capacity"] for trial in made] == [1, 9]
    assert [trial.study.wiring.name for trial in made][1] == "global"
