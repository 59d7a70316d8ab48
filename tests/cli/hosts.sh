# The world hosts: nodes on machines that Ansible reaches over SSH; here a network namespace each,
# with an SSH server of its own.
. "$(dirname "$0")/lib"
export LIMIT=400 GRACE=40 TMPDIR=$scratch/tmp
mkdir "$TMPDIR"

cat >sum.yaml <<'YAML'
schema: 1
name: by_hosts
limit: 20s
parties: [{name: alice, input: 3}, {name: bob, input: 9}, {name: carol, input: 5}]
services: [{name: relay, role: relay}]
protocol: {name: shamir, threshold: 1, program: sum}
transport: relay
YAML
cat >nobody.yml <<'YAML'
partyline: {hosts: {alice: {ansible_host: 192.0.2.1}, bob: {ansible_host: 192.0.2.2}}}
YAML

it "an inventory is needed, and a host for every node"
pl run sum.yaml --world hosts --out x
exits 2
err_has "--inventory"
pl run sum.yaml --world hosts --out x --inventory none.yml
exits 2
err_has "none.yml"
if command -v ansible-inventory >/dev/null; then
    pl run sum.yaml --world hosts --out x --inventory nobody.yml
    exits 2
    err_has "no host runs the node carol"
fi

it "check refuses what it can't honour, at its line"
cp sum.yaml events.yaml
printf 'events:\n  - {at: 1s, crash: bob}\n' >>events.yaml
pl check events.yaml --world hosts
exits 10
err_has "events.yaml:9"

it "the playbooks are clean for ansible-lint, and hold no secret"
if command -v ansible-lint >/dev/null; then
    (cd "$root/ansible" && LC_ALL=C.UTF-8 ansible-lint --offline --nocolor -q >"$scratch/lint" 2>&1) || wrong "$(cat lint)"
    must_not grep -rqiE "BEGIN [A-Z ]*PRIVATE KEY|password:" "$root/ansible"
else
    skip_case "ansible-lint is not installed: tools/deps.sh check"
fi

for command in sshd nc ssh-keygen; do
    PATH=$PATH:/usr/sbin command -v $command >>lacking2 || echo "$command is not there: tools/deps.sh lab" >lacking1
done
if [ -e lacking1 ] || ! "$program" doctor hosts >lacking || ! "$program" doctor lab >lacking; then
    [ ! -e lacking1 ] || mv lacking1 lacking
    for name in "four nodes on two hosts" "SIGINT in mid-run" "--check"; do
        it "$name"
        skip_case "$(head -n 1 lacking)"
    done
    exit 0
fi

# A machine each: a network namespace on one bridge, with an SSH server in it.
id=pt$$
keys=$scratch/ssh
pids=
mkdir "$keys"
leave() {
    local ns
    [ -z "$pids" ] || kill $pids 2>/dev/null
    for ns in $(ip netns list | grep -o "^$id-[a-z]*"); do
        ip netns pids "$ns" | xargs -r kill -KILL 2>/dev/null
        ip netns del "$ns"
    done
}
trap 'leave; end_case; rm -rf "$scratch"' EXIT
ssh-keygen -q -t ed25519 -N '' -f "$keys/key"
ssh-keygen -q -t ed25519 -N '' -f "$keys/host"
mkdir -p /run/sshd
ip netns add $id-bridge
ip -n $id-bridge link add br0 type bridge
ip -n $id-bridge link set br0 up
printf 'partyline:\n  vars:\n    ansible_user: root\n    ansible_ssh_private_key_file: %s\n  hosts:\n' "$keys/key" >inventory.yml
n=1
for host in alice bob; do
    n=$((n + 1))
    ip netns add $id-$host
    ip link add name eth0 netns $id-$host type veth peer name v$n netns $id-bridge
    ip -n $id-bridge link set v$n up master br0
    ip -n $id-$host addr add 10.9.0.$n/24 dev eth0
    ip -n $id-$host link set eth0 up
    ip -n $id-$host link set lo up
    setsid ip netns exec $id-$host /usr/sbin/sshd -D -f /dev/null -h "$keys/host" -o StrictModes=no -o UsePAM=no \
        -o AuthorizedKeysFile="$keys/key.pub" -o PidFile=none -o PermitRootLogin=prohibit-password 2>"$keys/log" &
    pids="$pids $!"
    disown # what is cut off ends its sessions with it
    echo "10.9.0.$n $(cut -d' ' -f1,2 "$keys/host.pub")" >>"$keys/known_hosts"
    cat >>inventory.yml <<YAML
    $host:
      ansible_host: 10.9.0.$n
      ansible_ssh_common_args: -o UserKnownHostsFile=$keys/known_hosts -o ProxyCommand="ip netns exec $id-$host nc 10.9.0.$n 22"
