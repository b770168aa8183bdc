"""Writes metrics.json: pairs of lists and what scipy says about them (numpy 2.4, scipy 1.17)."""
import json
import pathlib

import numpy as np
from scipy import stats
from scipy.optimize import curve_fit

random = np.random.default_rng(20261123)


def case(name, x, y, threshold=5.0):
    x, y = np.asarray(x, float), np.asarray(y, float)
    return {
        "name": name, "predicted": x.tolist(), "truth": y.tolist(), "threshold": threshold,
        "srcc": float(stats.spearmanr(x, y).statistic),
        "plcc": float(stats.pearsonr(x, y).statistic),
        "krcc": float(stats.kendalltau(x, y).statistic),
        "mae": float(np.abs(x - y).mean()),
        "rmse": float(np.sqrt(((x - y) ** 2).mean())),
        "accuracy": float(((x > threshold) == (y > threshold)).mean()),
        "ranks": stats.rankdata(x).tolist(),
    }


def distributions():
    p, q = random.dirichlet(np.ones(10), 50), random.dirichlet(np.ones(10), 50)
    gap = np.cumsum(p - q, 1)
    return {
        "predicted": p.tolist(), "truth": q.tolist(),
        "emd1": float(np.abs(gap).mean(1).mean()),
        "emd2": float(np.sqrt((gap ** 2).mean(1)).mean()),
    }


def logistic4(x, a, b, c, d):
    return (a - b) / (1 + np.exp(-(x - c) / d)) + b


def logistic5(x, a, b, c, d, e):
    return a * (0.5 - 1 / (1 + np.exp(b * (x - c)))) + d * x + e


def fits():
    """A bent relation with noise, fitted by MINPACK from the customary start values."""
    x = random.uniform(0, 10, 400)
    y = 1 + 3 / (1 + np.exp(-(x - 4) / 0.8)) + random.normal(0, 0.4, 400)
    four, _ = curve_fit(logistic4, x, y, [y.max(), y.min(), x.mean(), x.std() / 4], maxfev=100000)
    five, _ = curve_fit(logistic5, x, y, [10, 0, y.mean(), 0.1, 0.1], maxfev=100000)
    return {
        "predicted": x.tolist(), "truth": y.tolist(),
        "plcc_logistic4": float(stats.pearsonr(logistic4(x, *four), y).statistic),
        "plcc_logistic5": float(stats.pearsonr(logistic5(x, *five), y).statistic),
    }


truth = random.normal(5.4, 0.7, 500)
cases = [
    case("noisy", truth + random.normal(0, 0.5, 500), truth),
    case("rounded to one decimal", np.round(truth + random.normal(0, 0.5, 500), 1), np.round(truth, 1)),
    case("few distinct values", random.integers(1, 6, 300), random.integers(1, 6, 300), 3.0),
    case("negative", -truth + random.normal(0, 0.2, 500), truth),
    case("two pairs", [1, 2], [3, 1]),
    case("three pairs with ties", [1, 1, 2], [2, 3, 3]),
    case("exactly at the threshold", [5, 5.1, 4.9, 5, 6], [5, 5, 5, 6, 7]),
    case("large numbers", 1e12 + truth * 1e3, 1e12 + random.permutation(truth) * 1e3),
    case("tiny numbers", truth * 1e-180, (truth + random.normal(0, 1, 500)) * 1e-180),
]
out = {"cases": cases, "distributions": distributions(), "fits": fits()}
pathlib.Path(__file__).with_name("metrics.json").write_text(json.dumps(out) + "\n")
