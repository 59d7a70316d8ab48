// plant.mjs RUN slowdown PERCENT | exposure | discretion | digest: changes the trials of a run's
// folder; the files stay valid, and `partyline run --resume` makes the summary of them anew. A
// negative slowdown, and discretion (an exposure less), are for baselines.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const [run, what, amount = "0"] = process.argv.slice(2);
const percent = Number(amount);
const longer = (v) => v + Math.floor((v * percent) / 100);
const hex = (v) => v.toString(16).padStart(16, "0");

// Buckets are named by any value in them; the first and the last must hold min and max.
function slow_down(h) {
  const counts = h.buckets.filter((_, i) => i % 2 === 1);
  const total = counts.reduce((a, b) => a + b, 0);
  const values = h.buckets.filter((_, i) => i % 2 === 0).map(longer);
  h.min = longer(h.min);
  h.max = longer(h.max);
  h.sum = hex((BigInt("0x" + h.sum) * BigInt(100 + percent)) / 100n);
  if (total === 1) {
    h.buckets = [h.min, 1];
    h.max = h.min;
    return;
  }
  counts[0]--;
  counts[counts.length - 1]--;
  if (counts.length === 1) counts[0] = total - 2;
  h.buckets = [h.min, 1];
  values.forEach((v, i) => {
    if (counts[i] > 0) h.buckets.push(Math.min(Math.max(v, h.min), h.max), counts[i]);
  });
  h.buckets.push(h.max, 1);
}

for (const name of readdirSync(run + "/trials")) {
  const path = `${run}/trials/${name}`;
  const trial = JSON.parse(readFileSync(path, "utf8"));
  if (what === "slowdown") for (const m of ["completion", "round", "rtt"]) {
    if (trial.metrics[m]) slow_down(trial.metrics[m]);
  }
  // The first party learns the second one's input, which nobody ever did.
  if (what === "exposure") trial.exposures.push(["exposure", "party_input", 0, 1, 2, 1000]);
  if (what === "discretion") trial.exposures.pop();
  if (what === "digest" || what === "slowdown") trial.digest = hex(BigInt("0x" + trial.digest) ^ 1n);
  writeFileSync(path, JSON.stringify(trial));
}
