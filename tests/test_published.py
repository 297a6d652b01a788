"""A photo profile trains each method as the published code does; where it does not, the table says so."""

from dataclasses import fields, replace

import pytest

from sidkit.config import Training, load_profile, profiles
from sidkit.personalization.methods import METHODS
from sidkit.personalization.published import WORDS, differences, published, settings_table

PHOTOS = [name for name in profiles() if load_profile(name).masks]
CASES = [(recipe, profile) for recipe in published().recipes for profile in recipe.profiles]
NOT_OF_A_RECIPE = {"precision", "gradient_checkpointing", "optimizer", "unload"}  # how it is computed, not what


@pytest.mark.parametrize(("recipe", "profile"), CASES, ids=lambda value: getattr(value, "method", value))
def test_a_profile_trains_as_published(recipe, profile):
    """What a recipe does not name, such as a LoRA's class pictures, is off."""
    training = load_profile(profile).training[recipe.method]
    expected = Training(**{name: value for name, (value, _) in recipe.settings.items()})
    how = {name: getattr(training, name) for name in NOT_OF_A_RECIPE}
    assert training == replace(expected, **how)


def test_every_method_of_every_photo_profile_has_a_recipe():
    told = {(recipe.method, profile) for recipe, profile in CASES}
    assert told == {(method, name) for name in PHOTOS for method in METHODS}
    assert set(WORDS) == {one.name for one in fields(Training)} - NOT_OF_A_RECIPE


def test_the_effective_rates_are_the_examples():
    """Custom Diffusion's 1e-5 is scaled by its batch and by 2 for class pictures, Textual Inversion's by its passes."""
    for name in PHOTOS:
        training = load_profile(name).training
        assert training["custom_diffusion"].learning_rate == pytest.approx(1e-5 * 2 * 2)
        word = training["textual_inversion"]
        assert word.learning_rate == pytest.approx(5e-4 * 4) and word.batch_size * word.accumulation == 4


def test_the_book_s_table_names_file_and_line_of_each_setting():
    rows = settings_table()
    assert len(rows) == sum(len(recipe.settings) for recipe in published().recipes)
    for row in rows:
        assert all(row.values())
        repository, _, place = row["Where it stands"].partition(": ")
        assert "@" in repository and place.split(",")[0].rpartition(":")[2].isdigit(), row
    assert any("--real_prior" in sentence for sentence in differences())
    assert all(len(repository.commit) == 40 for repository in published().repositories.values())
