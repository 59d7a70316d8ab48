# node: one node as a process of its own, with a hosts file and keys made by hand.
. "$(dirname "$0")/lib"
began_port=$((12000 + $$ % 100 * 64)) # below what the world local uses
alice_port=$began_port bob_port=$((began_port + 64)) carol_port=$((began_port + 128))

cat >sum.scenario.yaml <<'YAML'
schema: 1
name: by_hand
limit: 20s
parties: [{name: alice, input: 3}, {name: bob, input: 9}, {name: carol, input: 5}]
protocol: {name: shamir, threshold: 1, program: sum}
transport: direct
YAML
printf 'schema: 1\nhosts:\n' >hosts.yaml
for name in alice bob carol; do
    "$program" keygen --out $name.key >$name.pub
    eval port=\$${name}_port
    echo "  $name: {address: localhost4, port: $port, identity: $(cat $name.pub)}" >>hosts.yaml
done
sed -i 's/localhost4/127.0.0.1/' hosts.yaml
# Everybody has the others' inputs stripped.
for name in alice bob carol; do
    sed -e "/^parties/s/\(name: $name, input: \)\([0-9]\)/\1own\2/; /^parties/s/input: [0-9]/input: 0/g; s/own//" \
        sum.scenario.yaml >$name.yaml
done
node_of() { echo node --scenario $1.yaml --name $1 --hosts hosts.yaml --key $1.key --out out_$1; }

it "three nodes compute a sum, each with its own input alone"
must grep -q "bob, input: 0" alice.yaml
must grep -q "alice, input: 3" alice.yaml
"$program" $(node_of bob) 2>bob.err & bob=$!
"$program" $(node_of carol) 2>carol.err & carol=$!
"$program" $(node_of alice) 2>alice.err & alice=$!
for i in $(seq 100); do
    [ -e out_alice/done ] && [ -e out_bob/done ] && [ -e out_carol/done ] && break
    sleep 0.1
done
kill -TERM $alice $bob $carol
for pid in $alice $bob $carol; do wait $pid || wrong "a node ended with $?: $(cat ./*.err)"; done
for name in alice bob carol; do
    json out_$name/result.json 'x.done === true && x.node === "'$name'" && x.result !== undefined && x.trial.exposures.length === 2'
done
must test "$(node -p 'JSON.parse(require("fs").readFileSync("out_alice/result.json")).result')" = \
    "$(node -p 'JSON.parse(require("fs").readFileSync("out_bob/result.json")).result')"

it "by IPv6, and by name"
for address in '"::1"' localhost; do
    rm -rf out_*
    sed "s/127.0.0.1/$address/" hosts.yaml >there.yaml
    pids=
    for name in alice bob carol; do
        "$program" $(node_of $name | sed s/hosts.yaml/there.yaml/) 2>$name.err &
        pids="$pids $!"
    done
    for i in $(seq 100); do
        [ -e out_alice/done ] && [ -e out_bob/done ] && [ -e out_carol/done ] && break
        sleep 0.1
    done
    kill -TERM $pids
    for pid in $pids; do wait $pid || wrong "$address: a node ended with $?: $(cat ./*.err)"; done
    json out_alice/result.json 'x.done === true && x.result === "1100000000000000"'
done

it "a party begins at the sign, at the moment that it holds; without one a signal ends it"
rm -rf out_*
"$program" $(node_of alice) --go sign 2>err & alice=$!
"$program" $(node_of bob) --go sign 2>err & bob=$!
"$program" $(node_of carol) --go sign 2>err & carol=$!
sleep 0.5
must_not test -e out_alice/done
echo "$(($(date +%s) + 1))000000000" >sign.new
mv sign.new sign
for i in $(seq 100); do
    [ -e out_alice/done ] && [ -e out_bob/done ] && [ -e out_carol/done ] && break
    sleep 0.1
done
kill -TERM $alice $bob $carol
for pid in $alice $bob $carol; do wait $pid || wrong "a node ended with $?"; done
json out_carol/result.json 'x.done === true'
rm -rf out_alice
"$program" $(node_of alice) --go nosign 2>err &
pid=$!
sleep 0.5
kill -TERM $pid
wait $pid
code=$?
exits 20
json out_alice/result.json 'x.done === false && x.trial.why === "ended by a signal"'

it "SIGTERM before the end: a result that says so, and whom it waited for"
rm -rf out_*
"$program" $(node_of alice) >out 2>err &
pid=$!
sleep 0.7
kill -TERM $pid
wait $pid
code=$?
exits 20
err_has "ended by a signal"
json out_alice/result.json 'x.done === false && x.waits.includes("bob") && x.trial.why === "ended by a signal"'

it "SIGINT likewise"
rm -rf out_*
set -m
"$program" $(node_of alice) >out 2>err &
pid=$!
set +m
sleep 0.7
kill -INT $pid
wait $pid
code=$?
exits 20
json out_alice/result.json 'x.done === false'

it "a port in use: 11, with the port"
node -e 'require("net").createServer().listen(+process.argv[1], "127.0.0.1", () => console.log("up"))' $alice_port >listening &
pid=$!
for i in $(seq 50); do [ -s listening ] && break; sleep 0.1; done
pl $(node_of alice)
exits 11
err_has "port $alice_port"
kill $pid
wait $pid 2>/dev/null

it "a bad hosts file: every mistake at its line"
sed -e '/bob/d' -e 's/port: [0-9]*, identity: \([0-9a-f]*\)\(.\)}/port: 99999, identity: \1}/' hosts.yaml >bad.yaml
pl node --scenario alice.yaml --name alice --hosts bad.yaml --key alice.key --out x
exits 10
err_has "bad.yaml:3"
err_has "the node bob has no entry"
err_has "expected a port"
err_has "needs an identity"
pl node --scenario alice.yaml --name alice --hosts none.yaml --key alice.key --out x
exits 10

it "a bad key: another's, one that others may read, and one that is none"
pl node --scenario alice.yaml --name alice --hosts hosts.yaml --key bob.key --out x
exits 10
err_has "not the identity"
cp alice.key open.key
chmod 644 open.key
pl node --scenario alice.yaml --name alice --hosts hosts.yaml --key open.key --out x
exits 10
err_has "chmod 600"
echo nonsense >none.key
chmod 600 none.key
pl node --scenario alice.yaml --name alice --hosts hosts.yaml --key none.key --out x
exits 10
err_has "not a key file"

it "all its options are required, and the name must be there"
pl node --scenario alice.yaml --name alice
exits 2
pl node --scenario alice.yaml --name dave --hosts hosts.yaml --key alice.key --out x
exits 2
err_has "no node dave"
pl node --scenario sum.yaml --name alice --hosts hosts.yaml --key alice.key --out x
exits 10
