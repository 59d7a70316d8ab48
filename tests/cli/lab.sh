# The world lab: hosts as namespaces of this machine, and what `partyline lab` does with them.
. "$(dirname "$0")/lib"
export PARTYLINE_LABS=$scratch/labs TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
need=$("$program" doctor lab 2>&1) || {
    it "the lab"
    skip_case "$(echo "$need" | head -n 1)"
    exit
}

# All that a lab of ours could leave: names begin with its number.
ours=
remember() { ours="$ours $(ls "$PARTYLINE_LABS" 2>/dev/null)"; }
nothing_left() {
    local id
    for id in $ours; do
        ! ls /run/netns 2>/dev/null | grep -q "^pl-$id-" || wrong "namespaces of $id are left"
        [ -z "$(find /sys/fs/cgroup -name "pl-$id-*" 2>/dev/null)" ] || wrong "control groups of $id are left"
        ! grep -q "$id" /proc/mounts || wrong "mounts of $id are left"
    done
    [ ! -e "$PARTYLINE_LABS" ] || wrong "left: $(ls "$PARTYLINE_LABS")"
    [ -z "$(ls -A "$TMPDIR")" ] || wrong "left: $(ls -A "$TMPDIR")"
}
trap 'end_case; "$program" lab down --all >/dev/null 2>&1; rm -rf "$scratch"' EXIT

cat >homes.yaml <<'YAML'
schema: 1
name: homes
limit: 20s
regions: {eu: {eu: 4ms, us: 80ms}, us: {us: 6ms}}
parties:
  - {name: public, region: us, input: 1}
  - {name: cone, region: eu, nat: full_cone, input: 2}
  - {name: fritz, region: eu, nat: port_restricted, input: 3}
  - {name: other, region: us, nat: port_restricted, input: 4}
  - {name: strict, region: us, nat: symmetric, input: 5}
  - {name: mobile, region: eu, nat: cgnat, input: 6}
  - {name: walled, region: eu, nat: udp_blocked, input: 7}
  - {name: half, region: eu, nat: restricted_cone, input: 8}
protocol: {name: shamir, threshold: 1, program: sum}
transport: direct
YAML

# on HOST COMMAND...: runs it there.
on() {
    local pid
    pid=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).hosts.find((h) => h.name === process.argv[2]).pid' "$PARTYLINE_LABS/$id/lab.json" "$1")
    shift
    nsenter -t "$pid" -a "$@"
}
# udp.js PORT SECONDS HOST:PORT...: sends to each every 100 ms; tells whom it heard, and the
# shortest round trip to who echoes (port 7).
cat >udp.js <<'JS'
const [port, seconds, ...peers] = process.argv.slice(2);
const s = require("dgram").createSocket("udp4"), heard = new Map();
s.on("message", (m, from) => {
    const text = m.toString();
    if (port === "7") return s.send(m, from.port, from.address);
    const rtt = text.startsWith("t") ? Number(process.hrtime.bigint() - BigInt(text.slice(1))) / 1e6 : 0;
    const old = heard.get(from.address) ?? Infinity;
    heard.set(from.address, Math.min(old, rtt));
});
s.on("error", () => {});
s.bind(Number(port), "0.0.0.0");
const beat = () => { for (const p of peers) { const [h, n] = p.split(":"); s.send("t" + process.hrtime.bigint(), Number(n), h, () => {}); } };
setInterval(beat, 100);
setTimeout(() => { console.log([...heard].map(([a, t]) => a + "=" + t.toFixed(2)).sort().join(" ")); process.exit(); }, seconds * 1000);
JS
udp() { # HOST ARGUMENT...: in the background, into HOST.said
    local host=$1
    shift
    cp udp.js "$PARTYLINE_LABS/$id/hosts/$host/share/"
    on "$host" node /var/lib/partyline/udp.js "$@" >"$host.said" 2>&1 &
}

it "up makes every host, NAT and link, within seconds"
began=$(date +%s%N)
pl lab up homes.yaml --pcap "$scratch/wan.pcap"
exits 0
remember
took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt 5000 ] || wrong "it took $took ms"
id=$(cat out)
json "$PARTYLINE_LABS/$id/lab.json" 'x.hosts.length === 8 && x.boxes.length === 8 && x.hosts[2].address === "198.18.0.3" && x.hosts[2].bind === "10.0.0.3"'
[ "$(on fritz hostname)" = fritz ] || wrong "fritz has another host name"
[ "$(on fritz sh -c 'echo $$; ls /tmp /run | wc -l')" != "" ] || wrong "nothing runs on fritz"
must on fritz sh -c 'touch /etc/mine && test ! -e '"$scratch"
[ ! -e /etc/mine ] || wrong "what a host writes is on the machine"
pl lab status
exits 0
out_has "$id  homes"
out_has "198.18.0.5"

