#!/bin/sh
# teardown.sh RUN HOST: stops and removes all that a run has on this host. RUN any: every run.
run=$1 host=$2
[ "$run" != any ] || run='*' host='*'
failed=0
if [ -d /run/systemd/system ]; then
    systemctl stop "partyline-$run@*.service"
    systemctl reset-failed "partyline-$run@*.service" 2>/dev/null
    rm -f /run/systemd/system/partyline-$run@.service
    systemctl daemon-reload
fi
for pid in /run/partyline-hosts/$run/$host/*.pid; do
    [ ! -e "$pid" ] ||
        start-stop-daemon --stop --quiet --oknodo --retry TERM/10/KILL/5 --pidfile "$pid" || failed=1
done
for secret in /run/partyline-hosts/$run/$host/*/*key /run/partyline-hosts/$run/$host/*/*.yaml; do
    [ ! -e "$secret" ] || shred -u "$secret" || failed=1
done
rm -rf /run/partyline-hosts/$run/$host /opt/partyline/$run/$host /var/lib/private/partyline-$run /var/lib/partyline-$run
rmdir /run/partyline-hosts/$run /opt/partyline/$run /run/partyline-hosts /opt/partyline 2>/dev/null
exit $failed
