#!/usr/bin/env python3
"""Trains a LightGBM model from what 'collections export training-set' wrote, and writes model.txt, manifest.json and report.json.

    python3 models/train.py train --rows training-set/training-set.csv --out models/mine
    python3 models/train.py describe --model models/mine/model.txt --rows features.csv --manifest models/mine/manifest.json

Needs numpy and lightgbm, nothing else. models/README.md tells the whole way from the log to an activated model.
"""
import argparse
import array
import csv
import datetime
import hashlib
import json
import math
import os
import re
import sys

import lightgbm
import numpy

CATEGORIES = ("customer_type", "product", "region")
BINS = 10
# Fewer rows, or fewer of one outcome, than this tell a calibration too little: 100 make a share of 0.1 uncertain by 0.03.
CALIBRATION_ROWS, CALIBRATION_CASES = 1000, 100
CALIBRATION_BINS = 50


class Refused(Exception):
    """Input that can't be used; the message says what to do."""


# ---- rows ----------------------------------------------------------------------------------------------------------------


class Rows:
    """A training set in memory: who and when as lists, features as one matrix with NaN for missing."""

    def __init__(self, features):
        self.features = features
        self.dates, self.debtors, self.buckets, self.labels, self.weights = [], [], [], [], []
        self.values = array.array("d")
        # Text categories as the file has them, by (row, column); integers are in the matrix already.
        self.texts = {name: {} for name in CATEGORIES}

    def add(self, row, cells, where):
        index = len(self.dates)
        self.dates.append(cells["as_of"])
        self.debtors.append(cells["tenant"] + "/" + cells["debtor"])
        self.buckets.append(cells["dpd_bucket"])
        self.labels.append(float(cells["label"]))
        self.weights.append(float(cells["weight"]))
        for name in self.features:
            self.values.append(self.number(index, name, cells[name], where))

    def number(self, index, name, cell, where):
        if cell in ("", "NaN", "nan"):
            return math.nan
        try:
            return float(cell) if name not in CATEGORIES else float(int(cell))
        except ValueError:
            if name not in CATEGORIES:
                raise Refused(f"{where}, column {name}: '{cell}' is no number") from None
            self.texts[name][index] = cell
            return math.nan

    def matrix(self):
        return numpy.frombuffer(self.values, dtype=float).reshape(len(self.dates), len(self.features)).copy()


def read_rows(path):
    """Reads a training set; the features are the columns between dpd_bucket and label."""
    with open(path, newline="", encoding="utf-8") as file:
        table = csv.reader(file)
        header = next(table, [])
        if "dpd_bucket" not in header or "label" not in header:
            raise Refused(f"{path}: is no training set: its header lacks dpd_bucket or label; write one with 'collections export training-set'")
        features = header[header.index("dpd_bucket") + 1:header.index("label")]
        rows = Rows(features)
        for cells in table:
            if len(cells) != len(header):
                raise Refused(f"{path}, line {table.line_num}: has {len(cells)} fields instead of {len(header)}")
            rows.add(cells, dict(zip(header, cells)), f"{path}, line {table.line_num}")
    if not rows.dates:
        raise Refused(f"{path}: has no rows")
    return rows


def read_card(rows_path):
    path = os.path.splitext(rows_path)[0] + ".card.json"
    try:
        with open(path, encoding="utf-8") as file:
            card = json.load(file)
    except FileNotFoundError:
        raise Refused(f"{path}: the data card is missing; the export writes it beside the rows, and the manifest rests on it") from None
    except ValueError as broken:
        raise Refused(f"{path}: is no JSON: {broken}") from None
    lacking = [key for key in ("target", "horizon_days", "label", "to", "command") if key not in card]
    if lacking:
        raise Refused(f"{path}: the data card lacks {', '.join(lacking)}; export the rows again")
    return card


# ---- slices --------------------------------------------------------------------------------------------------------------


