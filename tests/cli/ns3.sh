# The world ns3: the same nodes packet by packet, in a program of its own.
. "$(dirname "$0")/lib"

it "without its program: 11, and how to get it"
mkdir bare
cp "$program" bare/partyline
bare/partyline run sum.yaml --world ns3 >out 2>err
code=$?
exits 11
out_empty
err_has "partyline-ns3"
err_has "apt-get install libns3-dev libgsl-dev"

it "is listed where it can't be run as well"
pl list worlds
exits 0
out_has ns3

if ! [ -x "$program-ns3" ]; then
    for name in "gives the same twice" "refuses what it can't honour" "agrees with sim"; do
        it "$name"
        skip_case "there is no partyline-ns3: ns-3 is not installed"
    done
    exit
fi

cat >lossy.yaml <<'YAML'
schema: 1
name: lossy
seed: 7
repeat: 4
limit: 300s
regions: {a: {a: 1ms, b: 60ms}, b: {b: 1ms}}
parties:
  - {name: alice, region: a, input: 30, access: {up: 10Mbit, down: 50Mbit, latency: 5ms, jitter: 1ms, loss: 2%, queue: 64KiB}}
  - {name: bob, region: b, input: 20, access: cable}
  - {name: carol, region: b, input: 45}
protocol: {name: shamir, threshold: 1, program: maximum}
transport: direct
matrix:
  channel: [noise, none]
YAML

it "gives the same twice, on one worker and on several"
pl run lossy.yaml --world ns3 --out one -j1 --quiet
exits 0
pl run lossy.yaml --world ns3 --out three -j3 --quiet
exits 0
same_run one three
json one/summary.json 'x.world === "ns3" && x.cells.every((c) => c.completed === 4 && c.wrong === 0 && c.counts.retransmits > 0 && c.drops.loss > 0)'
it "a trial is the same alone and after others in one process"
pl run lossy.yaml --world ns3 --out first -j1 --quiet --only channel=none --repeat 1
exits 0
must cmp one/trials/1-0.json first/trials/1-0.json
it "another seed is another network"
pl run lossy.yaml --world ns3 --out other -j1 --quiet --seed 8
must_not cmp -s one/digest other/digest

it "faults, a crash and a restart"
pl run "$root/scenarios/smoke/faults.yaml" --world ns3 --set repeat=2 --out faults --quiet
exits 0
json faults/summary.json 'x.cells[0].drops.partition > 0'
pl run "$root/scenarios/smoke/crash.yaml" --world ns3 --set repeat=2 --out crash --quiet
exits 0

it "trace tells events and lost packets"
pl trace lossy.yaml --world ns3
exits 0
must grep -qE '^[0-9]+ alice up [0-9]+ bob ' out
must grep -qE '^[0-9]+ bob data [0-9]+ alice [0-9]+ [0-9]+$' out
must grep -qE '^[0-9]+ [a-z]+ lost [a-z]+ [0-9]+ loss$' out

it "refuses what it can't honour, by name and line"
cat >cant.yaml <<'YAML'
schema: 1
name: cant
limit: 60s
parties:
  - {name: alice, input: 30, access: {latency: 5ms}}
  - {name: bob, input: 20}
  - {name: carol, input: 10}
protocol: {name: shamir, threshold: 1, program: maximum}
transport: direct
links: [{between: [alice, bob], latency: 1ms}]
tcp: {like: linux, keepalive: 60s}
YAML
pl check cant.yaml --world ns3
exits 10
err_has "cant.yaml:10: "
err_has "the link of alice and bob is faster than their access lines"
err_has "cant.yaml:11: "
err_has "a TCP like Linux: it has ns-3's own"
err_has "keep-alive: ns-3's TCP does not probe idle connections"
pl check cant.yaml --world ns3 --set 'transport="null"'
exits 10
err_has "the transport null needs nodes that share one memory"

it "NATs, and all that may happen to a network"
pl run "$root/scenarios/study/nat.yaml" --world ns3 --out nat --quiet
exits 0
json nat/summary.json 'x.cells.length === 49'
pl run "$root/scenarios/smoke/turmoil.yaml" --world ns3 --out turmoil --quiet
exits 0

it "agrees with sim about the millionaires"
for w in sim ns3; do
    pl run "$root/scenarios/millionaires.yaml" --world $w --only transport=direct --out rich-$w --quiet
    exits 0
done
must node -e '
    const p50 = (w) => JSON.parse(require("fs").readFileSync("rich-" + w + "/summary.json", "utf8")).cells[0].metrics.completion.p50;
    const error = p50("sim") / p50("ns3") - 1;
    if (!(Math.abs(error) < 0.05)) throw new Error("sim is " + (100 * error).toFixed(1) + " % off");'

cat >watched.yaml <<'YAML'
schema: 1
name: watched
seed: 3
limit: 60s
regions: {a: {a: 5ms, b: 60ms}, b: {b: 5ms}}
parties:
  - {name: p, count: 4, region: {a: 50%, b: 50%}, access: fibre, input: 3}
services:
  - {name: relay, role: relay, region: a}
  - {name: mix, role: mix, count: 3, region: b}
  - {name: gate, role: provider, count: 2, region: {a: 50%, b: 50%}}
protocol: {name: shamir, threshold: 1}
observers:
  - {name: coalition}
  - {name: entropy, at: global, settle: 0}
  - {name: timing, at: global}
  - {name: size, at: global}
  - {name: participation, at: global}
transport: direct
matrix:
  transport: [direct, relay, {name: mix, payload_every: 50ms}]
YAML

it "gives observers what sim gives them: every figure, and truth where a figure needs it"
for w in sim ns3; do
    pl run watched.yaml --world $w --out watched-$w --quiet --sightings
    exits 0
done
must node -e '
    const cells = (w) => JSON.parse(require("fs").readFileSync("watched-" + w + "/summary.json", "utf8")).cells;
    const name = (p) => [p.observer, p.at, p.metric, p.about].join(" ");
    const of = (c, what) => c.privacy.filter((p) => p.observer === what);
    cells("sim").forEach((sim, i) => {
        const ns3 = cells("ns3")[i], names = (c) => c.privacy.map(name).sort().join("\n");
        if (names(sim) !== names(ns3)) throw new Error(i + ": other figures:\n" + names(sim) + "\n-\n" + names(ns3));
        if (!of(ns3, "entropy").some((p) => p.metric === "party_true")) throw new Error(i + ": no truth");
        if (i < 2 && JSON.stringify(of(sim, "size")) !== JSON.stringify(of(ns3, "size"))) throw new Error(i + ": other sizes");
    });'

it "a recording of it gives the same answers"
pl observe watched-ns3/sightings/1-0.sights --observer entropy --option settle=0 --at global --json
exits 0
must node -e '
    const read = (f) => JSON.parse(require("fs").readFileSync(f, "utf8"));
    const live = read("watched-ns3/trials/1-0.json").privacy.filter((r) => r[1] === "entropy").map((r) => r.slice(1));
    const kept = read("out").privacy.map((r) => r.slice(1));
    if (!live.length || JSON.stringify(live) !== JSON.stringify(kept)) throw new Error("other figures");'