it "delays are what was asked for, and hole punching works where the model says it does"
# fritz, other: both preserve ports; strict: no way to fritz; half: let in by address alone.
udp public 7 4
udp fritz 6000 3 public:7 198.18.0.4:6000 198.18.0.5:6000 198.18.0.8:6000
udp other 6000 3 public:7 198.18.0.3:6000
udp strict 6000 3 public:7 198.18.0.3:6000 198.18.0.2:6000
udp cone 6000 3 public:7
udp mobile 6000 3 public:7 198.18.0.2:6000
udp walled 6000 3 public:7
udp half 6000 3 198.18.0.3:6000
wait
said() { tr ' ' '\n' <"$1.said" | sed -n "s/^198.18.0.$2=//p"; }
# Shortest of 30 round trips: 80 ms there and back from eu, 6 ms within us; never less.
node -e 'const within = (x, low) => x !== "" && Number(x) >= low && Number(x) < low + 8;
    const [a, b, c] = process.argv.slice(1); process.exit(within(a, 80) && within(b, 6) && within(c, 80) ? 0 : 1)' \
    "$(said fritz 1)" "$(said other 1)" "$(said mobile 1)" ||
    wrong "round trips to public: fritz $(said fritz 1), other $(said other 1), mobile $(said mobile 1)"
[ -n "$(said fritz 4)" ] && [ -n "$(said other 3)" ] || wrong "two port-restricted NATs can't punch"
[ -z "$(said fritz 5)" ] && [ -z "$(said strict 3)" ] || wrong "a symmetric NAT can punch to a port-restricted one"
[ -n "$(said cone 5)" ] && [ -n "$(said cone 6)" ] || wrong "a full cone does not let strangers in: $(cat cone.said)"
[ -z "$(cat walled.said)" ] || wrong "datagrams get through a firewall: $(cat walled.said)"
[ -n "$(said fritz 8)" ] && [ -n "$(said half 3)" ] || wrong "a restricted cone and fritz can't punch"

it "status says what there is, as JSON"
pl lab status --json
exits 0
json out 'x.length === 1 && x[0].scenario === "homes" && x[0].inside === "/var/lib/partyline"'

it "down takes all of it away"
pl lab down homes
exits 0
nothing_left
[ -s wan.pcap ] || wrong "there is no pcap"
must node -e 'const b = require("fs").readFileSync("wan.pcap"); let n = 0, at = 24;
    if (b.readUInt32LE(0) !== 0xa1b23c4d) throw new Error("not a pcap");
    while (at < b.length) { at += 16 + b.readUInt32LE(at + 8); n++; }
    if (at !== b.length || n < 100) throw new Error(n + " packets, " + at + " of " + b.length);'

it "labs live side by side, and --all ends them"
pl lab up homes.yaml
exits 0
pl lab up homes.yaml
exits 0
remember
[ "$(ls "$PARTYLINE_LABS" | wc -l)" = 2 ] || wrong "not two labs"
pl lab down --all
exits 0
nothing_left
pl lab down nobody
exits 2

it "a run gets the simulator's result, over every transport, within its bounds of time"
cat >three.yaml <<'YAML'
schema: 1
name: three
limit: 20s
regions: {eu: {eu: 4ms, us: 80ms}, us: {us: 6ms}}
parties:
  - {name: alice, region: eu, input: 30}
  - {name: bob, region: us, nat: port_restricted, input: 45}
  - {name: carol, region: us, input: 20}
services:
  - {name: turn, role: turn, region: us}
  - {name: relay, role: relay, region: us}
protocol: {name: shamir, threshold: 1, program: maximum}
transport: relay
matrix:
  transport: [relay, turn]
YAML
pl run three.yaml --out sim --quiet
exits 0
LIMIT=100 pl run three.yaml --world lab --out lab
[ "$code" = 43 ] || exits 0
out_has "result: maximum 45, winner bob"
json lab/summary.json 'x.world === "lab" && x.cells.every((c) => c.completed === 1 && c.wrong === 0)'
json lab/env.json 'x.wan.packets > 100 && x.wan.late_p50_ns > 0'
json lab/trials/0-0.json 'x.metrics.message.min >= 3000000 && x.metrics.message.max >= 43000000 && x.metrics.wire_bytes.min > 1000'
must node -e 'const p50 = (d) => JSON.parse(require("fs").readFileSync(d + "/summary.json")).cells.map((c) => c.metrics.completion.p50 ?? c.metrics.completion.max);
    const a = p50("sim"), b = p50("lab");
    a.forEach((x, i) => { if (b[i] < 0.85 * x || b[i] > 1.5 * x + 1e8) throw new Error(`cell ${i}: ${x} in sim, ${b[i]} in the lab`); });'
