# compare: the first differing event, from the logs that every run keeps; and real worlds.
. "$(dirname "$0")/lib"
cat >long.yaml <<'END'
schema: 1
name: long
repeat: 6
regions: {us: {us: 1ms, eu: 70ms}, eu: {eu: 1ms}}
parties:
  - {name: alice, region: us, role: client}
  - {name: server, region: eu, role: server}
protocol: {name: ping, size: 64B, count: 10}
transport: direct
END
# as_if FROM TO: the folder says that it is a run of the scenario that FROM is of.
as_if() {
    must sed -i "s/$(grep -o '"scenario_digest": "[0-9a-f]*"' "$2/manifest.json")/$(grep -o '"scenario_digest": "[0-9a-f]*"' "$1/manifest.json")/" "$2/manifest.json"
}
# another FOLDER SED-SCRIPT: a run of another network, that says it is of the same scenario.
another() {
    rm -rf "$1"
    sed "$2" long.yaml >"$1.yaml"
    must "$program" run "$1.yaml" --quiet --out "$1"
    as_if a "$1"
}
rm -rf a
must "$program" run long.yaml --quiet --out a

it "the first differing event: its number, and three on each side of it"
another b 's/70ms/72ms/'
pl compare a b
exits 30
out_has "first difference: trial 0 of cell 0"
out_has "  event 3:"
out_has "    0 server start"
out_has "  - 70000000 server up link 1 with alice"
out_has "  - 105000000 alice data link 1 from server, 468 bytes"
out_has "  + 72000000 server up link 1 with alice"
json b/verdict.json 'x.compare.first_difference.event === 3 && x.compare.first_difference.trial === 0 && x.compare.first_difference.before.length === 2 && x.compare.first_difference.a.length === 4 && x.compare.first_difference.b[0] === "72000000 server up link 1 with alice"'
pl compare a b --markdown
out_has "  + 72000000 server up link 1 with alice"

it "the first differing event deep in a trial, and where one of the two ends"
another b 's/count: 10/count: 11/'
pl compare a b
out_has "  event 40:"
out_has "  + 1175000000 alice timer"
out_has "  - (ends here)"
pl compare b a
out_has "  + (ends here)"

it "a baseline has its logs too"
pl bless a --to base --reason "the first"
another b 's/70ms/72ms/'
pl compare base/long b
exits 30
out_has "  + 72000000 server up link 1 with alice"

it "so has a merged run"
must "$program" run long.yaml --seed 2 --quiet --out other
pl merge merged a other
exits 0
must cmp a/events/0-3.bin merged/events/0-3.bin
must cmp other/events/0-0.bin merged/events/0-6.bin

it "beyond the events that a log keeps: between which ones, and when"
sed -i 's/count: 10/count: 8000, interval: 10ms/; s/repeat: 6/repeat: 1/; s/^transport/limit: 1000s\ntransport/' long.yaml
rm -rf a
must "$program" run long.yaml --quiet --out a
another b 's/^transport/events: [{at: 60s, link: {between: [alice, server], latency: 40ms}}]\ntransport/'
pl compare a b
out_has "events 1 to "
out_has "it parts between event "
out_has "ns in A"
json b/verdict.json '/parts between event \d+ and event \d+, after \d+ ns and before \d+ ns in A/.test(x.compare.first_difference.not_shown)'

another late 's/^transport/events: [{at: 75s, link: {between: [alice, server], latency: 40ms}}]\ntransport/'
pl compare a late
out_has "and the end, after "

it "a folder without logs, and with logs that are damaged"
cp b/events/0-0.bin good
rm b/events/0-0.bin
pl compare a b
out_has "no log of its events in b: an older Partyline made it"
out_has "partyline trace long.yaml --cell 0 --trial 0"
for bad in "" PLEVENT1 "$(head -c 200 /dev/zero | tr '\0' x)"; do
    printf %s "$bad" >b/events/0-0.bin
    pl compare a b
    out_has "the log of its events in b can't be used: not a log of events"
