"""Writes metrics.json: pairs of lists and what scipy says about them (numpy 2.4, scipy 1.17)."""
import json
import pathlib

import numpy as np
from scipy import special, stats
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


def left_out(x, y, threshold):
    """Every metric without one item each, computed anew each time."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    rows = {name: [] for name in ("srcc", "plcc", "krcc", "mae", "rmse", "accuracy")}
    for i in range(len(x)):
        a, b = np.delete(x, i), np.delete(y, i)
        rows["srcc"].append(float(stats.spearmanr(a, b).statistic))
        rows["plcc"].append(float(stats.pearsonr(a, b).statistic))
        rows["krcc"].append(float(stats.kendalltau(a, b).statistic))
        rows["mae"].append(float(np.abs(a - b).mean()))
        rows["rmse"].append(float(np.sqrt(((a - b) ** 2).mean())))
        rows["accuracy"].append(float(((a > threshold) == (b > threshold)).mean()))
    return {"predicted": x.tolist(), "truth": y.tolist(), "threshold": threshold, "values": rows}


def bca(estimate, replicates, jackknife):
    """scipy's own steps on given replicates (scipy/stats/_resampling.py)."""
    replicates = np.asarray(replicates)
    share = ((replicates < estimate).sum() + (replicates <= estimate).sum()) / (2 * len(replicates))
    z0 = special.ndtri(share)
    gap = np.mean(jackknife) - np.asarray(jackknife)
    a = (gap ** 3).sum() / (6 * (gap ** 2).sum() ** 1.5)
    ends = [special.ndtr(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in special.ndtri([0.025, 0.975])]
    return [float(np.percentile(replicates, 100 * end)) for end in ends]


def intervals():
    replicates = random.gamma(9, 0.1, 999).round(3)
    jackknife = random.gamma(3, 0.2, 120)
    x = random.normal(5, 1, 150)
    y = (x + random.exponential(0.8, 150)).round(1)
    whole = {}
    for name, statistic in (
        ("srcc", lambda a, b: stats.spearmanr(a, b).statistic),
        ("plcc", lambda a, b: stats.pearsonr(a, b).statistic),
        ("mae", lambda a, b: np.abs(a - b).mean()),
        ("accuracy", lambda a, b: ((a > 5.5) == (b > 5.5)).mean()),
    ):
        found = stats.bootstrap(
            (x, y), statistic, paired=True, vectorized=False, n_resamples=20_000, method="BCa",
            random_state=np.random.default_rng(7)).confidence_interval
        whole[name] = [float(found.low), float(found.high)]
    return {
        "replicates": replicates.tolist(), "jackknife": jackknife.tolist(), "estimate": 0.9,
        "ends": bca(0.9, replicates, jackknife),
        "predicted": x.tolist(), "truth": y.tolist(), "threshold": 5.5, "scipy": whole,
    }


def dependent():
    """Steiger (1980), equation 14, and Zou (2007), for Pearson's correlations."""
    rows = []
    for r, s, t, n in ((0.6, 0.5, 0.7, 103), (0.832, 0.829, 0.95, 19930), (-0.3, 0.2, 0.1, 30)):
        m = (r + s) / 2
        psi = t * (1 - 2 * m * m) - 0.5 * m * m * (1 - 2 * m * m - t * t)
        c = psi / (1 - m * m) ** 2
        z = (np.arctanh(r) - np.arctanh(s)) * np.sqrt((n - 3) / (2 - 2 * c))
        k = special.ndtri(0.975) / np.sqrt(n - 3)
        l1, u1 = np.tanh(np.arctanh(r) - k), np.tanh(np.arctanh(r) + k)
        l2, u2 = np.tanh(np.arctanh(s) - k), np.tanh(np.arctanh(s) + k)
        q = ((t - r * s / 2) * (1 - r * r - s * s - t * t) + t ** 3) / ((1 - r * r) * (1 - s * s))
        low = r - s - np.sqrt((r - l1) ** 2 + (u2 - s) ** 2 - 2 * q * (r - l1) * (u2 - s))
        high = r - s + np.sqrt((u1 - r) ** 2 + (s - l2) ** 2 - 2 * q * (u1 - r) * (s - l2))
        rows.append({
            "first": r, "second": s, "between": t, "n": n, "z": float(z),
            "p": float(2 * stats.norm.sf(abs(z))), "low": float(low), "high": float(high)})
    return rows


def tests():
    p = [0.04, 0.001, 0.2, 0.03]
    a, b = random.dirichlet(np.ones(10)), random.dirichlet(np.ones(10))
    m = (a + b) / 2
    return {
        "mcnemar": [
            {"first": x, "second": y, "p": float(stats.binomtest(x, x + y).pvalue)}
            for x, y in ((0, 5), (12, 3), (7, 7), (130, 171), (2000, 2100))],
        "holm": {"p": p, "adjusted": [0.09, 0.004, 0.2, 0.09]},
        "normal": [
            {"p": q, "z": float(special.ndtri(q))} for q in (1e-12, 0.001, 0.025, 0.3, 0.5, 0.9, 0.9999)],
        "distances": {
            "p": a.tolist(), "q": b.tolist(), "kl": float(stats.entropy(b, a)),
            "js": float((stats.entropy(a, m) + stats.entropy(b, m)) / 2),
            "crps": float(((np.cumsum(a) - np.cumsum(b)) ** 2).sum())},
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
x = random.normal(5, 1, 60)
out["left_out"] = [
    left_out(x, x + random.normal(0, 1, 60), 5.0),
    left_out(random.integers(1, 6, 60), random.integers(1, 6, 60), 3.0),
    left_out(np.repeat(np.arange(20), 3), random.permutation(np.repeat(np.arange(12), 5)), 6.0),
]
out |= {"intervals": intervals(), "dependent": dependent(), "tests": tests()}
pathlib.Path(__file__).with_name("metrics.json").write_text(json.dumps(out) + "\n")
