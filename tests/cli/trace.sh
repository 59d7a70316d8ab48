# Golden traces: one line an event.
. "$(dirname "$0")/lib"

# NAME.trace SCENARIO ARGUMENT...
traces="
smoke_shamir scenarios/smoke/shamir.yaml --cell 0
smoke_null scenarios/smoke/shamir.yaml --cell 1
smoke_faults scenarios/smoke/faults.yaml
smoke_crash scenarios/smoke/crash.yaml
smoke_ping scenarios/smoke/ping.yaml --cell 1
"
while read -r name arguments; do
    [ -n "$name" ] || continue
    it "trace $arguments is as in tests/golden/$name.trace"
    # shellcheck disable=SC2086
    (cd "$root" && exec timeout 60 "$program" trace $arguments) >out 2>err
    code=$? last="partyline trace $arguments"
    case $code in 0 | 20) ;; *) wrong "status $code" ;; esac
    golden "$root/tests/golden/$name.trace" out
done <<<"$traces"

it "the trace's digest is that of the run"
pl trace sum.yaml --cell 1 --trial 2
exits 0
err_empty
digest=$(sed -n 's/^# sum completed, digest //p' out)
must test -n "$digest"
pl run sum.yaml --quiet --out r
must grep -q "\"$digest\"" r/trials/1-2.json

it "trace in another locale and time zone"
pl trace sum.yaml
cp out first
LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu pl trace sum.yaml
must cmp out first
it "trace of another trial, seed or cell differs"
pl trace long.yaml
cp out first
for a in "--trial 1" "--seed 9" "--cell 1"; do
    pl trace long.yaml $a
    exits 0
    must_not cmp out first
done

# ---- filters -------------------------------------------------------------------------------

faults=$root/scenarios/smoke/faults.yaml
"$program" trace "$faults" >whole 2>/dev/null

# only AWK-CONDITION ARGUMENT...: trace prints just the lines of the whole that meet it.
only() {
    local condition=$1
    shift
    awk "/^#/ || ($condition)" whole >wanted
    pl trace "$faults" "$@"
    exits 0
    err_empty
    must cmp wanted out
    must test "$(wc -l <wanted)" -gt 1
    must_not cmp whole out
}
it "trace --party: at a node, or between it and another; the world's lines stay"
only '$2 == "alice" || $2 == "-" || $5 == "alice" || ($3 == "lost" && $4 == "alice")' --party alice
only '$2 ~ /^(alice|bob|-)$/ || $5 ~ /^(alice|bob)$/ || ($3 == "lost" && $4 ~ /^(alice|bob)$/)' --party alice --party bob --kind start,go,timer,up,data,room,down,lost,crash,restart,partition,link,heal
it "trace --link: what passes between two"
pair='($2 == "alice" && ($5 == "bob" || $4 == "bob")) || ($2 == "bob" && ($5 == "alice" || $4 == "alice"))'
only "$pair || \$2 == \"-\"" --link alice,bob
only "$pair || \$2 == \"-\"" --link bob,alice
only "($pair) && \$3 == \"lost\"" --link bob,alice --kind lost
it "trace --kind, repeatable or with commas"
only '$3 == "lost" || $3 == "timer"' --kind lost,timer
only '$3 == "lost" || $3 == "timer"' --kind lost --kind timer
it "trace --from and --until: the one is in, the other not"
only '$1 >= 30000000 && $1 < 50000000' --from 30ms --until 50ms
it "trace: filters hold together"
only '$3 == "data" && $1 >= 1000000000 && ($2 == "carol" && $5 == "bob" || $2 == "bob" && $5 == "carol")' --link carol,bob --kind data --from 1s
it "trace: --link keeps a crash of one of the two"
pl trace "$root/scenarios/smoke/crash.yaml" --link alice,bob --kind crash,restart
exits 20
out_has "150000000 bob crash"
out_has "1000000000 bob restart"
it "trace --protocol: its messages, with round and instance, and nothing else"
pl trace "$faults" --protocol shamir
exits 0
must awk '!/^#/ && !($3 == "send" && NF == 8 && $6 == "shamir") && !($3 == "deliver" && NF == 9 && $7 == "shamir" && $6 <= $1) {exit 1}' out
must test "$(awk '$3 == "send"' out | wc -l)" = "$(awk '$3 == "deliver"' out | wc -l)"
must test "$(awk '$3 == "send"' out | wc -l)" -gt 5
grep '^#' out >digest
must grep -qxFf digest whole
it "trace --layer: world is what is printed without it; the others add lines to it"
pl trace "$faults" --layer world
must cmp out whole
pl trace "$faults" --layer world,transport,channel,protocol
grep -vE '^[0-9]+ [a-z]+ (send|deliver|emit|receive|channel) ' out >rest
must cmp rest whole
out_has " channel bob up"
must grep -qE '^[0-9]+ alice emit bob [0-9]+ direct$' out
must grep -qE '^[0-9]+ bob receive alice [0-9]+ direct$' out
it "trace --layer and the other filters hold together"
pl trace "$faults" --layer protocol --kind send --party alice
exits 0
must awk '!/^#/ && !($3 == "send" && ($2 == "alice" || $4 == "alice")) {exit 1}' out
must test "$(wc -l <out)" -gt 2
it "trace --protocol --svg: a diagram of messages"
pl trace "$faults" --protocol shamir --svg messages.svg
exits 0
err_has "messages.svg: "
must xmllint --noout messages.svg
it "trace into a full disk: 11"
last="partyline trace >/dev/full"
"$program" trace "$faults" >/dev/full 2>err
code=$?
exits 11
err_has "No space left"
it "a message's line says when it was sent"
must awk '$3 == "data" && ($7 !~ /^[0-9]+$/ || $7 > $1) {exit 1}' whole
must grep -q '^3410000001 alice data 2 carol 179 100000001$' whole

