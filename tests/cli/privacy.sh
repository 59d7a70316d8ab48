# What observers say of whole runs: beliefs as right as they are sure, corrupt mixes beside what is
# expected of so many, who writes to whom in the long run, and the worst coalition.
. "$(dirname "$0")/lib"

cat >calibrated.yaml <<'Y'
schema: 1
name: calibrated
seed: 1
repeat: 12
limit: 120s
crypto: modelled
regions: aws
parties:
  - {name: p, count: 10, region: {us-east-1: 50%, eu-west-1: 50%}, access: fibre, input: 3}
services:
  - {name: relay, role: relay, count: 2, region: {us-east-1: 50%, eu-west-1: 50%}}
  - {name: turn, role: turn, count: 2, region: {us-east-1: 50%, eu-west-1: 50%}}
  - {name: mix, role: mix, count: 3, region: eu-west-1}
  - {name: provider, role: provider, count: 2, region: {us-east-1: 50%, eu-west-1: 50%}}
protocol: {name: shamir, threshold: 1, program: sum}
transport: direct
observers:
  - {name: exposure, enabled: false}
  - {name: entropy, at: global, settle: 500ms}
matrix:
  transport: [direct, relay, turn, mix]
  parties.count: [3, 5, 10]
Y

# Over trials: what the best guess says of itself, how often it is right, and the error of the
# difference. A trial's packets depend on each other, trials do not.
cat >calibrated.mjs <<'J'
import fs from "fs"
const cells = JSON.parse(fs.readFileSync("c/summary.json")).cells, over = cells.map(() => [])
let seen = 0, doubtful = 0
for (const f of fs.readdirSync("c/trials").sort()) {
  const t = JSON.parse(fs.readFileSync(`c/trials/${f}`)), v = {}
  for (const r of t.privacy) if (r[1] === "entropy") v[r[3]] = r[6] / 1e6
  if ("party_guess" in v) over[+f.split("-")[0]].push([v.party_guess, v.party_right])
}
over.forEach((trials, i) => {
  const d = trials.map(([guess, right]) => guess - right), n = d.length
  if (n < 2) return
  const mean = d.reduce((a, b) => a + b) / n
  const error = Math.sqrt(d.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1) / n)
  seen++
  doubtful += trials.some(([guess]) => guess < 0.9)
  if (Math.abs(mean) > 3 * error + 1e-3)
    console.log(`${JSON.stringify(cells[i].axes)}: too sure by ${mean}, error ${error}, n ${n}`), process.exitCode = 1
})
if (seen !== 12 || doubtful < 4) console.log(`${seen} cells, ${doubtful} in doubt`), process.exitCode = 1
J

it "is as sure of a sender as it is right: every transport, 3, 5 and 10 parties"
pl run calibrated.yaml --out c --quiet
exits 0
must node calibrated.mjs

it "says so, and no more, where an advantage is below the trilemma's bound"
out_lacks "below what anybody has there"
must node -e '
const fs = require("fs")
for (const f of fs.readdirSync("c/trials")) {
  const t = JSON.parse(fs.readFileSync(`c/trials/${f}`))
  for (const r of t.privacy) if (r[3] === "headroom" && f.startsWith("8-")) r[6] = -1
  fs.writeFileSync(`c/trials/${f}`, JSON.stringify(t))
}'
pl run calibrated.yaml --out c --resume
exits 0
out_has "transport=turn/parties.count=10: the measured advantage is below what anybody has there (M14)"
[ "$(grep -c "below what anybody has there" out)" = 1 ] || wrong "more than one cell"

