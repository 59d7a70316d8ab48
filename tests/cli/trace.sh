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