done
head -c 100 good >b/events/0-0.bin
pl compare a b
out_has "can't be used: "
cp a/events/0-0.bin b/events/0-0.bin
pl compare a b
out_has "it is of another trial"
it "a log is bounded"
must test "$(stat -c %s good)" -lt 65536

# ---- real worlds ---------------------------------------------------------------------------

cat >lab.yaml <<'END'
schema: 1
name: real
repeat: 12
regions: {us: {us: 1ms, eu: 70ms}, eu: {eu: 1ms}}
parties:
  - {name: alice, region: us, role: client, access: {latency: 5ms, jitter: 6ms}}
  - {name: server, region: eu, role: server}
protocol: {name: ping, size: 64B, count: 10}
transport: direct
observers: [{name: exposure, enabled: false}]
END
must "$program" run lab.yaml --quiet --out first
# lab FOLDER SEED [SED-SCRIPT]: as if a lab had measured it: a run like the first, with other dice.
lab() {
    local k
    sed "${3-}" lab.yaml >"$1.yaml"
    must "$program" run "$1.yaml" --seed "$2" --quiet --out "$1"
    node -e '
        const fs = require("fs"), [to, from] = process.argv.slice(1);
        const read = (d, f) => JSON.parse(fs.readFileSync(`${d}/${f}`, "utf8"));
        const write = (f, o) => fs.writeFileSync(`${to}/${f}`, JSON.stringify(o));
        const m = read(to, "manifest.json"), a = read(from, "manifest.json");
        const s = read(to, "summary.json");
        m.world = s.world = "lab";
        m.scenario_digest = a.scenario_digest;
        m.cells[0].seeds = a.cells[0].seeds;
        m.cells[0].seeds.forEach((seed, k) => {
            const file = `trials/0-${k}.json`, text = fs.readFileSync(`${to}/${file}`, "utf8");
            fs.writeFileSync(`${to}/${file}`, text.replace(/"seed": "[0-9a-f]*"/, `"seed": "${seed}"`));
        });
        write("manifest.json", m);
        write("summary.json", s);' "$1" first || wrong "node failed"
}
it "real worlds: two equal runs are inconclusive"
lab one 1
lab two 6
pl compare one two
exits 33
out_has "inconclusive: no effect is beyond its threshold, its interval and the noise"
pl compare one one
exits 33
it "real worlds: slower is worse, faster is better"
lab slow 3 's/latency: 5ms/latency: 12ms/'
pl compare one slow
exits 30
out_has "worse"
out_lacks "first difference"
json slow/verdict.json 'x.compare.exit === 30 && x.compare.effects.some((e) => e.fate === "worse" && e.noise_ppm >= 0 && e.effect_ppm > e.noise_ppm)'
pl compare slow one
exits 0
out_has "better"
it "real worlds: what --again shows to be noise is no effect"
pl compare one slow --again two
exits 30
lab slow2 4 's/latency: 5ms/latency: 20ms/'
pl compare one slow --again slow2
exits 33
it "real worlds: beneath the threshold"
pl compare one slow --threshold completion=50% --threshold message=50% --threshold rtt=50% --threshold setup=50%
exits 33
it "real worlds: a new exposure is worse, however small the rest"
lab seen 2 's/^observers.*//'
pl compare one seen
exits 30
out_has "exposed    party_address"
it "real worlds: other results differ"
must cp -R two wrong
node -e '
    const fs = require("fs");
    for (const file of fs.readdirSync("wrong/trials").filter((f) => f.endsWith(".json"))) {
        const t = JSON.parse(fs.readFileSync("wrong/trials/" + file, "utf8"));
        t.result = "another";
        fs.writeFileSync("wrong/trials/" + file, JSON.stringify(t));
    }
    const s = JSON.parse(fs.readFileSync("wrong/summary.json", "utf8"));
    for (const c of s.cells) c.result = "another";
    fs.writeFileSync("wrong/summary.json", JSON.stringify(s));' || wrong "node failed"
pl compare one wrong
exits 31
out_has "the computed results differ"
it "real worlds: few trials, and another world"
must "$program" run lab.yaml --quiet --out sim
pl compare sim one
exits 32
out_has "other worlds: sim and lab"
