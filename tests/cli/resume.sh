# What is interrupted goes on where it was, and ends as if it had not been.
. "$(dirname "$0")/lib"

redone() { node -pe 'JSON.parse(require("fs").readFileSync(process.argv[1] + "/env.json", "utf8")).trials_run' "$1"; }
# Waits until a folder has so many trials.
trials() { find "$1/trials" -name '*.json' 2>/dev/null | wc -l; }
await() { # FOLDER NUMBER
    local i
    for ((i = 0; i < 1000; i++)); do
        [ "$(trials "$1")" -ge "$2" ] && return
        sleep 0.01
    done
    wrong "$1 never had $2 trials"
}
# Starts a run of long.yaml in a process group of its own, with its id in $pid.
start() { # FOLDER
    last="partyline run long.yaml --out $1"
    setsid "$program" run long.yaml -j2 --out "$1" >out 2>err &
    pid=$!
    await "$1" 20
}
interrupted() { # FOLDER
    local n
    n=$(trials "$1")
    [ "$n" -ge 20 ] && [ "$n" -lt "$all" ] || wrong "expected it in the middle, but $n of $all trials are there"
    must_not test -e "$1/summary.json"
}
# goes_on FOLDER: --resume does the rest alone, and the end is the same.
goes_on() {
    local before
    before=$(trials "$1")
    (cd "$1/trials" && stat -c '%n %i' -- *.json) >kept
    pl run long.yaml --resume --quiet --out "$1"
    exits 0
    [ "$(redone "$1")" = $((all - before)) ] ||
        wrong "expected $((all - before)) trials to be run, not $(redone "$1")"
    (cd "$1/trials" && stat -c '%n %i' -- $(cut -d' ' -f1 <../../kept)) >still
    must cmp kept still
    same_run whole "$1"
    [ -z "$(find "$1" -name '*.part')" ] || wrong "parts are left: $(find "$1" -name '*.part')"
}

it "an uninterrupted run, to compare with"
pl run long.yaml --quiet --out whole
exits 0
all=$(trials whole)
must test "$all" = 240

it "--resume with everything there redoes nothing"
cp -R whole again
pl run long.yaml --resume --quiet --out again
exits 0
must test "$(redone again)" = 0
same_run whole again

it "--resume redoes only what was deleted"
cp -R whole holes
rm holes/trials/0-0.json holes/trials/0-17.json holes/trials/1-119.json holes/summary.json holes/digest
goes_on holes
must test "$(redone holes)" = 3

it "--resume redoes a trial that is cut short"
cp -R whole cut
truncate -s 100 cut/trials/0-3.json
: >cut/trials/0-4.json
pl run long.yaml --resume --quiet --out cut
exits 0
must test "$(redone cut)" = 2
same_run whole cut

it "--resume redoes a trial that belongs elsewhere"
cp -R whole swapped
cp whole/trials/0-1.json swapped/trials/0-2.json
pl run long.yaml --resume --quiet --out swapped
exits 0
must test "$(redone swapped)" = 1
same_run whole swapped

it "--resume without a run to go on with begins it"
pl run sum.yaml --resume --quiet --out fresh
exits 0
must test "$(redone fresh)" = 16

it "--resume of another run is refused"
pl run long.yaml --resume --seed 77 --out whole
exits 2
err_has "holds another run"

it "SIGINT to all: 130, and what was finished is kept"
start int
kill -INT -- "-$pid"
wait "$pid"
code=$?
exits 130
err_has "--resume"
interrupted int
goes_on int

it "SIGTERM to the parent alone"
start term
kill -TERM "$pid"
wait "$pid"
code=$?
exits 130
must_not kill -0 -- "-$pid"
interrupted term
goes_on term

# Stops the only worker of a new run of its own in the middle of a trial: a trace is begun
# whose trial is not there.
under_way() { test -e "$1/traces/$2.txt" && test ! -e "$1/trials/$2.json"; }
frozen() { # FOLDER: $pid, $worker, $trial
    local i
    last="partyline run long.yaml -j1 --trace --out $1"
    "$program" run long.yaml -j1 --trace --quiet --out "$1" >out 2>err &
    pid=$!
    await "$1" 3
    worker=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children")
    for ((i = 0; i < 1000; i++)); do
        kill -STOP "$worker"
        until_true grep -q '^State:.T' "/proc/$worker/status"
        trial=$(cd "$1/traces" && basename -s .txt "$(ls -t | head -n 1)")
        under_way "$1" "$trial" && return
        kill -CONT "$worker"
    done
    wrong "it was never found in the middle of a trial"
}
until_true() { # COMMAND...
    local i
    for ((i = 0; i < 6000; i++)); do
        "$@" && return
        sleep 0.01
    done
    wrong "never: $*"
    return 1
}
ended() { ! grep -qs '^State:.[^Z]' "/proc/$pid/status"; }
# The signal was taken: SIGTERM, passed on, waits for the worker to go on.
passed_on() { (($(sed -n 's/^ShdPnd:[[:space:]]*/16#/p' "/proc/$worker/status") >> 14 & 1)); }

it "the first signal waits for the trial under way"
frozen once
n=$(trials once)
kill -INT "$pid"
until_true passed_on
must kill -0 "$pid"
kill -CONT "$worker"
wait "$pid"
code=$?
exits 130
err_has "--resume"
must test -e "once/trials/$trial.json"
must test "$(trials once)" = $((n + 1))

it "the second one ends it at once, and --resume goes on"
frozen twice
n=$(trials twice)
kill -TERM "$pid"
until_true passed_on
kill -INT "$pid"
until_true ended || kill -KILL "$worker"
wait "$pid"
code=$?
exits 130
err_has "--resume"
must_not kill -0 "$worker"
must_not test -e "twice/trials/$trial.json"
must test "$(trials twice)" = "$n"
goes_on twice

it "kill -9 of all in the middle"
start kill
kill -KILL -- "-$pid"
wait "$pid" 2>/dev/null
interrupted kill
goes_on kill

it "kill -9 of the parent alone: its workers go with it"
start orphans
kill -KILL "$pid"
wait "$pid" 2>/dev/null
for ((i = 0; i < 200; i++)); do
    kill -0 -- "-$pid" 2>/dev/null || break
    sleep 0.01
done
if kill -0 -- "-$pid" 2>/dev/null; then
    wrong "workers live on without their parent"
    kill -KILL -- "-$pid"
fi
interrupted orphans
goes_on orphans
