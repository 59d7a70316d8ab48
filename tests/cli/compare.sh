# compare and bless: exit codes, what they print, what they leave behind.
. "$(dirname "$0")/lib"
plant() { must node "$root/tests/checks/plant.mjs" "$@"; }
again() { must "$program" run sum.yaml --repeat 6 --quiet --out "$1" --resume; }
changed() { must cp -R a "$1"; plant "$@"; again "$1"; }
must "$program" run sum.yaml --repeat 6 --quiet --trace --out a

it "a run with itself: equal, and verdict.json says so"
cp a/verdict.json before.json
must cp -R a b
pl compare a b
exits 0
err_empty
out_has "equal: 24 trials are equal in every event, count and exposure"
json b/verdict.json 'x.exit === 0 && x.compare.exit === 0 && x.compare.verdict === "equal" && x.compare.a.run === x.compare.b.run'
must cmp a/verdict.json before.json

it "slower: 30, the effects with intervals"
changed slow slowdown 5
pl compare a slow
exits 30
out_has "completion.mean"
out_has "+5.00 %"
out_has "worse:"
json slow/verdict.json 'x.compare.exit === 30 && x.compare.effects.some((e) => e.measure === "completion.mean" && e.fate === "worse" && e.effect_ppm > 49000 && e.low_ppm <= e.effect_ppm && e.effect_ppm <= e.high_ppm)'
it "--json prints what verdict.json gets"
pl compare a slow --json
exits 30
json out 'JSON.stringify(x) === JSON.stringify(JSON.parse(require("fs").readFileSync("slow/verdict.json", "utf8")).compare)'
it "faster: 0"
pl compare slow a
exits 0
out_has "better:"
it "below the threshold: 31"
pl compare a slow --threshold completion=6% --threshold round=6%
exits 31
out_has "too small"
it "--quiet: one line"
pl compare a slow --quiet
exits 30
must test "$(wc -l <out)" = 1
it "--markdown: a table"
pl compare a slow --markdown
exits 30
out_has "| worse | \`completion.mean\` |"
it "--junit: a report"
pl compare a slow --quiet --junit report.xml
exits 30
must grep -q '<testsuite name="partyline compare sum" tests="5"' report.xml
must grep -q '<failure message="worse">' report.xml

it "--benchmark and --bencher: the figures of B, for trackers"
pl compare a slow --quiet --benchmark github.json --bencher bencher.json
exits 30
json github.json 'x.length > 0 && x.every((f) => f.name.startsWith("sum/") && Number.isInteger(f.value) && ["ns", "bytes"].includes(f.unit))'
json bencher.json 'Object.values(x)[0]["completion (ns)"].value > 0'
it "--again: a run of what A is"
pl compare a slow --quiet --again b
exits 30
must "$program" run sum.yaml --repeat 6 --seed 9 --quiet --out seed
pl compare a slow --again seed
exits 32
out_has "--again seed: other seeds"

it "the first differing event, with its neighbours"
must cp -R a other
plant other digest
again other
sed '5s/^[0-9]*/7777/' a/traces/0-0.txt >other/traces/0-0.txt
pl compare a other
exits 31
out_has "event 5 of its recording"
out_has "  - $(sed -n 5p a/traces/0-0.txt)"
out_has "  + $(sed -n 5p other/traces/0-0.txt)"
out_has "    $(sed -n 2p a/traces/0-0.txt)"
it "without recordings: the command that shows it"
rm -r other/traces
pl compare a other
exits 31
out_has "partyline trace sum.yaml --cell 0 --trial 0"

it "few trials: no interval"
must "$program" run sum.yaml --repeat 2 --quiet --out few
pl compare few slow
exits 31
out_has "2 trials in a cell are too few for an interval"

it "not comparable: 32, with the reason"
pl compare a seed
exits 32
out_has "other seeds"
must "$program" run sum.yaml --repeat 6 --set parties.alice.access=dsl --quiet --out dsl
pl compare a dsl
exits 32
out_has "their digests differ"
json dsl/verdict.json 'x.compare.exit === 32'
must "$program" run sum.yaml --repeat 6 --only transport=direct --quiet --out only
pl compare a only
exits 32
out_has "B lacks the cell"
pl compare a nowhere
exits 32
out_has "nowhere is not a folder"
it "a damaged folder: 32, and it is left alone"
must cp -R a damaged
head -c 100 a/summary.json >damaged/summary.json
pl compare a damaged
exits 32
out_has "damaged/summary.json"
must cmp damaged/verdict.json a/verdict.json
must cp a/summary.json damaged
sed '1s/^[0-9a-f]\{4\}/0000/' a/digest >damaged/digest
pl compare a damaged
exits 32
out_has "digest and summary.json differ"
must cp a/digest damaged
sed '2s/"alice"/"bob"/' a/exposure.csv >damaged/exposure.csv
pl compare a damaged
exits 32
out_has "damaged: exposure.csv does not follow from trials/: edited, or of another run"
pl compare damaged a
exits 32
it "a folder that holds one run"
mkdir one
must cp -R a one/run
pl compare one a
exits 0
it "wrong words: 2"
pl compare a
exits 2
pl compare a b --threshold completed=5
exits 2
err_has "the unit is missing"
pl compare a b --threshold complation=5%
exits 2
err_has "did you mean \"completion\""

it "bless: a baseline, and why"
pl bless a --to base
exits 2
err_has "--reason"
pl bless a --to base --reason "the first"
exits 0
pl bless slow --to base --reason "slower, for a reason"
exits 0
must test "$(wc -l <base/sum/CHANGES)" = 2
must grep -q "none -> $(sed -n 's/ all$//p' a/digest) .*: the first\$" base/sum/CHANGES
must grep -q "$(sed -n 's/ all$//p' a/digest) -> $(sed -n 's/ all$//p' slow/digest) .*: slower" base/sum/CHANGES
must test "$(ls base)" = sum
must test "$(echo $(ls base/sum))" = "CHANGES digest events exposure.csv manifest.json summary.json trials verdict.json"
json base/sum/verdict.json 'x.exit === 0 && x.compare === undefined'
pl compare base/sum slow
exits 0
it "bless: not a run that failed"
pl run unmet.yaml --out unmet --quiet
pl bless unmet --to base --reason "no"
exits 21
must_not test -e base/unmet
pl bless damaged --to base --reason "no"
exits 32
must_not grep -q ": no" base/sum/CHANGES
