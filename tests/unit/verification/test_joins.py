"""True checks that do not belong together prove nothing: each equality has a bundle that breaks it.

The rows are those of the design: what must be equal, and the cases that fail where it is not.
"""

from collections.abc import Mapping, Sequence

import pytest

from fakes.cases import CASES

JOINS: Mapping[str, tuple[int, Sequence[str]]] = {
    "scanned label, statement's label": (3, ("label_of_another_part", "link_of_another_part")),
    "label, statement's subject": (3, ("subject_of_another_label",)),
    "statement's subject, entry's subject": (3, ("entry_about_another_subject",)),
    "entry's maker, statement's maker": (3, ("operator_logs_a_shops_envelope_as_its_own",)),
    "maker, organization of the site": (3, ("site_of_another_organization",)),
    "lane's holder, machine's site": (6, ("lane_of_another_site",)),
    "statement's log, record's log": (6, ("statement_for_another_log",)),
    "statement's lane, grant's lane": (6, ("statement_for_another_lane",)),
    "statement's unit, granted unit": (6, ("statement_of_another_unit",)),
    "statement's machine, entry's machine": (2, ("entry_of_another_machine",)),
    "signing key, machine's key": (2, ("signed_by_another_machine", "key_that_nobody_added")),
    "machine's link, machine": (1, ("link_of_another_machine",)),
    "site's link, site": (1, ("link_of_another_site",)),
    "site recipe's site, machine's site": (7, ("site_recipe_of_another_site",)),
    "entry's site recipe, statement's": (7, ("entry_of_another_site_recipe",)),
    "shown site recipe, statement's": (7, ("statement_of_another_site_recipe",)),
    "site recipe's master, recipe": (7, ("site_recipe_of_another_master",)),
    "shown recipe, statement's": (7, ("statement_of_another_recipe",)),
    "job file's settings, recorded settings": (7, ("settings_of_another_job_file",)),
    "recipe's design and revision, statement's": (5, ("recipe_of_another_revision",)),
    "license's design, statement's": (5, ("license_of_another_design",)),
    "license's revision, statement's": (5, ("license_for_another_revision",)),
    "shown revision, statement's": (5, ("statement_of_another_design",)),
    "ciphertext that was built from, revision's": (5, ("built_from_other_files",)),
    "entry's recall keys, statement's": (3, ("entry_with_other_recall_keys",)),
    "shown list of declared things, its root": (12, ("lot_left_out_of_the_list",)),
    "certificate's recipe, part's": (
        9,
        ("certificate_of_the_recipe_before_a_requalification",),
    ),
    "certificate's site, part's": (9, ("site_that_joined_no_plan",)),
    "certificate's machine model, machine's": (9, ("certificate_of_another_machine_model",)),
    "instrument, a registered machine": (8, ("instrument_that_nobody_registered",)),
    "beacon, a record of the chain": (4, ("beacon_of_another_chain", "beacon_is_another_record")),
    "beacon, older than the record": (4, ("beacon_as_old_as_the_record",)),
}


@pytest.mark.parametrize("join", JOINS)
def test_each_join_has_a_bundle_that_breaks_it(join: str) -> None:
    number, names = JOINS[join]
    known = {case.name: case for case in CASES}

    assert {known[name].check for name in names} == {number}
    assert all(known[name].exit for name in names)
