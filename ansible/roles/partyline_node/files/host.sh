#!/bin/sh
# What the playbooks call on a host, in the folder of one run there. Instances are trial and node,
# as in 0-0.alice: each has a folder in OWN, in memory, with its scenario, hosts file and key.
#   host.sh tell                         what the host is, and how well its clock is kept
#   host.sh node OWN INSTANCE UID SECONDS        runs a node with a pid file, without systemd
#   host.sh serve OWN KEYS OUT           becomes the node of OWN, or coturn where that is asked for
#   host.sh go OWN BEGIN SECONDS INSTANCE...     lets them begin; waits until all parties among
#                                        them are done or have ended, or for so long
#   host.sh pack OWN TRIAL INSTANCE...   TRIAL.tar.gz with what they left, tells its checksum;
#                                        wipes their keys and inputs
dir=$(dirname "$0")

tell() {
    echo "boot $(cat /proc/sys/kernel/random/boot_id)"
    echo "system $(uname -srm)"
    [ ! -d /run/systemd/system ] || echo "systemd yes"
    ! command -v chronyc >/dev/null || echo "chrony $(chronyc -c tracking 2>/dev/null)"
}

# Of its parents: it ends what it started when it gets SIGTERM.
node() {
    own=$1/$2 uid=$3 seconds=$4
    . "$own/env"
    umask 077
    echo $$ >"$own.pid"
    mkdir "$dir/$2"
    chown -R "$uid:$uid" "$own" "$dir/$2"
    ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -H -n)"
    trap 'kill -TERM $child' TERM INT
    setpriv --reuid="$uid" --regid="$uid" --clear-groups --no-new-privs --inh-caps=-all \
        --bounding-set=-all timeout --foreground -k 10 "$seconds" \
        sh "$dir/host.sh" serve "$own" "$own" "$dir/$2" >"$own/log" 2>&1 </dev/null &
    child=$!
    # A signal interrupts the first wait.
    wait $child || wait $child
    rm -f "$own.pid"
    touch "$own/ended"
}

serve() {
    . "$1/env"
    if [ "$TURN" = yes ]; then
        cd "$3" && exec turnserver -c "$2/coturn.key"
    fi
    sightings=
    [ "$SIGHTINGS" != yes ] || sightings=--sightings
    exec "$dir/partyline" node $sightings --scenario "$1/$NODE.yaml" --name "$NODE" --hosts "$1/hosts.yaml" \
        --key "$2/key" --go "$1/go" --out "$3"
}

go() {
    own=$1 begin=$2 until=$(($(date +%s) + $3))
    shift 3
    for instance; do
        echo "${begin}000000000" >"$own/$instance/go.new"
        chmod 644 "$own/$instance/go.new"
        mv "$own/$instance/go.new" "$own/$instance/go"
    done
    for instance; do
        grep -q '^PARTY=yes$' "$own/$instance/env" || continue
        while [ ! -e "$own/$instance/ended" ] && [ ! -e "$dir/$instance/done" ]; do
            [ "$(date +%s)" -lt $until ] || return 0
            sleep 0.1
        done
    done
}

pack() {
    own=$1 trial=$2
    shift 2
    for instance; do
        to=$dir/pack/${instance#*.}
        mkdir -p "$to"
        for f in "$dir/$instance/result.json" "$dir/$instance/done" "$dir/$instance"/sightings-* \
            "$own/$instance/log"; do
            [ ! -e "$f" ] || cp "$f" "$to/"
        done
        shred -u "$own/$instance/"*key "$own/$instance"/*.yaml
        rm -rf "${own:?}/$instance" "${dir:?}/$instance/"*
    done
    [ ! -e "$dir/$trial.pcap" ] || mv "$dir/$trial.pcap" "$dir/pack/capture.pcap"
    tar -czf "$dir/$trial.tar.gz" -C "$dir/pack" . || return
    rm -rf "${dir:?}/pack"
    echo "sum $(sha256sum <"$dir/$trial.tar.gz")"
    tell
}

what=$1
shift
case $what in
tell | node | serve | go | pack) "$what" "$@" ;;
*) exit 2 ;;
esac