def split_dates(dates, shares, gap_days):
    """The last dates test; those before them validate, those before these train. Dates whose horizon reaches into the next slice are left out."""
    known = sorted(set(dates))
    rest, slices = known, []
    for share in (shares[1], shares[0], None):
        count = len(rest) if share is None else max(1, round(len(known) * share))
        slices.insert(0, rest[len(rest) - count:])
        if not slices[0]:
            raise Refused(
                f"{len(known)} as-of dates from {known[0]} to {known[-1]} don't suffice for training, validation and test with {gap_days} days between them; "
                "export a longer range or more dates, or set --gap-days")
        until = datetime.date.fromisoformat(slices[0][0]) - datetime.timedelta(days=gap_days)
        rest = [date for date in rest[:len(rest) - count] if datetime.date.fromisoformat(date) <= until]
    return slices


def debtor_group(debtor, seed, shares):
    """0, 1 or 2: the slice that a debtor belongs to when slices share no debtor."""
    draw = int.from_bytes(hashlib.sha256(f"{seed}:{debtor}".encode()).digest()[:8], "big") / 2 ** 64
    return 2 if draw < shares[1] else 1 if draw < shares[0] + shares[1] else 0


def slices_of(rows, options, horizon_days):
    shares = (options.valid_share, options.test_share)
    gap = horizon_days if options.gap_days is None else options.gap_days
    place = {date: index for index, part in enumerate(split_dates(rows.dates, shares, gap)) for date in part}
    of = numpy.array([place.get(date, -1) for date in rows.dates])
    if options.debtor_disjoint:
        groups = {debtor: debtor_group(debtor, options.seed, shares) for debtor in set(rows.debtors)}
        of[numpy.array([groups[debtor] for debtor in rows.debtors]) != of] = -1
    labels = numpy.array(rows.labels)
    for index, name in enumerate(("training", "validation", "test")):
        outcomes = set(labels[of == index])
        if len(outcomes) < 2:
            raise Refused(f"the {name} slice has {int((of == index).sum())} rows, all with one outcome; export more, or another label")
    return of


# ---- columns -------------------------------------------------------------------------------------------------------------


def code_categories(rows, matrix, training):
    """Gives each text of the training slice a code behind the integers of its column; integers stand for themselves."""
    codes = {}
    for name, texts in rows.texts.items():
        if name not in rows.features or not texts:
            continue
        column = rows.features.index(name)
        integers = matrix[:, column][~numpy.isnan(matrix[:, column])]
        first = int(max(integers.max(), -1)) + 1 if len(integers) else 0
        known = sorted({text for index, text in texts.items() if training[index]})
        codes[name] = {text: first + place for place, text in enumerate(known)}
        for index, text in texts.items():
            matrix[index, column] = codes[name].get(text, math.nan)
    return {name: of for name, of in codes.items() if of}


def useful_columns(features, matrix, asked):
    """The columns that say anything in the training slice; one that is missing everywhere may be one that the engine does not feed."""
    if asked:
        unknown = [name for name in asked if name not in features]
        if unknown:
            raise Refused(f"--features: the rows have no column {', '.join(unknown)}; they have {', '.join(features)}")
        return [features.index(name) for name in asked]
    useful = []
    for column in range(len(features)):
        values = matrix[:, column]
        values = values[~numpy.isnan(values)]
        if len(values) and (len(values) < len(matrix) or values.min() < values.max()):
            useful.append(column)
    return useful


# ---- measures ------------------------------------------------------------------------------------------------------------


def curve(scores, labels, weights):
    """Cumulated shares of positives and negatives from the highest score down, ties taken together."""
    order = numpy.argsort(-scores, kind="stable")
    scores, labels, weights = scores[order], labels[order], weights[order]
    ends = numpy.append(numpy.nonzero(numpy.diff(scores))[0], len(scores) - 1)
    positives = numpy.cumsum(labels * weights)[ends]
    negatives = numpy.cumsum((1 - labels) * weights)[ends]
    if positives[-1] == 0 or negatives[-1] == 0:
        return None
    return numpy.insert(positives / positives[-1], 0, 0), numpy.insert(negatives / negatives[-1], 0, 0)


