# The relay on the command line: what a malicious one does is found by the channel and named in the
# results, and without a channel by nobody; keep-alives that are too rare for a NAT.
. "$(dirname "$0")/lib"
file=$root/scenarios/relay_lies.yaml

it "each lie is put right, and named under the table"
pl run "$file" --out lies
exits 0
out_has "expectations: "
for lie in "drop: .*channel_gap" "duplicate: .*channel_replay" "reorder: .*channel_gap" \
    "swap: .*channel_auth" "alter: .*channel_auth"; do
    grep -Eq "transport.lies=$lie [0-9]" out || wrong "expected a line like: $lie N"
done
out_lacks "transport.lies=no: dropped"

it "and in summary.json"
json lies/summary.json 'x.cells.every(c => (c.axes["transport.lies"] === "no") === Object.keys(c.drops).every(d => !d.startsWith("channel_") || c.drops[d] === 0))'

it "without a channel altered messages are believed, and the result is wrong or none"
pl run "$file" --set channel=none --set transport.lies=alter --set transport.lie_rate=50% --quiet --out none
must_not test "$code" = 0
json none/summary.json 'x.cells.every(c => !Object.keys(c.drops).some(d => d.startsWith("channel_") && c.drops[d] > 0))'

it "a lie that does not exist is refused"
pl check "$file" --set transport.lies=steal
exits 10
err_has "alter"

it "keep-alives that are rarer than the NAT's timeout: the connection is lost, and the reason named"
pl run "$root/scenarios/smoke/keepalive.yaml" --set transport=relay --set transport.keepalive=200s --out rare
exits 21
out_has "nat_no_mapping"
out_has "1 of 5 pongs"
