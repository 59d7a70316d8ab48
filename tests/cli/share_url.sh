# share_url on the command line: its lies that nobody notices, its inputs, and that crypto: modelled
# changes nothing of its events.
. "$(dirname "$0")/lib"
file=$root/scenarios/share_url_malicious.yaml

it "a lie that no party can notice is a wrong result"
pl run "$file" --set protocol.server=within_range --quiet --out within
exits 20

it "an input that is no price range is refused at its line"
pl check "$root/scenarios/share_url_eve.yaml" --set protocol.program=equal
exits 10
err_has "one number"

it "a price below zero is refused"
sed 's/\[60, 1000\]/[-1, 1000]/' "$file" >bad.yaml
pl check bad.yaml
exits 10
err_has "whole number"

it "a host that belongs in no URL is refused"
pl check "$file" --set 'protocol.host=a/b'
exits 10
err_has "host: expected"

it "a virtual day is quick, and Eve is told from Bob"
pl run "$root/scenarios/share_url_eve.yaml" --quiet --out eve
exits 0

it "study/async_deal.yaml: completion and the time to the result are what the laws say"
pl run "$root/scenarios/study/async_deal.yaml" --quiet --out deal
exits 0
must node -e '
    const hours = (x) => parseInt(x), n = 400;
    const phi = (x) => { const t = 1 / (1 + 0.2316419 * Math.abs(x)), d = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI),
        q = d * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))); return x < 0 ? q : 1 - q; };
    const F = { exponential: (x, m) => 1 - Math.exp(-x / m), uniform: (x, m) => Math.min(1, x / (2 * m)), lognormal: (x, m) => phi(Math.log(x / m) + 0.5) };
    const cells = JSON.parse(require("fs").readFileSync("deal/summary.json")).cells;
    if (cells.length !== 18) throw new Error("cells: " + cells.length);
    for (const c of cells) {
        const law = F[c.axes["protocol.law"]], m = hours(c.axes["protocol.delay"]), w = hours(c.axes["protocol.window"]) + 5 / 60;
        const p = law(w, m), got = c.metrics.success.min / 1e6, sigma = Math.sqrt(p * (1 - p) / n);
        if (Math.abs(got - p) > 4 * sigma + 0.003) throw new Error(JSON.stringify(c.axes) + ": completed " + got + ", expected " + p);
        const t = c.metrics.round.p50 / 3.6e12, k = c.metrics.round.count, at = law(t, m) / p;
        if (Math.abs(at - 0.5) > 4 * 0.5 / Math.sqrt(k) + 0.01) throw new Error(JSON.stringify(c.axes) + ": the median " + t + " h is the quantile " + at);
    }'

it "study/async_store.yaml: bytes at rest are rate x bytes x window"
pl run "$root/scenarios/study/async_store.yaml" --quiet --out kept
exits 0
must node -e '
    for (const c of JSON.parse(require("fs").readFileSync("kept/summary.json")).cells) {
        const window = parseInt(c.axes["protocol.window"]) + 10 / 60, expected = 960 / 240 * 115 * window + 17, got = c.metrics.stored_bytes.p50;
        if (Math.abs(got - expected) > 0.1 * expected) throw new Error(window + " h: " + got + " bytes, expected " + expected);
    }'

it "server, messenger and mail are services over every transport"
pl run "$root/scenarios/share_url_transports.yaml" --quiet --out over
exits 0

it "real processes: the same twelve messages, over a relay and over TURN"
for over in relay turn; do
    pl run "$root/scenarios/share_url_transports.yaml" --world local --set crypto=real --set transport=$over \
        --set 'matrix={protocol.delay: [1s]}' --set limit=40s --set 'expect=[{that: completed == 100% and counts.messages == 12}]' \
        --quiet --out local_$over
    exits 0
done

it "in ns-3: the same twelve messages over every transport"
if [ -x "$program-ns3" ]; then
    pl run "$root/scenarios/share_url_transports.yaml" --world ns3 --set 'matrix={transport: [direct, relay, turn]}' --set limit=10min \
        --set 'expect=[{that: completed == 100% and counts.messages == 12 and counts.message_bytes == 2142B}]' --quiet --out ns3
    exits 0
else
    skip_case "ns-3 is not installed: tools/deps.sh ns3"
fi