def auc(scores, labels, weights):
    shares = curve(scores, labels, weights)
    return None if shares is None else float(numpy.sum(numpy.diff(shares[1]) * (shares[0][1:] + shares[0][:-1]) / 2))


def ks(scores, labels, weights):
    """The largest distance between the shares of positives and of negatives found, 0 to 1."""
    shares = curve(scores, labels, weights)
    return None if shares is None else float(numpy.max(numpy.abs(shares[0] - shares[1])))


def log_loss(probabilities, labels, weights):
    p = numpy.clip(probabilities, 1e-15, 1 - 1e-15)
    return float(-numpy.average(labels * numpy.log(p) + (1 - labels) * numpy.log(1 - p), weights=weights))


def reliability(probabilities, labels, weights):
    """Ten bins of equal weight by probability: what was foretold and what came; and the mean distance of the two, by weight."""
    order = numpy.argsort(probabilities, kind="stable")
    place = numpy.minimum((numpy.cumsum(weights[order]) - weights[order] / 2) / weights.sum() * BINS, BINS - 1).astype(int)
    table, error = [], 0.0
    for k in range(BINS):
        inside = order[place == k]
        if not len(inside):
            continue
        foretold = float(numpy.average(probabilities[inside], weights=weights[inside]))
        came = float(numpy.average(labels[inside], weights=weights[inside]))
        error += abs(foretold - came) * weights[inside].sum() / weights.sum()
        table.append({"rows": len(inside), "foretold": foretold, "came": came})
    return table, float(error)


