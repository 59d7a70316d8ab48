// What tests/fidelity/run starts: runs the cells in both worlds, compares, writes, judges.
// What a world has measured of a cell is kept in $B/fidelity, so that a run that was broken off goes
// on where it was: for the same scenario and the same program, or (--keep) any program's of ns-3.
// --ns3: ns-3 alone, nothing is compared; --kept: only the cells that ns-3 was measured in.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { full, short, skipped } from "./cells.mjs";
import { speed } from "./speed.mjs";
import { plot } from "./plot.mjs";

const exec = promisify(execFile);
const args = process.argv.slice(2);
const flag = (name) => args.includes(name);
const option = (name, otherwise) => (flag(name) ? args[args.indexOf(name) + 1] : otherwise);
const program = resolve(process.env.PARTYLINE);
const quantiles = { p50: 0.5, p90: 0.9, p99: 0.99 };
const worlds = ["sim", "ns3"];

// A trial's file holds exact buckets (a lower bound and a count), 1/1024 wide: all trials' together.
function distribution(dir, metric) {
    const counts = new Map();
    for (const file of readdirSync(join(dir, "trials"))) {
        const m = JSON.parse(readFileSync(join(dir, "trials", file))).metrics[metric];
        if (!m) continue;
        for (let i = 0; i < m.buckets.length; i += 2)
            counts.set(m.buckets[i], (counts.get(m.buckets[i]) || 0) + m.buckets[i + 1]);
    }
    return [...counts].sort((a, b) => a[0] - b[0]);
}

function quantile(sorted, q) {
    const n = sorted.reduce((sum, [, count]) => sum + count, 0);
    let rank = Math.ceil(q * n);
    for (const [value, count] of sorted) if ((rank -= count) <= 0) return value;
    return NaN;
}

const sha = (text) => createHash("sha256").update(text).digest("hex");
const builds = { sim: program, ns3: `${program}-ns3` };
const build = Object.fromEntries(worlds.map((world) => [world, sha(readFileSync(builds[world]))]));

async function run(cell, world) {
    const scratch = mkdtempSync(join(tmpdir(), "fidelity-"));
    const [file, out] = [join(scratch, "cell.yaml"), join(scratch, "out")];
    try {
        writeFileSync(file, cell.scenario);
        await exec(program, ["run", file, "--world", world, "--out", out, "-j1", "--quiet"]);
        const { completed, trials } = JSON.parse(readFileSync(join(out, "summary.json"))).cells[0];
        if (completed !== trials) throw new Error(`only ${completed} of ${trials} trials completed in ${world}`);
        return distribution(out, cell.metric);
    } finally {
        rmSync(scratch, { recursive: true, force: true });
    }
}

function fileOf(cell, world) {
    const key = sha(cell.scenario.replaceAll(circuit, "multiplier_64.txt") + cell.metric);
    return join(kept, `${world}-${key.slice(0, 32)}.json`);
}

async function measure(cell, world) {
    const file = fileOf(cell, world);
    if (existsSync(file)) {
        const old = JSON.parse(readFileSync(file));
        if (old.build === build[world] || (world === "ns3" && flag("--keep"))) return old.buckets;
    }
    const began = Date.now();
    const buckets = await run(cell, world);
    const seconds = (Date.now() - began) / 1000;
    writeFileSync(`${file}.new`, JSON.stringify({ name: cell.name, world, build: build[world], seconds, buckets }));
    renameSync(`${file}.new`, file);
    return buckets;
}

async function compare(cell) {
    const result = { name: cell.name, loss_ppm: cell.loss_ppm };
    const [sim, ns3] = [await measure(cell, "sim"), await measure(cell, "ns3")];
    for (const [name, q] of Object.entries(quantiles)) {
        const [a, b] = [quantile(sim, q), quantile(ns3, q)];
        result[name] = { sim: a, ns3: b, error_ppm: Math.round((Math.abs(a - b) / b) * 1e6) };
    }
    return { result, sim, ns3, samples: ns3.reduce((sum, [, n]) => sum + n, 0) };
}