usage_error() { # NAME WORDS ARGUMENT...
    it "trace: $1"
    local words=$2
    shift 2
    pl trace sum.yaml "$@"
    exits 2
    err_has "$words"
    out_empty
}
usage_error "--party that is not there" 'did you mean "alice"?' --party alcie
usage_error "--link of one" "--link alice: expected two names" --link alice
usage_error "--link of three" "expected two names" --link alice,bob,carol
usage_error "--link with one that is not there" "--link xavier: there is no such node" --link alice,xavier
usage_error "--kind that there is not" 'did you mean "data"?' --kind up,dara
usage_error "--kind with nothing in it" "expected kinds" --kind ,
usage_error "--layer that there is not" "expected world, transport, channel, protocol" --layer worlds
usage_error "--layer and --kind without a common line" "none of these kinds" --layer world --kind send
usage_error "--protocol that does not run" 'did you mean "shamir"?' --protocol shamri
usage_error "--from without a unit" "--from 3: expected a duration" --from 3
usage_error "--until before --from" "--from must be before --until" --from 2s --until 1s
usage_error "two things to stdout" "can't both go to stdout" --svg - --pcap -

# ---- the diagram ---------------------------------------------------------------------------

it "trace --svg: a diagram, the same in any locale"
pl trace "$faults" --svg a.svg
exits 0
out_empty
err_has "a.svg: 138 messages and 24 lost packets between 3 nodes"
LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu pl trace "$faults" --svg b.svg
must cmp a.svg b.svg
pl trace "$faults" --svg -
must cmp a.svg out
for w in ">alice<" ">partition<" ">heal<" ">link changed<" "lost: partition" "marker-end"; do must grep -qF "$w" a.svg; done
must test "$(grep -c '<title>.* message.* bytes' a.svg)" -gt 100
it "trace --svg: a crash and a restart"
pl trace "$root/scenarios/smoke/crash.yaml" --svg a.svg
exits 20
for w in ">crash<" ">restart<" 'class="o"' "lost: refused"; do must grep -qF "$w" a.svg; done
it "trace --svg: clipped, and of some nodes"
pl trace "$faults" --svg a.svg --from 100ms --until 1s --link alice,carol
exits 0
must_not grep -q ">bob<" a.svg
must_not grep -q ">1020 ms<" a.svg
it "trace --svg: nothing to draw, or too much"
pl trace sum.yaml --svg a.svg --from 1h
exits 2
err_has "nothing of this trial is in the diagram"
must_not test -e a.svg
pl trace "$root/scenarios/smoke/idle.yaml" --svg a.svg
exits 2
err_has "100 nodes are too many"
it "trace --svg: into a folder that is not there"
pl trace sum.yaml --svg nowhere/a.svg
exits 11
err_has "nowhere/a.svg: No such file"

# ---- packets -------------------------------------------------------------------------------

