# The world local: every node a process on loopback.
. "$(dirname "$0")/lib"
smoke=$root/scenarios/smoke
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
nothing_left() { [ -z "$(ls -A "$TMPDIR")" ] || wrong "left behind: $(ls -A "$TMPDIR")"; }

cat >three.yaml <<'YAML'
schema: 1
name: three
repeat: 2
limit: 20s
parties:
  - {name: alice, input: 30}
  - {name: bob, input: 45}
  - {name: carol, input: 20}
services:
  - {name: turn, role: turn}
  - {name: relay, role: relay}
protocol: {name: shamir, threshold: 1, program: maximum}
transport: direct
expect:
  - {that: completed == 100%}
  - {that: completion.p50 <= 1ms}
  - {that: wire_bytes.p50 <= 1B}
matrix:
  transport: [direct, relay, turn]
  channel: [noise, none]
YAML

it "three parties get the same result as in sim, over every transport"
pl run three.yaml --out sim --quiet
pl run three.yaml --world local --out local
exits 0
err_lacks "warning"
out_has "result: maximum 45, winner bob"
out_has "not judged in the world local"
json local/summary.json 'x.world === "local" && x.cells.length === 6 && x.cells.every((c) => c.completed === 2 && c.wrong === 0)'
results() { node -pe 'require("fs").readdirSync(process.argv[1] + "/trials").filter((f) => f.endsWith(".json")).map((f) => f + " " + JSON.parse(require("fs").readFileSync(process.argv[1] + "/trials/" + f)).result).sort().join("\n")' "$1"; }
results sim >a
results local >b
must diff a b
json local/trials/0-0.json 'x.metrics.completion !== undefined && x.metrics.wire_bytes === undefined && x.exposures.length === 6'
nothing_left

it "two runs at once do not meet"
"$program" run three.yaml --world local --out one --quiet 2>one.err &
other=$!
pl run three.yaml --world local --out two --quiet
exits 0
wait $other || wrong "the other run failed: $(cat one.err)"

it "observers get what nodes saw, of several together as well: the simulator's figures, without lines"
cat >seen.yaml <<'YAML'
schema: 1
name: seen
limit: 20s
parties:
  - {name: p, count: 3, input: 3}
services:
  - {name: relay, role: relay}
  - {name: mix, role: mix, count: 3}
  - {name: gate, role: provider, count: 2}
protocol: {name: shamir, threshold: 1}
transport: direct
observers: [{name: coalition}]
matrix:
  transport: [direct, relay, mix]
YAML
pl run seen.yaml --out seen-sim --quiet
exits 0
pl run seen.yaml --world local --out seen --sightings
exits 0
err_has "nobody sees lines"
must node -e 'const cells = (d) => JSON.parse(require("fs").readFileSync(d + "/summary.json")).cells;
    const facts = (c) => JSON.stringify(c.privacy.filter((p) => p.unit === "count" && p.about !== "to ISPs").map((p) => [p.metric, p.about, p.value]));
    cells("seen-sim").forEach((c, i) => {
        if (facts(c) !== facts(cells("seen")[i])) throw new Error(i + ": " + facts(c) + " in sim, " + facts(cells("seen")[i]));
    });'
pl observe seen/sightings/1-0.sights --observer coalition --json
exits 0
must node -e 'const read = (f) => JSON.parse(require("fs").readFileSync(f)).privacy.map((r) => r.slice(1).join()).join("\n");
    if (!read("out") || read("out") !== read("seen/trials/1-0.json")) throw new Error("another answer from the recording");'
nothing_left

it "one warning for all that it does not simulate"
pl run "$smoke/shamir.yaml" --world local --out warned --set transport=direct --repeat 1
exits 0
[ "$(grep -c warning err)" = 1 ] || wrong "not one warning"
err_has "regions, access, nat and links"

it "report works with its results"
pl report local
exits 0

it "an own file of the protocol travels along"
pl run "$root/scenarios/multiplier_circuit.yaml" --world local --out circuit --repeat 1 --quiet
exits 0

it "check refuses what it can't honour, at its line"
cat >refused.yaml <<'YAML'
schema: 1
name: refused
parties: [{name: alice, input: 3}, {name: bob, input: 9}, {name: carol, input: 5}]
protocol: {name: shamir, threshold: 1, program: sum}
transport: "null"
crypto: modelled
events:
  - {at: 1s, partition: [[alice], [bob]], until: 2s}
YAML
pl check refused.yaml --world local
exits 10
err_has "refused.yaml:8"
err_has "partition"
err_has "crypto: modelled"
err_has "share one memory"

it "a peer that never comes is a named failure at the limit"
sed -e 's/^limit: .*/limit: 3s/' -e 's/name: carol,/name: carol, start: 1h,/' -e '/^expect/,$d' three.yaml >absent.yaml
began=$SECONDS
pl run absent.yaml --world local --out absent --repeat 1
exits 20
out_has "carol has not been started"
out_has "channel to carol"
[ $((SECONDS - began)) -lt 15 ] || wrong "it took $((SECONDS - began)) s"
nothing_left

it "a party that crashes for good is named, and one that restarts finds its store"
sed -e 's/^limit: .*/limit: 6s/' -e '/^expect/,$d' three.yaml >crash.yaml
printf 'events:\n  - {at: 0s, crash: bob}\n' >>crash.yaml
sed -i 's/name: alice,/name: alice, start: 500ms,/; s/at: 0s/at: 200ms/' crash.yaml
pl run crash.yaml --world local --out crash --repeat 1
exits 20
out_has "bob crashed and is down"
printf '  - {at: 400ms, restart: bob}\n' >>crash.yaml
pl run crash.yaml --world local --out restart --repeat 1
exits 20
out_has "bob restarted without its shares" # it knows that it lived before

it "a relay that restarts is found again"
pl run "$smoke/relay.yaml" --world local --out relay --repeat 1 --quiet
exits 0

it "SIGTERM in mid-run ends all its processes and leaves nothing"
cat >long.yaml <<'YAML'
schema: 1
name: long
limit: 4s
parties: [{name: alice, input: 3}, {name: bob, input: 9}, {name: carol, input: 5, start: 1h}]
protocol: {name: shamir, threshold: 1, program: sum}
transport: direct
repeat: 3
YAML
"$program" run long.yaml --world local --out long -j1 --quiet 2>err &
runner=$!
sleep 1
kill -TERM $runner
wait $runner
code=$?
exits 130
nothing_left
! pgrep -f "$TMPDIR/partyline-" >/dev/null || wrong "a node is left"