value() { node -e '
const [dir, metric, at] = process.argv.slice(1)
const s = JSON.parse(require("fs").readFileSync(`${dir}/summary.json`))
console.log(s.cells.map(c => c.privacy.filter(r => r.metric === metric && (!at || r.at === at)).map(
  r => r.value).join(" ") || "-").join("/"))' "$@"; }
is() { [ "$(value "${@:2}")" = "$1" ] || wrong "${*:2}: expected $1, got $(value "${@:2}")"; }

it "study/mix_compromise.yaml: half of each of three layers is 1/8 of the routes"
pl run "$root/scenarios/study/mix_compromise.yaml" --out m --quiet
exits 0
is 125000 m path_expected "global + mix_1 + mix_2 + mix_3"
is 0 m path_expected "lowest of 20 coalitions of 3"
is 50000 m path_expected "mean of 20 coalitions of 3" # 8 of 20, at 1/8
is 125000 m path_expected "highest of 20 coalitions of 3"
# of 7,300 packets: 1/8 within 3 standard errors
must node -e '
const s = JSON.parse(require("fs").readFileSync("m/summary.json")).cells[0].privacy
const r = s.find(x => x.metric === "path_compromised"), p = 1 / 8
process.exit(r.n > 5000 && Math.abs(r.value / 1e6 - p) < 3 * Math.sqrt(p * (1 - p) / r.n) ? 0 : 1)'

it "the worst of all coalitions, and one put together greedily where there are too many"
sed -e 's/coalitions: {size: 3}/coalitions: {size: 3, worst: path_expected}/' \
    "$root/scenarios/study/mix_compromise.yaml" >worst.yaml
pl run worst.yaml --out w --repeat 2 --quiet
exits 0
is 125000 w path_expected "worst of 20 coalitions of 3 by path_expected"
# 27405 coalitions of 4 among 30 mixes in three layers: 2 of one layer, 1 of each other
sed -e '/that: privacy/d;s/name: mix, role: mix, count: 6/name: mix, role: mix, count: 30/' \
    -e 's/coalitions: {size: 3/coalitions: {size: 4/' worst.yaml >greedy.yaml
pl run greedy.yaml --out g --repeat 2 --quiet
exits 0
is 2000 g path_expected "worst 4 of 30 by path_expected, greedy"
pl run greedy.yaml --out h --repeat 2 --quiet -j 1
must cmp g/summary.json h/summary.json
# with what each of them has tapped besides: then it is measured as well
sed 's/worst: path_expected/with: global, worst: path_expected/' worst.yaml >with.yaml
pl run with.yaml --out x --repeat 2 --quiet
exits 0
at="worst of 20 coalitions of 3 with global by path_expected"
is 125000 x path_expected "$at"
[ "$(value x path_compromised "$at")" = "$(value x path_compromised "global + mix_1 + mix_2 + mix_3")" ] ||
    wrong "not what the same mixes found"
sed 's/worst: path_expected/with: global, worst: path_expected/' greedy.yaml >greedy_with.yaml
pl run greedy_with.yaml --out y --repeat 2 --quiet
exits 0
is 2000 y path_expected "worst 4 of 30 with global by path_expected, greedy"
[ "$(value y path_compromised "worst 4 of 30 with global by path_expected, greedy")" != - ] ||
    wrong "nothing measured"
sed 's/worst: path_expected/with: globe, worst: path_expected/' greedy.yaml >globe.yaml
pl check globe.yaml
exits 10
err_has 'there is no place "globe"'
sed 's/, worst: path_expected//' greedy.yaml >many.yaml
pl check many.yaml
exits 10
err_has "more than 10000 coalitions of 4 among 30 places"
sed 's/worst: path_expected/worst: path_expectid/' greedy.yaml >metric.yaml
pl check metric.yaml
exits 10
err_has 'there is no metric "path_expectid" that can be worst'
sed 's/worst: path_expected/worst: cover/' greedy.yaml >neutral.yaml
pl check neutral.yaml
exits 10

it "study/disclosure.yaml: few rounds over a relay and through mixes, none with cover"
pl run "$root/scenarios/study/disclosure.yaml" --out d --quiet
exits 0
must node -e '
const c = JSON.parse(require("fs").readFileSync("d/summary.json")).cells.map(c => Object.fromEntries(
  c.privacy.map(r => [r.metric, r.value])))
const told = x => x.disclosure_auc === 1e6 && x.disclosure_rounds >= 1 && x.disclosure_rounds <= 10
process.exit(told(c[0]) && told(c[1]) && c[2].disclosure_auc < 6e5 && !c[2].disclosure_rounds ? 0 : 1)'