# shark FIELD...: these fields of p.pcap's packets.
shark() {
    local f=() x
    for x; do f+=(-e "$x"); done
    HOME=$PWD tshark -r p.pcap -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -d tcp.port==7000,data -T fields "${f[@]}" 2>tshark.err
}
# capture ARGUMENT...: writes p.pcap, which tshark reads without a complaint; what it finds odd
# about TCP is left in ./odd.
capture() {
    pl trace "$@" --pcap p.pcap
    case $code in 0 | 20) ;; *) wrong "status $code" ;; esac
    out_empty
    must test "$(od -An -tx4 -N4 --endian=little p.pcap)" = " a1b23c4d"
    shark frame.number >packets
    must grep -qF "p.pcap: $(wc -l <packets) packets" err
    must test -s packets
    must_not grep -v "Running as user" tshark.err
    shark tcp.checksum.status udp.checksum.status | tr -d '\t' | sort -u >sums
    must test "$(cat sums)" = 1 # good
    shark _ws.malformed | grep . >malformed
    must_not test -s malformed
    shark tcp.analysis.flags _ws.expert.message | grep -v "server port 7000$" | grep '[a-z]' >odd
}
if command -v tshark >/dev/null; then
    it "trace --pcap without loss: nothing that Wireshark would find odd"
    loss_free() {
        capture "$@"
        "$program" trace "$@" --kind lost | grep -v '^#' >lost
        last="$last: $(wc -l <packets) packets"
        must_not test -s lost
        must_not test -s odd
        cat odd >out
        must test "$(shark tcp.flags.syn | grep -c 1)" = "$((2 * $(shark tcp.stream | sort -u | wc -l)))"
    }
    loss_free sum.yaml --cell 0
    loss_free "$root/scenarios/millionaires.yaml"
    loss_free "$root/scenarios/smoke/shamir.yaml" --cell 2 --set parties.alice.access=ideal
    loss_free "$root/scenarios/smoke/ping.yaml" --cell 5 --set \
        "parties.client.access={up: 10Mbit, down: 50Mbit, latency: 8ms, jitter: 2ms}"
    loss_free bulk.yaml
    must test "$(shark tcp.len | awk '{n += $1} END {print (n > 2097152)}')" = 1
    it "trace --pcap of a bulk transfer through a full queue: what is dropped comes again"
    capture bulk.yaml --set parties.alice.access.queue=64KiB
    must test "$("$program" trace bulk.yaml --set parties.alice.access.queue=64KiB --kind lost | grep -c queue)" = "$(grep -cE 'retransmission|out-of-order' odd)"
    must test "$(grep -vcE 'retransmission|out-of-order|not captured' odd)" = 0
    it "trace --pcap: a connection for each pair, and what its messages hold"
    capture "$root/scenarios/smoke/shamir.yaml" --cell 0
    must test "$(shark tcp.stream | sort -u | wc -l)" = 3
    "$program" trace "$root/scenarios/smoke/shamir.yaml" --cell 0 --kind data | awk '$3 == "data" {n++; b += $6} END {print b + 4 * n}' >bytes
    must test "$(shark tcp.len | awk '{n += $1} END {print n}')" -ge "$(cat bytes)"
    shark tcp.payload | grep . | cut -c1-8 >frames
    must grep -qx 0e000000 frames # the hello's length, and its frame
    it "trace --pcap: as many packets and bytes as the metrics count, without IPv6's 20 more and Ethernet's 14"
    pl run sum.yaml --only transport=direct --only channel=noise --repeat 1 --quiet --out counted
    exits 0
    capture sum.yaml --cell 0
    wire=$(node -pe 'const h = JSON.parse(require("fs").readFileSync("counted/trials/0-0.json", "utf8")).metrics.wire_bytes; parseInt(h.sum, 16)')
    must test "$(shark frame.len | awk '{n += $1 - 34} END {print n}')" = "$wire"
    it "trace --pcap with losses: each one is repeated"
    capture "$root/scenarios/smoke/ping.yaml" --cell 5
    must test "$("$program" trace "$root/scenarios/smoke/ping.yaml" --cell 5 --kind lost | grep -cE 'loss|queue')" = "$(grep -cE 'retransmission|out-of-order' odd)"
    must test "$(grep -vcE 'retransmission|out-of-order|not captured' odd)" = 0
    it "trace --pcap: a partition and a crash"
    capture "$faults"
    must test "$(grep -vcE 'retransmission|out-of-order' odd)" = 0
    capture "$root/scenarios/smoke/crash.yaml"
    must test "$(shark tcp.flags.reset | grep -c 1)" = 5
    it "trace --pcap: filters"
    capture "$faults" --link alice,bob --until 1s
    must test "$(shark tcp.stream | sort -u | wc -l)" = 1
    must test "$(shark frame.time_relative | awk '$1 >= 1 {n++} END {print n + 0}')" = 0
    it "trace --pcap and --svg in one go, and to stdout"
    pl trace "$faults" --pcap a.pcap --svg a.svg
    exits 0
    must test -s a.svg
    pl trace "$faults" --pcap -
    must cmp a.pcap out
else
    it "trace --pcap: what Wireshark says of it"
    skip_case "there is no tshark here"
fi
it "trace --pcap of what crosses no network"
pl trace sum.yaml --cell 2 --pcap p.pcap
exits 0
err_has "0 packets: nothing here crosses a network"
must test "$(wc -c <p.pcap)" = 24