const ms = (ns) => (ns / 1e6).toFixed(3).padStart(13);
const percent = (ppm) => (ppm / 1e4).toFixed(2).padStart(8);

function print({ result, samples }) {
    for (const q of Object.keys(quantiles)) {
        const r = result[q];
        const signed = Math.sign(r.sim - r.ns3) * r.error_ppm;
        console.log(`${result.name.padEnd(44)} ${q} ${ms(r.sim)} ${ms(r.ns3)} ${percent(signed)} ${String(samples).padStart(6)}`);
    }
}

async function all(cells, jobs) {
    const done = [];
    let next = 0;
    let printed = 0;
    const worker = async () => {
        while (next < cells.length) {
            const i = next++;
            try {
                done[i] = await compare(cells[i]);
            } catch (e) {
                done[i] = { failed: `${cells[i].name}: ${e.message}` };
            }
            for (; done[printed]; printed++)
                if (done[printed].failed) console.log(`FAILED: ${done[printed].failed}`);
                else print(done[printed]);
            save(done.slice(0, printed).filter((d) => !d.failed));
        }
    };
    await Promise.all(Array.from({ length: jobs }, worker));
    return done;
}

// After every cell: what is done is kept if the run is broken off.
function save(done) {
    if (!out) return;
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, "latest.json"), JSON.stringify({ cells: done.map((d) => d.result) }, null, 1) + "\n");
}

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];

// [what, which cells, quantile, the goal for the median]; a cell may have twice that.
const goals = [
    ["without loss", (r) => r.loss_ppm === 0, "p50", 20000],
    ["without loss", (r) => r.loss_ppm === 0, "p99", 50000],
    ["with loss", (r) => r.loss_ppm > 0, "p50", 50000],
    ["with loss", (r) => r.loss_ppm > 0, "p90", 150000],
];

function judge(results) {
    let good = true;
    for (const [what, which, q, goal] of goals) {
        const some = results.filter(which);
        if (!some.length) continue;
        const mid = median(some.map((r) => r[q].error_ppm));
        const beyond = some.filter((r) => r[q].error_ppm > 2 * goal);
        good &&= mid <= goal;
        console.log(
            `${mid <= goal ? "met" : "NOT MET"}: ${what}, ${q}: median error ${(mid / 1e4).toFixed(2)} %, goal ${goal / 1e4} %; ` +
                `${beyond.length} of ${some.length} cells beyond ${(2 * goal) / 1e4} %`,
        );
        for (const r of beyond) console.log(`    ${r.name}: ${(r[q].error_ppm / 1e4).toFixed(1)} %`);
    }
    return good;
}

const out = option("--out", flag("--short") || flag("--only") ? null : "results/fidelity");
const circuits = mkdtempSync(join(tmpdir(), "fidelity-"));
const circuit = join(circuits, "multiplier_64.txt");
writeFileSync(circuit, (await exec(program, ["circuit", "multiplier", "64"], { maxBuffer: 1 << 28 })).stdout);

const kept = process.env.KEPT;
mkdirSync(kept, { recursive: true });

const only = new RegExp(option("--only", ""));
const cells = flag("--speed") ? [] : (flag("--short") ? short : full)(circuit)
    .filter((c) => only.test(c.name))
    .filter((c) => !flag("--kept") || existsSync(fileOf(c, "ns3")));
let good = true;
if (flag("--ns3")) {
    for (const cell of cells) {
        console.log(cell.name);
        await measure(cell, "ns3");
    }
} else if (cells.length) {
    console.log(`${"cell".padEnd(44)} q         sim, ms       ns3, ms  error, % samples`);
    const tried = await all(cells, Number(process.env.JOBS) || 2);
    const done = tried.filter((d) => !d.failed);
    const results = done.map((d) => d.result);
    if (!flag("--short")) for (const why of skipped) console.log(`left out: ${why}`);
    good = judge(results) && done.length === tried.length;
    if (out) {
        await plot(done, out);
        console.log(`${out}/latest.json; ${out}/*.svg`);
    }
}
if (flag("--speed") || (out && !flag("--only"))) await speed(program, worlds);
rmSync(circuits, { recursive: true, force: true });
process.exit(good ? 0 : 1);
