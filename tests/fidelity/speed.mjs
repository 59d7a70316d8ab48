// The same all-to-all scenario in both worlds: messages a second.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scenario = (count) => `schema: 1
name: speed
seed: 1
repeat: 1
limit: 100000s
regions: {here: {here: 20ms}}
tcp: ns3
parties: [{name: p, count: 10, region: here, role: peer, access: {down: 100Mbit, up: 100Mbit}}]
protocol: {name: ping, size: 1KiB, reply: 1KiB, count: ${count}, interval: 50ms}
transport: direct
channel: none
observers: [{name: exposure, enabled: false}]
`;

function timed(program, argv) {
    return new Promise((done, fail) => {
        const began = process.hrtime.bigint();
        spawn(program, argv, { stdio: ["ignore", "ignore", "inherit"] }).on("close", (code) =>
            code ? fail(new Error(`status ${code}`)) : done(Number(process.hrtime.bigint() - began) / 1e9),
        );
    });
}

export async function speed(program, worlds) {
    const scratch = mkdtempSync(join(tmpdir(), "fidelity-"));
    const rate = {};
    console.log("all-to-all of ten, 1 KiB there and back, channel: none, one core:");
    for (const world of worlds) {
        const count = world === "sim" ? 20000 : 400;
        const file = join(scratch, "speed.yaml");
        const argv = ["run", file, "--world", world, "--out", join(scratch, world), "-j1", "--quiet"];
        let least = Infinity;
        writeFileSync(file, scenario(count));
        for (let i = 0; i < 3; i++) {
            rmSync(join(scratch, world), { recursive: true, force: true });
            least = Math.min(least, await timed(program, argv));
        }
        const { messages } = JSON.parse(readFileSync(join(scratch, world, "summary.json"))).cells[0].counts;
        rate[world] = messages / least;
        console.log(`  ${world}: ${messages} messages in ${least.toFixed(2)} s, ${Math.round(rate[world])} messages/s`);
    }
    rmSync(scratch, { recursive: true, force: true });
    const ratio = rate.sim / rate.ns3;
    console.log(`  sim / ns3: ${ratio.toFixed(1)} (goal: at least 50)`);
    return ratio;
}
