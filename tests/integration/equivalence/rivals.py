"""Rival statistics, run by the environment `statistics`: tasks on stdin, answers on stdout."""

import json
import sys

import numpy as np
import pandas as pd
import pingouin
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.diagnostic import normal_ad
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW


def main() -> None:
    """Answer all tasks."""
    tasks = json.load(sys.stdin)
    answers = {label: _TASKS[task["name"]](task) for label, task in tasks.items()}
    json.dump(answers, sys.stdout)


def tost(task):
    """Return what both say of the equivalence of two means."""
    first, second = np.array(task["first"]), np.array(task["second"])
    own = pingouin.tost(second, first, bound=task["margin"], correction=True)
    means = CompareMeans(DescrStatsW(second), DescrStatsW(first))
    p = means.ttost_ind(-task["margin"], task["margin"], usevar="unequal")[0]
    low, high = means.tconfint_diff(alpha=2 * task["alpha"], usevar="unequal")
    return {"pingouin": float(own["pval"].iloc[0]), "p": float(p), "low": low, "high": high}


def anova(task):
    """Return mean squares of a crossed study."""
    frame = pd.DataFrame(task["rows"], columns=["part", "appraiser", "value"])
    table = anova_lm(ols("value ~ C(part) * C(appraiser)", frame).fit(), typ=2)
    squares = (table["sum_sq"] / table["df"]).to_dict()
    return {**squares, "p": float(table["PR(>F)"]["C(part):C(appraiser)"])}


def normality(task):
    """Return the statistic of Anderson and Darling and its p-value."""
    statistic, p = normal_ad(np.array(task["values"]))
    return {"statistic": float(statistic), "p": float(p)}


def holm(task):
    """Return which claims stand."""
    rejected, *_ = multipletests(task["p"], alpha=task["alpha"], method="holm")
    return [bool(one) for one in rejected]


_TASKS = {"tost": tost, "anova": anova, "normality": normality, "holm": holm}

if __name__ == "__main__":
    main()
