// privacy.mjs [--markdown] DIR sim [WORLD...]: the figures of DIR/WORLD/trials side by
// side, as means over trials with their standard errors, and what each is off by.
import { readFileSync, readdirSync } from 'node:fs';

const flags = process.argv.slice(2).filter((a) => a.startsWith('--'));
const [dir, ...worlds] = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const markdown = flags.includes('--markdown');
const read = (f) => JSON.parse(readFileSync(f, 'utf8'));

// What is off by more is message-level: points of 100, bits.
const large = { ppm: 5, millibit: 0.1 };
const scale = { ppm: 1e4, millibit: 1e3 };
const units = { ppm: '%', millibit: 'bit' };
// An AUC that is off by more than 20 points and four standard errors is not of the same traffic: a
// tap at the wrong end, a clock of its own, truth that is another flow's. What segments do to the
// figures stays below 10 points (docs/privacy.md); how much trials differ is taken from sim, which
// has more of them.
const gross = 20;
const chance = (sim, n) => 4 * Math.sqrt(variance(sim) * (1 / n + 1 / sim.length));

const figures = ['timing_auc', 'timing_eer', 'timing_tpr_2', 'size_leak', 'presence_auc', 'presence_advantage'];
const name = { timing_auc: 'M6 AUC', timing_eer: 'M6 EER', timing_tpr_2: 'M6 TPR at 1 %', size_leak: 'M7',
    presence_auc: 'M10 AUC', presence_advantage: 'M10 advantage' };
const judged = ['timing_auc', 'presence_auc'];

// A trial's rows: [entry, observer, at, metric, about, prior, value, n, population, window].
const key = (r) => `${r[3]} ${r[4]}`;
const trials = (world) => readdirSync(`${dir}/${world}/trials`).filter((f) => f.endsWith('.json'))
    .map((f) => read(`${dir}/${world}/trials/${f}`));
const unit = {}, all = {};
for (const world of worlds) {
    const summary = read(`${dir}/${world}/summary.json`);
    for (const c of summary.cells) for (const p of c.privacy) unit[p.metric] = p.unit;
    all[world] = summary.cells.map(() => new Map());
    for (const t of trials(world))
        for (const r of t.privacy ?? []) {
            const at = all[world][t.cell], x = at.get(key(r)) ?? { values: [], n: 0 };
            x.values.push(r[6]);
            x.n += r[7];
            at.set(key(r), x);
        }
}
const mean = (x) => x.reduce((a, b) => a + b, 0) / x.length;
const variance = (x) => x.reduce((s, v) => s + (v - mean(x)) ** 2, 0) / (x.length - 1);
const error = (x) => Math.sqrt(variance(x) / x.length);
const faults = [];
const cells = read(`${dir}/sim/summary.json`).cells.map((c) => {
    const t = Object.values(c.axes)[0] ?? 'the cell';
    return t.replace(/[{}]/g, '').split(',')[0].replace(/^name: */, '');
});

const rows = [];
cells.forEach((cell, i) => {
    for (const metric of figures)
        for (const [k, sim] of all.sim[i]) {
            if (k.split(' ')[0] !== metric) continue;
            const about = k.slice(metric.length + 1).replace(/^counts .*/, '');
            const u = unit[metric], of = (x) => x / scale[u];
            const cols = worlds.map((w) => all[w][i].get(k));
            const off = cols.map((c) => c && of(mean(c.values) - mean(sim.values)));
            const noise = cols.map((c) => c && of(Math.hypot(error(c.values), error(sim.values))));
            cols.forEach((c, j) => {
                if (!c) faults.push(`${cell}: ${name[metric]} ${about}: ${worlds[j]} has none`);
                else if (judged.includes(metric) && Math.abs(off[j]) > gross + of(chance(sim.values, c.values.length)))
                    faults.push(`${cell}: ${name[metric]} ${about}: ${worlds[j]} is off by ${off[j].toFixed(1)} points`);
            });
            const bad = off.map((x, j) => Math.abs(x) > large[u] && (Math.abs(x) > 2 * noise[j] ? 2 : 1));
            const label = bad.includes(2) ? 'message-level' : bad.includes(1) ? 'too few trials' : '';
            rows.push([cell, `${name[metric]}${about ? ` (${about})` : ''}`, units[u],
                ...cols.map((c) => c ? of(mean(c.values)).toFixed(u === 'ppm' ? 1 : 3) : '-'),
                ...off.slice(1).map((x, j) => x === undefined ? '-'
                    : `${x >= 0 ? '+' : ''}${x.toFixed(u === 'ppm' ? 1 : 3)} ± ${(2 * noise[j + 1]).toFixed(u === 'ppm' ? 1 : 3)}`),
                cols.map((c) => c?.n ?? '-').join(' / '), label]);
        }
});

// What `partyline observe` makes of the lab's pcap, of the first trial of each cell.
if (worlds.includes('lab')) {
    let compared = 0;
    cells.forEach((cell, i) => {
        const own = new Map(read(`${dir}/lab/trials/${i}-0.json`).privacy.map((r) => [key(r), r.slice(6).join()]));
        for (const observer of ['timing', 'size', 'participation'])
            for (const r of read(`${dir}/lab/traces/${i}-0.${observer}.json`).privacy) {
                compared++;
                if (own.get(key(r)) !== r.slice(6).join())
                    faults.push(`${cell}: ${key(r)}: observe has ${r.slice(6)}, the run had ${own.get(key(r))}`);
            }
    });
    if (compared < 30) faults.push(`observe found ${compared} figures in the pcaps alone`);
}

const head = ['transport', 'figure', '', ...worlds, ...worlds.slice(1).map((w) => `${w} - sim`), 'n', ''];
if (markdown) {
    for (const r of [head, head.map(() => '---'), ...rows]) console.log(`| ${r.join(' | ')} |`);
} else {
    const width = head.map((_, c) => Math.max(...[head, ...rows].map((r) => String(r[c]).length)));
    for (const r of [head, ...rows]) console.log(r.map((x, c) => String(x).padEnd(width[c])).join('  ').trimEnd());
}
console.log(`\n± is twice the standard error of the difference, over trials: ${worlds.map((w) => `${trials(w).length / cells.length} of ${w}`).join(', ')}.`);
for (const f of faults) console.log(`FAULT: ${f}`);
process.exit(faults.length ? 1 : 0);