YAML
done
printf '      partyline_nodes: [bob, carol, relay]\n' >>inventory.yml
nothing_left() {
    [ -z "$(ls -A "$TMPDIR")" ] || wrong "left here: $(ls -A "$TMPDIR")"
    # Others may be at work on this machine.
    local left
    left=$(find /opt/partyline /run/partyline-hosts -newer "$keys/host" -name 'alice*' 2>/dev/null)
    [ -z "$left" ] || wrong "left on a host: $left"
    for ns in $(ip netns list | grep -o "^$id-[a-z]*"); do
        for pid in $(ip netns pids "$ns"); do
            ! grep -qa partyline "/proc/$pid/cmdline" || wrong "runs on: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
        done
    done
}

it "four nodes on two hosts: results as of any world, and what each host left"
{ cat sum.yaml; echo 'observers: [{name: coalition}]'; } >seen.yaml
pl run seen.yaml --out sim --quiet
exits 0
pl run seen.yaml --world hosts --inventory inventory.yml --out hosts
exits 0
out_has "result: sum 17"
must node -e '
    const facts = (d) => JSON.stringify(JSON.parse(require("fs").readFileSync(d + "/summary.json")).cells[0].privacy
        .filter((p) => p.unit === "count" && p.about !== "to ISPs").map((p) => [p.metric, p.about, p.value]));
    if (facts("sim") !== facts("hosts")) throw new Error("coalitions: " + facts("sim") + " in sim, " + facts("hosts"));'
err_has "deploy: 2 hosts done"
err_has "teardown: 2 hosts done"
json hosts/summary.json 'x.world === "hosts" && x.cells[0].completed === 1 && x.cells[0].metrics.completion.count === 3'
json hosts/env.json 'x.hosts.alice.system.startsWith("Linux") && x.clock_bound_ns === 0'
json hosts/hosts/0-0/clock.json 'x.one_way === "kept"'
json hosts/trials/0-0.json 'x.metrics.message !== undefined'
must tar -tzf hosts/hosts/0-0/alice.tar.gz ./alice/result.json
for node in bob carol relay; do must tar -tzf hosts/hosts/0-0/bob.tar.gz ./$node/result.json; done
must_not sh -c 'for t in hosts/hosts/0-0/*.tar.gz; do tar -tzf $t; done | grep -E "key|yaml"'
pl report hosts
exits 0
nothing_left

it "SIGINT in mid-run tears down, keeps what was collected, and ends with 130"
sed -e 's/^limit: .*/limit: 60s/' -e 's/name: bob,/name: bob, start: 1h,/' sum.yaml >long.yaml
"$program" run long.yaml --world hosts --inventory inventory.yml --out long >out 2>err &
runner=$!
for i in $(seq 600); do
    ! grep -qs '^[0-9]' /run/partyline-hosts/*/alice/0-0.alice/go || break
    sleep 0.1
done
kill -INT $runner
wait $runner
code=$?
exits 130
err_has "interrupted"
err_has "teardown: 2 hosts done"
nothing_left

it "--check changes nothing"
plan='{"instances": ["0-0.x"], "systemd": false, "archive": "/dev/null"}'
echo "{\"partyline_run\": \"c$$\", \"partyline_trial\": \"0-0\", \"partyline_limit\": 5, \"partyline_fetch\": \"$scratch/f\",
  \"partyline_program\": \"$program\", \"partyline_hosts\": [\"alice\"], \"partyline_plan\": {\"alice\": $plan}}" >vars.json
export LC_ALL=C.UTF-8 ANSIBLE_CONFIG=$root/ansible/ansible.cfg ANSIBLE_HOME=$scratch/ansible ANSIBLE_LOCAL_TEMP=$scratch/ansible \
    ANSIBLE_SSH_CONTROL_PATH_DIR=$keys
must timeout -k 5 400 ansible-playbook -i inventory.yml --check -e @vars.json "$root"/ansible/{deploy,run,collect,teardown}.yml
must_not test -e /opt/partyline/c$$
must_not test -e f
nothing_left
for socket in "$keys"/??????????*; do [ ! -S "$socket" ] || ssh -o ControlPath="$socket" -O exit x 2>"$keys/log"; done
