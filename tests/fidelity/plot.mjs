// Q-Q plots, by gnuplot: a quantile of ns3 across, of sim up; on the diagonal they agree.
import { execFileSync } from "node:child_process";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const at = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);

function quantiles(sorted) {
    const n = sorted.reduce((sum, [, count]) => sum + count, 0);
    let i = 0;
    let seen = 0;
    return at.map((q) => {
        while (i + 1 < sorted.length && seen + sorted[i][1] < Math.ceil(q * n)) seen += sorted[i++][1];
        return sorted[i][0] / 1e6;
    });
}

export async function plot(done, out) {
    const scratch = mkdtempSync(join(tmpdir(), "fidelity-"));
    const groups = new Map();
    for (const d of done) {
        const kind = d.result.name.split(" ")[0];
        const key = `${kind === "response" ? "response" : kind === "handshake" ? "handshake" : "rounds"}-${d.result.loss_ppm ? "loss" : "calm"}`;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(d);
    }
    for (const [key, cells] of groups) {
        const data = join(scratch, key);
        const blocks = cells.map((d) => {
            const [x, y] = [quantiles(d.ns3), quantiles(d.sim)];
            return x.map((v, i) => `${v} ${y[i]}`).join("\n");
        });
        writeFileSync(data, blocks.join("\n\n") + "\n");
        execFileSync("gnuplot", [], {
            input: `set terminal svg size 720,720
set output "${join(out, key)}.svg"
set title "${key.replace("-", ", ")}: quantiles 1 % to 99 % of ${cells.length} cells"
set xlabel "ns-3, ms"
set ylabel "sim, ms"
set logscale xy
set grid
set key top left
plot "${data}" with linespoints pointtype 7 pointsize 0.3 title "cells", x with lines title "equal"
`,
        });
    }
    rmSync(scratch, { recursive: true, force: true });
}
