// privacy.mjs SIM NS3: the `privacy` sections of two summaries side by side, with the error.
import { readFileSync } from 'node:fs';

const [sim, ns3] = process.argv.slice(2).map((f) => JSON.parse(readFileSync(f, 'utf8')));
const key = (p) => [p.observer, p.metric, p.about ?? ''].join(' ');
const large = { ppm: 50000, millibit: 100 };
let missing = 0;

console.log('cell\tfigure\tunit\tsim\tns3\terror');
sim.cells.forEach((cell, i) => {
    const other = new Map((ns3.cells[i].privacy ?? []).map((p) => [key(p), p]));
    for (const p of cell.privacy ?? []) {
        const q = other.get(key(p));
        const name = Object.values(cell.axes).join(' ');
        if (!q) {
            missing++;
            continue;
        }
        const error = p.value - q.value;
        const label = Math.abs(error) > (large[p.unit] ?? Infinity) ? '\tmessage-level' : '';
        console.log([name, key(p), p.unit, p.value, q.value, error].join('\t') + label);
    }
});
if (missing)
    console.log(`${missing} figures of sim need truth, which ns3 does not carry: not compared`);
