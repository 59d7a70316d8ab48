# observe: an observer on what `run --sightings` kept, and on a pcap, says what it said live.
. "$(dirname "$0")/lib"

cat >watched.yaml <<'Y'
schema: 1
name: watched
seed: 3
parties:
  - {name: p, count: 4, input: 3}
services:
  - {name: relay, role: relay}
transport: direct
protocol: {name: shamir, threshold: 1}
observers:
  - {name: coalition}
  - {name: timing, at: global}
  - {name: size, at: global}
  - {name: participation, at: global}
  - {name: entropy, at: global}
  - {name: compromise, at: global}
matrix:
  transport: [direct, relay]
Y

# of_trial CELL OBSERVER: its rows in the trial's file, without the number of the entry.
of_trial() { node -e '
const t = JSON.parse(require("fs").readFileSync(process.argv[1]))
console.log(JSON.stringify([t.privacy.filter(r => r[1] === process.argv[2]).map(r => r.slice(1)),
  process.argv[2] === "exposure" ? t.exposures.length : 0]))' "r/trials/$1-0.json" "$2"; }
of_observe() { node -e '
const o = JSON.parse(require("fs").readFileSync("out"))
console.log(JSON.stringify([o.privacy.map(r => r.slice(1)), o.exposures.length]))'; }

it "gives the same answer from a recording as live"
pl run watched.yaml --out r --sightings --quiet
exits 0
for cell in 0 1; do
    for observer in exposure coalition timing size participation entropy compromise; do
        at="--at global"
        case $observer in exposure | coalition) at= ;; esac
        pl observe r/sightings/$cell-0.sights --observer $observer $at --json
        exits 0
        [ "$(of_trial $cell $observer)" = "$(of_observe)" ] ||
            wrong "cell $cell: $(of_trial $cell $observer) live, $(of_observe) recorded"
    done
done

it "changes nothing in the run that it records"
pl run watched.yaml --out s --quiet
exits 0
must cmp r/digest s/digest
must cmp r/summary.json s/summary.json

it "reads a pcap: every ISP learns with whom its subscriber talks, n(n-1)"
pl trace watched.yaml --cell 0 --pcap p.pcap
exits 0
echo 'parties: {p_1: "2001:db8::1", p_2: "2001:db8::2", p_3: "2001:db8::3", p_4: [10.0.0.4, "2001:db8::4"]}' >map.yaml
pl observe p.pcap --map map.yaml
exits 0
[ "$(grep -c '^isp_p_. learns party_address' out)" = 12 ] || wrong "not 12"
[ "$(wc -l <out)" = 12 ] || wrong "and nothing else"

it "takes places as a scenario does"
pl observe r/sightings/0-0.sights --observer coalition --at p_1 --at isp_p_7
exits 2
err_has 'there is no place "isp_p_7"'
err_has 'did you mean "isp_p_1"?'
pl observe r/sightings/0-0.sights --observer coalitions
exits 2
err_has 'did you mean "coalition"?'

it "says what is wrong with a file"
pl observe
exits 2
pl observe p.pcap
exits 2
err_has "a pcap needs --map"
pl observe none.sights
exits 2
err_has "none.sights"
head -c 100 r/sightings/0-0.sights >short.sights
pl observe short.sights
exits 32
err_has "cut off"
head -c -1 r/sightings/0-0.sights >end.sights
pl observe end.sights
exits 32
{ printf 'PLSIGHT9'; head -c 100 /dev/zero; } >new.sights
pl observe new.sights
exits 32
err_has "version 9"
head -c 300 /dev/urandom >junk
pl observe junk
exits 32
{ printf 'PLSIGHT1'; head -c 16 /dev/zero | tr '\0' '\377'; } >huge.sights
pl observe huge.sights
exits 32
err_has "4294967295 nodes"
head -c 60 p.pcap >short.pcap
pl observe short.pcap --map map.yaml
exits 32
err_has "truncated"
{ head -c 20 p.pcap; printf '\223\000\000\000'; tail -c +25 p.pcap; } >link.pcap
pl observe link.pcap --map map.yaml
exits 32
err_has "link type"
{ head -c 32 p.pcap; printf '\377\377\377\177\377\377\377\177'; } >big.pcap
pl observe big.pcap --map map.yaml
exits 32

it "says what is wrong with a map, and where"
echo 'parties: {p_1: 10.0.0.1, p_2: 10.0.0.999}' >bad.yaml
pl observe p.pcap --map bad.yaml
exits 2
err_has "bad.yaml:1:31: expected an IPv4 or IPv6 address"
echo 'parties: {p_1: 10.0.0.1, p_2: [10.0.0.2, 10.0.0.1]}' >twice.yaml
pl observe p.pcap --map twice.yaml
exits 2
err_has "p_1 and p_2 have an address in common"
echo 'partys: {p_1: 10.0.0.1}' >key.yaml
pl observe p.pcap --map key.yaml
exits 2
err_has "key.yaml:1:1: unknown key"
echo 'parties: [' >yaml.yaml
pl observe p.pcap --map yaml.yaml
exits 2
err_has "yaml.yaml:"

it "says where a scenario's places and coalitions are wrong"
sed 's/{name: coalition}/{name: coalition, at: [p_1, isp_relai]}/' watched.yaml >place.yaml
pl check place.yaml
exits 10
err_has 'place.yaml:11:33: there is no place "isp_relai"'
err_has 'did you mean "isp_relay"?'
sed 's/{name: coalition}/{name: coalition, at: party, coalitions: {size: 5}}/' watched.yaml >size.yaml
pl check size.yaml
exits 10
err_has "coalitions of 5 among 4 places"
sed 's/{name: coalition}/{name: coalition, at: party, coalitions: {size: 2}}/' watched.yaml >pairs.yaml
pl run pairs.yaml --out pairs --quiet --set transport=direct
exits 0
must grep -qF '"at": "p_1 + p_2"' pairs/summary.json

# M1's table (METRICS.md): how many party addresses parties, servers and parties' ISPs learn.
exposed() { node -e '
const s = JSON.parse(require("fs").readFileSync("m/summary.json"))
for (const c of s.cells) console.log(c.axes.transport.replace(/[{}]/g, "").split(",")[0], ...process.argv.slice(1).map(
  k => (c.exposures.party_address || {})[k] || 0))' "$@"; }
pairs_at() { node -e '
const s = JSON.parse(require("fs").readFileSync("m/summary.json"))
for (const c of s.cells) console.log(...c.privacy.filter(
  r => r.metric === "coalition_pair" && r.about !== "without one").map(r => r.value))'; }

it "counts what each transport gives away, and to whom: n(n-1) and the smallest coalitions"
cat >m.yaml <<'Y'
schema: 1
name: m
seed: 3
limit: 120s
parties:
  - {name: p, count: 5, input: 3}
services:
  - {name: relay, role: relay}
  - {name: turn, role: turn, count: 5}
  - {name: dir, role: directory}
  - {name: mix, role: mix, count: 3}
  - {name: gate, role: provider, count: 5}
transport: direct
protocol: {name: shamir, threshold: 1}
observers: [{name: coalition}]
matrix:
  transport: [direct, relay, mix]
Y
pl run m.yaml --out m --quiet
exits 0
exposed party isp relay provider mix >table
printf '%s\n' "direct 20 20 0 0 0" "relay 0 0 5 0 0" "mix 0 0 0 5 0" >expected
must diff expected table
[ "$(pairs_at | tr '\n' /)" = "1 1/1 1/2 2/" ] || wrong "smallest coalitions: $(pairs_at | tr '\n' /)"

it "counts what is in the clear: XOR-PEER-ADDRESS, a matchmaker's messages, a relay's bare frames"
sed -e 's/count: 5}$/count: 2}/;s/transport: \[direct.*/transport: [{name: turn}, {name: turn, relayed: one}, {name: direct, punch: udp}, relay]/' \
    -e '$a\  channel: [noise, none]' m.yaml >clear.yaml
pl run clear.yaml --out c --quiet
exits 0
node -e '
const s = JSON.parse(require("fs").readFileSync("c/summary.json"))
const facts = c => ["party_address", "party_pair", "party_member"].map(k => c.exposures[k] || {})
for (const c of s.cells) console.log(c.axes.transport, c.axes.channel, ...facts(c).map(x => x.isp || 0))' >table
# one of a pair is exposed to the ISP of the other; each ISP reads the n - 1 whom its subscriber
# watches, or wants of a matchmaker, to which the subscriber says who it is
printf '%s\n' "{name: turn} noise 0 20 5" "{name: turn} none 0 20 5" \
    "{name: turn, relayed: one} noise 10 20 5" "{name: turn, relayed: one} none 10 20 5" \
    "direct noise 20 20 5" "direct none 20 20 5" \
    "relay noise 0 0 0" "relay none 0 20 0" >expected
must diff expected table
node -e '
const c = JSON.parse(require("fs").readFileSync("c/summary.json")).cells[0]
console.log(...["party_address", "party_pair", "party_member"].flatMap(
  k => ["turn", "matchmaker", "isp_turn", "isp_matchmaker"].map(r => c.exposures[k][r] || 0)))
console.log(...c.privacy.filter(r => r.metric === "exposed_tied" && /best|ISPs/.test(r.about)).map(r => r.value))
console.log(...c.privacy.filter(r => r.metric.startsWith("coalition") && r.metric !== "coalition_input").map(r => r.value))
' >table
# p_1, p_3 and p_5 are at one server, p_2 and p_4 at the other. Each knows its clients, who they are
# and with whom they talk: 9 and 7 pairs; the matchmaker the 10, but relayed addresses alone
printf '%s\n' "5 0 5 0 16 10 16 10 5 5 5 5" "5 3 5 5" "1 1 0 2 1 0" >expected
must diff expected table
pl run clear.yaml --out d --quiet --sightings --only channel=none
exits 0
pl observe d/sightings/3-0.sights
exits 0
[ "$(grep -c '^isp_p_. learns party_address' out)" = 10 ] || wrong "recorded: not 10"
pl observe d/sightings/7-0.sights
[ "$(grep -c '^isp_p_. learns party_pair' out)" = 20 ] || wrong "recorded: not 20"

it "a trial whose sentinel failed is void: 20, and it says so"
sed 's/  transport: \[direct, relay\]/  transport: [direct]/' watched.yaml >void.yaml
pl run void.yaml --out v --quiet
exits 0
must node -e '
const fs = require("fs"), p = "v/trials/0-0.json", t = JSON.parse(fs.readFileSync(p))
t.invalid = "timing: sentinel direct failed"
fs.writeFileSync(p, JSON.stringify(t))'
pl run void.yaml --out v --resume
exits 20
out_has "VOID, its figures of privacy are worth nothing: timing: sentinel direct failed"
must grep -q '"void": "timing: sentinel direct failed"' v/verdict.json

it "compares a guess over relays and direct links, and says what it rests on"
cat >entropy.yaml <<'Y'
schema: 1
name: entropy
seed: 3
parties:
  - {name: p, count: 4, input: 3}
services:
  - {name: relay, role: relay}
transport: direct
protocol: {name: shamir, threshold: 1}
observers:
  - {name: entropy, at: global, settle: 0}
expect:
  - {that: privacy.party_guess.entropy == 100%}
  - {that: privacy.party_true.entropy >= 80%}
matrix:
  transport: [direct, relay]
Y
pl run entropy.yaml --out en
exits 0
out_has "P(guess)"
out_has "entropy at global, prior uniform over senders, of 4"
pl report en
exits 0
must grep -q 'Cost against privacy' en/report.html
must test -s en/plots/latency_guessing.svg
must test -s en/plots/bytes_linking.svg
