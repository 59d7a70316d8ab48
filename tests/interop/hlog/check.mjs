// node check.mjs LOG [EXPECTED.json]
//
// Reads a log with hdr-histogram-js and prints a line per histogram:
//     tag count min max p50 p90 p99
// With EXPECTED, {"tag": {"count": 1, "min": 1, "max": 1, "p50": 1, ..., "buckets": [[value, count], ...]}},
// every histogram must be there, no other, and every figure that is given must be right: exact
// min and max lie in the bucket that the log has, and quantiles end at the exact max.
import { readFileSync } from "node:fs";
import { HistogramLogReader } from "hdr-histogram-js";

const PERCENTILES = { p50: 50, p90: 90, p99: 99, p999: 99.9 };
const NO_TAG = "";

function readLog(path) {
  const found = new Map();
  const reader = new HistogramLogReader(readFileSync(path, "utf8"), 64);
  for (let h; (h = reader.nextIntervalHistogram()) !== null; ) {
    const tag = h.tag === "NO TAG" ? NO_TAG : h.tag;
    if (found.has(tag)) throw new Error(`tag "${tag}" is there twice`);
    found.set(tag, h);
  }
  return found;
}

const figures = (h) => ({
  count: h.totalCount,
  min: h.totalCount ? h.getValueAtPercentile(0) : 0,
  max: h.maxValue,
  p50: h.getValueAtPercentile(50),
  p90: h.getValueAtPercentile(90),
  p99: h.getValueAtPercentile(99),
});

function* differences(h, want) {
  const differs = (name, got, wanted) => `${name} is ${got}, expected ${wanted}`;
  const has = (name) => want[name] !== undefined;
  const { count, min, max } = figures(h);
  const wantedMin = has("min") && h.lowestEquivalentValue(want.min);
  const wantedMax = has("max") && (count ? h.highestEquivalentValue(want.max) : want.max);
  if (has("count") && count !== want.count) yield differs("count", count, want.count);
  if (has("min") && min !== wantedMin) yield differs("min", min, wantedMin);
  if (has("max") && max !== wantedMax) yield differs("max", max, wantedMax);
  for (const [name, percent] of Object.entries(PERCENTILES)) {
    const got = Math.min(h.getValueAtPercentile(percent), has("max") ? want.max : Infinity);
    if (has(name) && got !== want[name]) yield differs(name, got, want[name]);
  }
  for (const [value, n] of want.buckets ?? []) {
    const got = h.getCountAtValue(value);
    if (got !== n) yield differs(`the count at ${value}`, got, n);
  }
}

function compare(found, expected) {
  const wrong = [];
  for (const tag of found.keys())
    if (!Object.hasOwn(expected, tag)) wrong.push(`"${tag}" is not expected`);
  for (const [tag, want] of Object.entries(expected)) {
    const h = found.get(tag);
    if (!h) wrong.push(`"${tag}" is missing`);
    else for (const line of differences(h, want)) wrong.push(`"${tag}": ${line}`);
  }
  return wrong;
}

const [log, expected] = process.argv.slice(2);
if (!log) {
  console.error("usage: node check.mjs LOG [EXPECTED.json]");
  process.exit(2);
}
const found = readLog(log);
for (const [tag, h] of found) console.log([tag || "-", ...Object.values(figures(h))].join(" "));
if (found.size === 0) {
  console.error(`${log}: no histogram in it`);
  process.exit(1);
}
if (expected) {
  const wrong = compare(found, JSON.parse(readFileSync(expected, "utf8")));
  for (const line of wrong) console.error(`${log}: ${line}`);
  if (wrong.length) process.exit(1);
}
