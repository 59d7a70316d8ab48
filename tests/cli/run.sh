# run: exit codes, what it prints, what it leaves behind.
. "$(dirname "$0")/lib"

it "a run that is as expected"
pl run sum.yaml --out r
exits 0
err_empty
out_has "expectations: 6 of 6 met"
out_has "results: r"
out_has "CHANNEL NONE"
out_has "4/4"
for f in manifest.json summary.json digest exposure.csv verdict.json env.json latency.hlog; do must test -s "r/$f"; done
must test "$(ls r/trials | wc -l)" = 16

it "summary.json: sorted keys, integers, what INTERFACE.md names"
json r/summary.json 'x.schema === 1 && x.scenario === "sum" && x.world === "sim" && x.seed === 3 && /^[0-9a-f]{16}$/.test(x.digest)'
json r/summary.json 'x.cells.length === 4 && x.cells.every((c) => c.trials === 4 && c.completed === 4 && c.wrong === 0 && c.unfinished === 0)'
json r/summary.json 'x.cells[0].axes.transport === "direct" && x.cells[0].axes.channel === "noise" && x.cells[1].axes.channel === "none" && x.cells[3].axes.transport === "null"'
json r/summary.json '["unit", "count", "min", "max"].every((k) => k in x.cells[0].metrics.completion) && x.cells[0].metrics.completion.count === 12 && x.cells[0].metrics.completion.unit === "ns"'
json r/summary.json 'x.cells[0].metrics.completion.p50 === undefined && x.cells[0].counts.messages > 0 && x.cells[0].counts.protocol_rounds === 2'
json r/summary.json 'x.cells[0].exposures.party_address.party === 6'
json r/summary.json 'x.cells[0].expect.length === 2 && x.cells[0].expect.every((e) => e.met === true && e.line > 0 && e.text !== "")'
for f in manifest verdict env; do json "r/$f.json"; done
json r/manifest.json 'x.cells.length === 4 && x.cells[0].seeds.length === 4 && x.cells[0].seeds[1] === x.cells[3].seeds[1]'
for f in r/trials/*; do json "$f"; done

it "digest and exposure.csv"
must test "$(wc -l <r/digest)" = 5
must grep -q "^$(node -pe 'JSON.parse(require("fs").readFileSync("r/summary.json", "utf8")).digest') all$" r/digest
must test "$(head -n 1 r/exposure.csv)" = "cell,observer,what,who,whom,level,trials,first_ns,other"
must test "$(grep -c '^"transport=direct/channel=noise",exposure,party_address,"isp_' r/exposure.csv)" = 6
must test "$(grep -c '^"transport=direct/channel=noise",exposure,party_address,"[^i]' r/exposure.csv)" = 6

it "--json prints summary.json"
pl run sum.yaml --out r2 --json
exits 0
err_empty
must cmp out r2/summary.json
it "the same run into another folder is the same"
same_run r r2
it "--quiet prints nothing"
pl run sum.yaml --out r3 --quiet
exits 0
out_empty
err_empty
it "-j1, -j2 and -j7 give the same"
for j in 1 2 7; do
    pl run sum.yaml --out j$j -j$j --quiet
    exits 0
    same_run r j$j
done

it "an unmet expectation: 21, with its line and the value"
pl run unmet.yaml --out unmet
exits 21
out_has "unmet.yaml:12: expected completion.p50 < 1us, but metrics.completion.p50 is 500us"
out_has "unmet.yaml:13: expected rtt.p50 > 0, but metrics.rtt.p50 was not measured: it takes 20 samples, and there are 0"
out_has "expectations: 1 of 3 met"
json unmet/verdict.json 'x.exit === 21 && x.cells[0].expect[1].met === false && x.cells[0].expect[2].not_measured === true && x.cells[0].expect[2].why === "it takes 20 samples, and there are 0"'

it "a fact that nobody learned: none learned it, where somebody watched"
{ sed '/^expect:/,/^[a-z]*:$/{/^  /d}; /^expect:/d' sum.yaml; echo 'expect: [{that: exposures.party_input.party == 0}]'; } >facts.yaml
pl run facts.yaml --out facts
exits 0
{ cat facts.yaml; echo 'observers: [{name: exposure, enabled: false}]'; } >blind.yaml
pl run blind.yaml --out blind
exits 21
json blind/verdict.json 'x.cells[0].expect[0].not_measured === true'

it "an unfinished trial: 20, why, and what was dropped"
pl run stuck.yaml --out stuck
exits 20
out_has "unfinished"
out_has "bob"
out_has "dropped:"
json stuck/summary.json 'x.cells[0].unfinished === 1 && x.cells[0].completed === 0 && Object.values(x.cells[0].drops).some((n) => n > 0)'
json stuck/verdict.json 'x.exit === 20 && x.cells[0].why.includes("bob")'
it "the same as expected: 0"
pl run stuck_expected.yaml --out stuck_expected
exits 0
out_has "expectations: 1 of 1 met"
it "two programs: both sides name each other and the difference"
pl run mismatch.yaml --out mismatch
exits 20
out_has "program=maximum"
out_has "program=sum"
out_has "carol"
out_has "alice"
it "of several scenarios the smallest code that is not 0"
pl run unmet.yaml stuck.yaml sum.yaml --quiet
exits 20
must test -d results/unmet
must test -d results/stuck
must test -d results/sum
err_has "unmet.yaml: an expectation is unmet"
err_has "stuck.yaml: a trial failed"

it "--only"
pl run sum.yaml --only transport=direct --only channel=noise --out only --json
exits 0
json out 'x.cells.length === 1 && x.cells[0].axes.transport === "direct"'
json r/summary.json 'JSON.stringify(x.cells[0]) === JSON.stringify(JSON.parse(require("fs").readFileSync("only/summary.json", "utf8")).cells[0])'
it "--set, --seed, --repeat"
pl run sum.yaml --set parties.alice.input=100 --seed 8 --repeat 2 --set transport=direct --out set --json
exits 0
json out 'x.seed === 8 && x.cells.length === 2 && x.cells.every((c) => c.trials === 2)'
pl run sum.yaml --set parties.alice.input=100 --repeat 1 --only transport=direct --out set2
out_has 109
must_not cmp -s set/digest r/digest
it "--dry-run says what would be run, and does nothing"
pl run sum.yaml --dry-run --out dry
exits 0
out_has "transport=direct/channel=none"
out_has "16 trials in world sim into dry"
must_not test -e dry
it "results go to results/SCENARIO/WORLD-ID"
pl run sum.yaml --repeat 1
exits 0
must test "$(ls -d results/sum/sim-*/ | wc -l)" = 2 # another was made above, with repeat 4

it "the folder of another run is refused"
pl run sum.yaml --seed 4 --out r
exits 2
err_has "r holds another run"
same_run r r2
it "a folder of something else is refused, and left alone"
mkdir other
echo mine >other/manifest.json
pl run sum.yaml --out other
exits 2
must test "$(cat other/manifest.json)" = mine
it "a folder that can't be made: 11"
echo >file
pl run sum.yaml --out file/r
exits 11
err_has "file"

it "no colour when stdout is no terminal"
pl run sum.yaml --out r
must_not grep -q $'\033' out
if command -v script >/dev/null; then
    it "colour on a terminal, and none with NO_COLOR"
    tty() { script -qec "'$program' run sum.yaml --repeat 1 --out $1" /dev/null >out 2>err </dev/null; }
    TERM=xterm tty colour
    must grep -q $'\033\[1m' out
    must grep -q 'trials' out
    NO_COLOR=1 TERM=xterm tty plain
    must_not grep -q $'\033\[1m' out
    must cmp colour/summary.json plain/summary.json
fi
