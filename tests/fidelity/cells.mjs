// The cells of the comparison: what runs, over which network, and what is looked at.
const lossPpm = { "0%": 0, "0.1%": 1000, "1%": 10000, "5%": 50000 };
const sizes = { "64B": 64, "1.4KB": 1400, "16KiB": 16 << 10, "256KiB": 256 << 10, "4MiB": 4 << 20 };
const trips = [1, 20, 100, 300]; // ms
const rates = [1, 10, 100, 1000]; // Mbit/s
const losses = ["0.1%", "1%", "5%"];

// Linux's delayed acknowledgement and minimum RTO: with ns-3's 200 ms for both, every second answer
// that ends with an odd segment times out, in both worlds. Both worlds like this: engine/worlds/link/tcp.h says what it stands for.
const tcp = "{like: ns3, delayed_ack: 40ms, min_rto: 200ms, receive_window: 6MiB, initial_window: 10}";

const yaml = ({ trip, parties, services = [], protocol, repeat }) => `schema: 1
name: fidelity
seed: 1
repeat: ${repeat}
limit: 10000000s
regions: {here: {here: ${trip}ms}}
tcp: ${tcp}
parties:
${parties.map((p) => `  - {${p}}`).join("\n")}
services: [${services.map((p) => `{${p}}`).join(", ")}]
protocol: ${protocol}
transport: direct
channel: none
observers: [{name: exposure, enabled: false}]
`;

const line = (rate, loss) => `access: {down: ${rate}Mbit, up: ${rate}Mbit, loss: ${loss}}`;
// Losses are on the client's line, in both directions. The server is no party: nothing is measured
// there. The server, which dials, starts within a second: without losses, seeds differ by where ns-3's clock of
// milliseconds stands, and by nothing else.
const pair = (rate, loss) => ({
    parties: [`name: client, region: here, role: client, ${line(rate, loss)}`],
    services: [`name: server, region: here, role: server, start: {uniform: 1s}, ${line(rate, "0%")}`],
});

function cell(name, loss, metric, scenario) {
    return { name, loss_ppm: lossPpm[loss], metric, scenario: yaml(scenario) };
}

// Each of 9 clients is dialled by the server, which is the tenth sample when the last one is there.
function handshake(trip, rate, loss) {
    const client = (_, i) => `name: c${i}, region: here, role: client, ${line(rate, loss)}`;
    return cell(`handshake ${trip} ms ${rate} Mbit/s ${loss}`, loss, "setup", {
        trip,
        parties: Array.from({ length: 9 }, client),
        services: [`name: server, region: here, role: server, ${line(1000, "0%")}`],
        protocol: "{name: ping, size: 64B, reply: 64B, count: 1}",
        repeat: loss === "0%" ? 100 : 200,
    });
}

// A request of 64 bytes and an answer of that size, one after the other on one connection.
function response(size, trip, rate, loss, seeds) {
    const bytes = sizes[size];
    const segments = Math.ceil(bytes / 1448);
    const alone = (2 * bytes * 8) / rate / 1000 + 40 * trip + 2000; // ms, on the safe side
    const interval = Math.round(loss === "0%" ? alone : alone + segments * trip + 20000);
    const large = bytes > 1 << 20;
    const count = loss === "0%" ? (large ? 10 : 20) : large ? 1 : 5;
    return cell(`response ${size} ${trip} ms ${rate} Mbit/s ${loss}`, loss, "rtt", {
        trip,
        ...pair(rate, loss),
        protocol: `{name: ping, size: 64B, reply: ${bytes}B, count: ${count}, interval: ${interval}ms}`,
        repeat: seeds ?? (loss === "0%" ? (large ? 10 : 50) : 200),
    });
}

// Everybody sends to everybody: a round of a protocol, in a ring of so many.
function round(n, loss) {
    return cell(`round of ${n} 20 ms 10 Mbit/s ${loss}`, loss, "round", {
        trip: 20,
        parties: Array.from({ length: n }, (_, i) => `name: p${i}, region: here, input: ${i + 1}, ${line(10, loss)}`),
        protocol: "{name: shamir, threshold: 1, program: sum}",
        repeat: loss === "0%" ? 20 : 200,
    });
}

// Everybody asks everybody, 1 KiB there and back. They start within a second of each other: at
// the same moment, it would be the order of simultaneous packets that decides who waits.
function allToAll(n, loss) {
    return cell(`all-to-all of ${n} 20 ms 10 Mbit/s ${loss}`, loss, "rtt", {
        trip: 20,
        parties: [`name: p, count: ${n}, region: here, role: peer, start: {uniform: 1s}, ${line(10, loss)}`],
        protocol: "{name: ping, size: 1KiB, reply: 1KiB, count: 20, interval: 100ms}",
        repeat: 20,
    });
}

function multiplier(circuit, loss) {
    return cell(`multiplier of 64 bits 20 ms 10 Mbit/s ${loss}`, loss, "round", {
        trip: 20,
        parties: [
            `name: alice, region: here, input: 48271, ${line(10, loss)}`,
            `name: bob, region: here, input: 69621, ${line(10, loss)}`,
            `name: carol, region: here, ${line(10, loss)}`,
        ],
        protocol: `{name: shamir, threshold: 1, program: circuit, circuit: ${circuit}}`,
        repeat: loss === "0%" ? 2 : 200,
    });
}

function full(circuit) {
    const cells = [];
    const grid = (add) => {
        for (const loss of ["0%", ...losses]) for (const trip of trips) for (const rate of rates) add(trip, rate, loss);
    };
    grid((trip, rate, loss) => cells.push(handshake(trip, rate, loss)));
    for (const loss of ["0%", ...losses]) {
        for (const n of [3, 5, 10]) cells.push(round(n, loss));
        for (const n of [3, 5, 10]) cells.push(allToAll(n, loss));
        cells.push(multiplier(circuit, loss));
    }
    for (const size in sizes) grid((trip, rate, loss) => cells.push(response(size, trip, rate, loss)));
    return cells;
}

function short(circuit) {
    return [
        handshake(20, 10, "0%"),
        handshake(20, 10, "1%"),
        response("64B", 20, 10, "0%"),
        response("16KiB", 100, 10, "0%"),
        response("256KiB", 20, 10, "0%", 10),
        response("256KiB", 100, 100, "0%", 10),
        response("4MiB", 20, 100, "0%", 2),
        response("1.4KB", 100, 10, "5%"),
        response("16KiB", 20, 10, "1%"),
        response("256KiB", 20, 10, "1%"),
        allToAll(5, "0%"),
        round(3, "1%"),
        multiplier(circuit, "0%"),
    ];
}

const skipped = [
    "4 MiB without losses: 100 samples (10 seeds of 10 answers), with losses 200 (a seed each)",
];

export { full, short, skipped, allToAll };