def isotonic(raw, labels, weights):
    """
    Pool-adjacent-violators: the rising function of the raw score that lies nearest to the outcomes. It begins with fifty bins of equal weight, so that
    no probability rests on a handful of rows; each pooled block is a point at its mean score.
    """
    order = numpy.argsort(raw, kind="stable")
    bins = numpy.minimum((numpy.cumsum(weights[order]) / weights.sum() * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    # Equal scores share the bin of the last of them.
    bins = bins[numpy.searchsorted(raw[order], raw[order], side="right") - 1]
    blocks = []
    for k in range(CALIBRATION_BINS):
        inside = order[bins == k]
        if not len(inside):
            continue
        block = [float(numpy.sum(of[inside] * weights[inside])) for of in (raw, labels, numpy.ones(len(raw)))]
        while blocks and blocks[-1][1] / blocks[-1][2] >= block[1] / block[2]:
            block = [sum(pair) for pair in zip(blocks.pop(), block)]
        blocks.append(block)
    # Nothing is certain: at the ends half a row is left for the other outcome.
    spare = 0.5 / len(raw)
    return {"method": "isotonic", "raw": [x / w for x, _, w in blocks], "probability": [min(max(y / w, spare), 1 - spare) for _, y, w in blocks]}


def calibrated(calibration, raw):
    if calibration is None:
        return 1 / (1 + numpy.exp(-raw))
    return numpy.interp(raw, calibration["raw"], calibration["probability"])


def distribution(values):
    """Bins between the deciles, fewer where values repeat; an edge belongs to the bin below it; missing beside them."""
    present = numpy.sort(values[~numpy.isnan(values)])
    missing = 1 - len(present) / len(values)
    edges = []
    for k in range(1, BINS):
        edge = float(present[max(0, math.ceil(len(present) * k / BINS) - 1)]) if len(present) else math.inf
        if len(present) and edge < present[-1] and (not edges or edge > edges[-1]):
            edges.append(edge)
    bounds = numpy.searchsorted(present, edges, side="right").tolist()
    counts = numpy.diff([0, *bounds, len(present)])
    return {"edges": edges, "shares": [int(count) / len(values) for count in counts], "missing": missing}


def distributions(raw, matrix, names):
    return {"score": distribution(raw), "features": {name: distribution(matrix[:, column]) for column, name in enumerate(names)}}


def load(path):
    """A model without the parameters that it was trained with: an older LightGBM stumbles over those of a newer one, and predicting needs none."""
    with open(path, encoding="utf-8") as file:
        return lightgbm.Booster(model_str=file.read().split("\nparameters:")[0])


# ---- commands ------------------------------------------------------------------------------------------------------------


def fit(options, names, matrix, labels, weights, of):
    parameters = {
        "objective": "binary", "num_leaves": options.leaves, "learning_rate": options.learning_rate, "min_data_in_leaf": options.min_leaf_rows,
        "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5, "cat_smooth": 20, "seed": options.seed,
        "num_threads": options.threads, "deterministic": True, "force_col_wise": True, "verbosity": -1,
    }
    categories = [name for name in names if name in CATEGORIES]
    training = lightgbm.Dataset(matrix[of == 0], labels[of == 0], weight=weights[of == 0], feature_name=names, categorical_feature=categories)
    validation = training.create_valid(matrix[of == 1], labels[of == 1], weight=weights[of == 1])
    return lightgbm.train(parameters, training, options.trees, valid_sets=[validation], callbacks=[lightgbm.early_stopping(50, verbose=False)])


def measure(rows, of, raw, probabilities, labels, weights):
    test = of == 2
    table, error = reliability(probabilities[test], labels[test], weights[test])
    by_stage = {}
    for bucket in sorted({bucket for bucket, part in zip(rows.buckets, of) if part == 2}):
        inside = test & (numpy.array(rows.buckets) == bucket)
        distance = ks(raw[inside], labels[inside], weights[inside])
        if distance is not None:
            by_stage[bucket] = distance
    metrics = {
        "auc": auc(raw[test], labels[test], weights[test]), "log_loss": log_loss(probabilities[test], labels[test], weights[test]),
        "ks": ks(raw[test], labels[test], weights[test]), "ks_by_stage": by_stage, "calibration_error": error,
    }
    return metrics, table


def calibrate(raw, labels, weights, halves):
    """An isotonic calibration on the validation slice; none where that tells too little, or where it does not help debtors whom it was not fitted on."""
    cases = min(labels.sum(), (1 - labels).sum())
    if len(raw) < CALIBRATION_ROWS or cases < CALIBRATION_CASES:
        print(f"no calibration: the validation slice has {len(raw)} rows with {int(cases)} of the rarer outcome; {CALIBRATION_ROWS} and {CALIBRATION_CASES} are needed")
        return None
    tried = numpy.zeros(len(raw))
    for half in (False, True):
        fitted = isotonic(raw[halves != half], labels[halves != half], weights[halves != half])
        tried[halves == half] = calibrated(fitted, raw[halves == half])
    before, after = log_loss(calibrated(None, raw), labels, weights), log_loss(tried, labels, weights)
    if after >= before:
        print(f"no calibration: on debtors that it was not fitted on, the log loss would go from {before:.4f} to {after:.4f}")
        return None
    return isotonic(raw, labels, weights)


def naming(options, card):
    """Name and version as the registry takes them."""
    name, version = options.name or card["target"], options.version or f"{card['to']}.1"
    for option, text in (("--name", name), ("--version", version)):
        if not re.fullmatch("[a-z0-9][a-z0-9._-]{0,63}", text):
            raise Refused(f"{option}: '{text}' must be 1 to 64 of a-z, 0-9, '.', '_' and '-', and begin with a letter or digit")
    return name, version


def train(options):
    card = read_card(options.rows)
    name, version = naming(options, card)
    rows = read_rows(options.rows)
    of = slices_of(rows, options, card["horizon_days"])
    matrix, labels = rows.matrix(), numpy.array(rows.labels)
    weights = numpy.array(rows.weights) / numpy.mean(rows.weights)
    codes = code_categories(rows, matrix, of == 0)
    columns = useful_columns(rows.features, matrix[of == 0], options.features)
    names = [rows.features[column] for column in columns]
    matrix = matrix[:, columns]
    booster = fit(options, names, matrix, labels, weights, of)
    os.makedirs(options.out, exist_ok=True)
    model_path = os.path.join(options.out, "model.txt")
    booster.save_model(model_path, num_iteration=booster.best_iteration)
    # What is measured is the file, as the engine will read it.
    raw = load(model_path).predict(matrix, raw_score=True, num_threads=options.threads)
    halves = numpy.array([debtor_group(debtor, options.seed + 1, (0, 0.5)) == 2 for debtor in rows.debtors])
    calibration = None if options.no_calibration else calibrate(raw[of == 1], labels[of == 1], weights[of == 1], halves[of == 1])
    metrics, table = measure(rows, of, raw, calibrated(calibration, raw), labels, weights)
    uncalibrated, _ = measure(rows, of, raw, calibrated(None, raw), labels, weights)
    manifest = {
        "format": 1, "name": name, "version": version, "target": card["target"],
        "horizon_days": card["horizon_days"], "outcome": card["label"]["name"], "label": card["label"]["meaning"], "model": "model.txt", "sha256": digest(model_path), "features": names,
        "category_codes": {name: of_text for name, of_text in codes.items() if name in names}, "training": training_facts(card, rows, of, labels),
        "metrics": metrics, "calibration": calibration, "distribution": distributions(raw[of == 0], matrix[of == 0], names),
    }
    write_json(os.path.join(options.out, "manifest.json"), manifest)
    report = {
        "slices": [slice_facts(name, index, rows, of, labels) for index, name in enumerate(("training", "validation", "test"))],
        "left_out_between_slices": int((of < 0).sum()), "trees": booster.best_iteration, "test": metrics,
        "test_without_calibration": {key: uncalibrated[key] for key in ("log_loss", "calibration_error")}, "reliability": table,
        "gain": dict(sorted(zip(names, booster.feature_importance("gain").tolist()), key=lambda pair: -pair[1])),
    }
    write_json(os.path.join(options.out, "report.json"), report)
    if options.holdout:
        write_holdout(options.holdout, names, matrix[of == 2], labels[of == 2], raw[of == 2])
    show(options.out, manifest, report)


def training_facts(card, rows, of, labels):
    inside = slice_facts("training", 0, rows, of, labels)
    return {"source": card["command"], "from": inside["from"], "to": inside["to"], "rows": inside["rows"], "debtors": inside["debtors"], "positives": inside["positives"]}


def slice_facts(name, index, rows, of, labels):
    dates = [date for date, part in zip(rows.dates, of) if part == index]
    debtors = {debtor for debtor, part in zip(rows.debtors, of) if part == index}
    return {"slice": name, "from": min(dates), "to": max(dates), "rows": len(dates), "debtors": len(debtors), "positives": int(labels[of == index].sum())}


def write_holdout(path, names, matrix, labels, raw):
    """The test rows as numbers, with what LightGBM itself says of them: to be compared with 'collections score'."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join([*names, "label", "lightgbm_raw"]) + "\n")
        for values, label, score in zip(matrix.tolist(), labels.tolist(), raw.tolist()):
            file.write(",".join([*("NaN" if math.isnan(v) else repr(v) for v in values), repr(int(label)), repr(score)]) + "\n")


def show(out, manifest, report):
    for part in report["slices"]:
        print(f"{part['slice']}: {part['rows']} rows of {part['debtors']} debtors, {part['from']} to {part['to']}, {100 * part['positives'] / part['rows']:.1f} % positive")
    print(f"between the slices, left out: {report['left_out_between_slices']} rows; {report['trees']} trees over {len(manifest['features'])} features")
    test, plain = report["test"], report["test_without_calibration"]
    print(f"test: AUC {test['auc']:.4f}, KS {test['ks']:.4f}, log loss {test['log_loss']:.4f}, calibration error {test['calibration_error']:.4f}"
          + (f" (uncalibrated: {plain['log_loss']:.4f}, {plain['calibration_error']:.4f})" if manifest["calibration"] else ""))
    print("KS by days past due: " + ", ".join(f"{bucket} {value:.3f}" for bucket, value in test["ks_by_stage"].items()))
    print("foretold and came, by tenths: " + "; ".join(f"{bin['foretold']:.3f} {bin['came']:.3f}" for bin in report["reliability"]))
    print(f"{manifest['name']} {manifest['version']}: {os.path.join(out, 'model.txt')}, {os.path.join(out, 'manifest.json')}")


def describe(options):
    """Fills a manifest's hash, features and distribution from its model and the rows that it was trained on."""
    with open(options.manifest, encoding="utf-8") as file:
        manifest = json.load(file)
    booster = load(options.model)
    names = booster.feature_name()
    matrix = read_features(options.rows, names, manifest.get("category_codes", {}), read_names(options.only))
    raw = booster.predict(matrix, raw_score=True, num_threads=options.threads)
    manifest.update({"model": os.path.basename(options.model), "sha256": digest(options.model), "features": names, "distribution": distributions(raw, matrix, names)})
    write_json(options.manifest, manifest)
    print(f"{options.manifest}: {len(matrix)} rows, {len(names)} features")


def read_names(path):
    if not path:
        return None
    with open(path, newline="", encoding="utf-8") as file:
        return {row["debtor"] for row in csv.DictReader(file)}


def read_features(path, names, codes, only):
    """Rows of 'collections features' or of a training set, in the model's column order."""
    values = array.array("d")
    with open(path, newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        missing = [name for name in names if name not in (table.fieldnames or [])]
        if missing:
            raise Refused(f"{path}: lacks the model's features {', '.join(missing)}")
        for row in table:
            if only is None or row["debtor"] in only:
                for name in names:
                    cell = codes.get(name, {}).get(row[name], row[name])
                    values.append(math.nan if cell == "" else float(cell))
    if not values:
        raise Refused(f"{path}: has no rows" + (" that --only names" if only is not None else ""))
    return numpy.frombuffer(values, dtype=float).reshape(-1, len(names))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def write_json(path, content):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def arguments():
    parser = argparse.ArgumentParser(description="Trains a LightGBM model from a training set of the engine.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train", help="train, calibrate and measure a model; write model.txt, manifest.json and report.json")
    one.add_argument("--rows", required=True, help="the CSV of 'collections export training-set', its data card beside it")
    one.add_argument("--out", required=True, help="directory for the model")
    one.add_argument("--name", help="of the model (default: its target)")
    one.add_argument("--version", help="of the model (default: the last as-of date, and .1)")
    one.add_argument("--features", type=lambda text: text.split(","), help="use these columns only, separated by commas")
    one.add_argument("--valid-share", type=float, default=0.15, help="share of the dates, before the test's, that validate and calibrate")
    one.add_argument("--test-share", type=float, default=0.15, help="share of the dates, the last ones, that test")
    one.add_argument("--gap-days", type=int, help="days between slices (default: the horizon, so that no outcome lies in the next slice)")
    one.add_argument("--debtor-disjoint", action="store_true", help="slices share no debtor either")
    one.add_argument("--no-calibration", action="store_true")
    one.add_argument("--holdout", help="write the test rows here, to be compared with 'collections score'")
    one.add_argument("--trees", type=int, default=400, help="at most")
    one.add_argument("--leaves", type=int, default=31)
    one.add_argument("--learning-rate", type=float, default=0.05)
    one.add_argument("--min-leaf-rows", type=int, default=60)
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--threads", type=int, default=2)
    two = commands.add_parser("describe", help="fill a manifest's hash, features and distribution from a model and its training rows")
    two.add_argument("--model", required=True)
    two.add_argument("--rows", required=True, help="a CSV with the model's features")
    two.add_argument("--only", help="a CSV whose column 'debtor' names the rows to take")
    two.add_argument("--manifest", required=True, help="to be changed in place")
    two.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.command == "train" and not (0 < options.valid_share < 1 and 0 < options.test_share < 1 and options.valid_share + options.test_share < 1):
        parser.error("--valid-share, --test-share: must be above 0 and together below 1")
    return options


def main():
    options = arguments()
    try:
        (train if options.command == "train" else describe)(options)
        return 0
    except (Refused, OSError, lightgbm.basic.LightGBMError) as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
