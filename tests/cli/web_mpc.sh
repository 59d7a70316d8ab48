# web_mpc: surveys at the command line: over what they run, what attacks come to, and what is
# refused beforehand.
. "$(dirname "$0")/lib"

it "study/survey.yaml: a thousand over a working week, directly and over a relay, in seconds"
pl run "$root/scenarios/study/survey.yaml" --quiet --out survey
exits 0
must node -e 'for (const c of JSON.parse(require("fs").readFileSync("survey/summary.json")).cells)
    if (c.counts.messages !== 1000 * 4 + 6 + 6 * 4 + 2) throw new Error("messages: " + c.counts.messages);'

it "the same survey over every transport: as many messages and bytes, and who has whose address"
pl run "$root/scenarios/web_mpc.yaml" --quiet --out over
exits 0

it "two squares would not fit the field, and the arithmetic is shown"
pl check "$root/scenarios/smoke/web_mpc.yaml" --set protocol.max=1073741823
exits 10
err_has "8 input parties x max 1073741823 squared"

it "a value above max is refused at its line"
pl check "$root/scenarios/smoke/web_mpc.yaml" --set protocol.max=700
exits 10
err_has "expected a value of 0 .. 610"

it "a survey withholds what would show a cohort of one"
pl run "$root/scenarios/smoke/web_mpc.yaml" --set protocol.min_cohort=5 --out small
exits 0
out_has "cohorts 1: withheld"
out_has "cohorts 1+2 (8): mean"

it "real processes: over a relay, the same result as the oracle's"
pl run "$root/scenarios/web_mpc.yaml" --world local --set transport=relay --set 'matrix={protocol.again_after: [1s]}' \
    --set parties.company.count=6 --set parties.company.start=0 --set protocol.min_cohort=2 --set protocol.close_after=6s \
    --set limit=40s --set 'expect=[{that: completed == 100%}]' --quiet --out local
exits 0

it "self-assigned cohorts: the first value of an input says which"
sed -e 's/cohorts: 2/cohorts: 2, assign: self/; s/input: \[5200/input: [2, 5200/' "$root/scenarios/web_mpc.yaml" >own.yaml
pl run own.yaml --set transport=relay --set 'matrix={protocol.again_after: [5s]}' --set 'expect=[{that: completed == 100%}]' --out own
exits 0
out_has "cohorts 2 (12)"

it "a password that is too long, and a cohort that is none, are refused"
pl check "$root/scenarios/web_mpc.yaml" --set protocol.password="$(printf 'x%064d' 1)"
exits 10
err_has "at most 64 bytes"
sed 's/input: \[2, /input: [3, /' own.yaml >none.yaml
pl check none.yaml
exits 10
err_has "expected a cohort of 1 .. 2"

it "in ns-3: the same survey over a relay"
if [ -x "$program-ns3" ]; then
    pl run "$root/scenarios/web_mpc.yaml" --world ns3 --set 'matrix={transport: [relay]}' \
        --set 'expect=[{that: completed == 100% and counts.messages == 86 and counts.message_bytes == 31454B}]' --quiet --out ns3
    exits 0
else
    skip_case "ns-3 is not installed: tools/deps.sh ns3"
fi