nothing_left

it "observers get what nodes and lines show, as in the simulator; --trace keeps what observe needs"
cat >seen.yaml <<'YAML'
schema: 1
name: seen
limit: 20s
parties:
  - {name: p, count: 3, input: 3}
services:
  - {name: relay, role: relay}
protocol: {name: shamir, threshold: 1}
transport: direct
observers: [{name: coalition}, {name: size, at: global}]
matrix:
  transport: [direct, relay]
YAML
pl run seen.yaml --out seen-sim --quiet
exits 0
LIMIT=60 pl run seen.yaml --world lab --trace --out seen
[ "$code" = 43 ] || exits 0
must node -e 'const cells = (d) => JSON.parse(require("fs").readFileSync(d + "/summary.json")).cells;
    const facts = (c) => JSON.stringify([c.exposures, c.privacy.filter((p) => p.source === "M1" && p.unit === "count").map((p) => [p.metric, p.about, p.value])]);
    const size = (c) => c.privacy.find((p) => p.metric === "size_leak" && p.about === "receiver");
    cells("seen-sim").forEach((c, i) => {
        const lab = cells("seen")[i];
        if (facts(c) !== facts(lab)) throw new Error(i + ": " + facts(c) + " in sim, " + facts(lab));
        if (!size(lab) || size(lab).n < 6) throw new Error(i + ": no truth of segments");
        if (size(lab).level || !size(c).level) throw new Error("message-level: sim, and sim alone");
    });'
for cell in 0 1; do
    pl observe seen/traces/$cell-0.pcap --map seen/traces/$cell-0.map.yaml --json
    exits 0
    json out "x.exposures.filter((e) => e[1] === 'party_address' && e[2].startsWith('isp_p')).length === $((6 - 6 * cell))"
    pl observe seen/traces/$cell-0.pcap --map seen/traces/$cell-0.map.yaml --truth seen/traces/$cell-0.truth \
        --observer size --at global --json
    exits 0
    must node -e 'const read = (f) => JSON.parse(require("fs").readFileSync(f)).privacy.filter((r) => r[1] === "size").map((r) => r.slice(1).join());
        if (read("out").join() !== read("seen/trials/'$cell'-0.json").join()) throw new Error("not what the run found");'
done
pl observe seen/traces/0-0.pcap --map seen/traces/0-0.map.yaml --truth seen/traces/0-0.pcap --observer size --at global
exits 32
err_has "0-0.pcap: not a recording"
nothing_left

it "crash, restart, partition and what the store kept"
sed -e '/^matrix/,$d' -e '/role: turn/d' three.yaml >events.yaml
cat >>events.yaml <<'YAML'
events:
  - {at: 1s, crash: bob}
  - {at: 1200ms, restart: bob}
  - {at: 1600ms, partition: [[alice], [relay]], until: 2500ms}
YAML
sed -i 's/limit: 20s/limit: 6s/; s/name: alice,/name: alice, start: 1500ms,/' events.yaml
LIMIT=60 pl run events.yaml --world lab --out events
exits 20
out_has "bob restarted without its shares"
json events/trials/0-0.json 'x.drops.partition > 0'
nothing_left

it "kill -9 leaves what the next one takes away"
"$program" run events.yaml --world lab --out killed --quiet 2>/dev/null &
runner=$!
for i in $(seq 100); do
    [ -n "$(find "$PARTYLINE_LABS" -name lab.json 2>/dev/null)" ] && break
    sleep 0.05
done
sleep 0.3
remember
kill -KILL $runner
wait $runner 2>/dev/null
sleep 0.3
[ -n "$(ls "$PARTYLINE_LABS")" ] || wrong "there was no lab to be killed"
pl lab down --all
exits 0
nothing_left

it "check refuses what can't be imitated, at its line"
cat >refused.yaml <<'YAML'
schema: 1
name: refused
parties:
  - {name: alice, input: 3}
  - {name: bob, input: 9, nat: {kind: port_restricted, mapping: address_dependent}}
  - {name: carol, input: 5}
protocol: {name: shamir, threshold: 1, program: sum}
transport: direct
YAML
pl check refused.yaml --world lab
exits 10
err_has "refused.yaml:5"
err_has "the NAT of bob: mapping: address_dependent"
