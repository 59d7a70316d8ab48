# The scenarios that come with the program: valid, right, and what they claim.
. "$(dirname "$0")/lib"

for file in "$root"/scenarios/*.yaml "$root"/scenarios/smoke/*.yaml; do
    name=${file#"$root"/scenarios/}
    it "$name ends right and meets its expectations"
    pl run "$file" --quiet --out "run-${name//\//-}"
    exits 0
    it "$name shows the same twice"
    pl show "$file"
    mv out first
    pl show "$file"
    must cmp first out
done

it "study/rounds.yaml: the fitted R equals the counted rounds, T0 is 0"
pl run "$root/scenarios/study/rounds.yaml" --quiet --out rounds
exits 0
must "$root/analysis/rounds.sh" rounds
"$root/analysis/rounds.sh" rounds >out
must awk 'NR > 1 && ($2 != 0 || $3 != $4) { bad = 1 } END { exit NR < 6 || bad }' out

it "analysis/rounds.sh refuses a run of something else"
must_not "$root/analysis/rounds.sh" run-millionaires.yaml
must_not "$root/analysis/rounds.sh" nowhere

it "study/nat.yaml: who punches a hole to whom, as the model says"
pl run "$root/scenarios/study/nat.yaml" --quiet --out nat
exits 0

it "study/crowd.yaml, its first 2,000: everybody gets through"
pl run "$root/scenarios/study/crowd.yaml" --set parties.count=2001 --quiet --out crowd
exits 0

it "study/mix_tradeoff.yaml, once a cell: all ends right, no party learns an address"
pl run "$root/scenarios/study/mix_tradeoff.yaml" --repeat 1 --quiet --out mix_tradeoff
exits 0

it "study/mix_scale.yaml, its first 500 clients for a minute"
pl run "$root/scenarios/study/mix_scale.yaml" --set parties.count=500 --set protocol.for=60s --quiet --out mix_scale
exits 0
