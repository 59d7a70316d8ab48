# The progress bar: on a terminal alone, never in the data, and not with --quiet.
. "$(dirname "$0")/lib"

if ! command -v script >/dev/null; then
    it "the progress bar"
    skip_case "there is no script(1) here"
    exit
fi
# on_terminal COMMAND: its stderr is a terminal, of which ./out is left.
on_terminal() {
    last="on a terminal: $1"
    TERM=xterm script -qec "$1" /dev/null >out 2>err </dev/null
    code=$?
}
it "on a terminal there is a bar, which ends full"
on_terminal "$program run sum.yaml --out a"
exits 0
out_has "sum [##############################] 16/16 trials"
it "it is on stderr alone"
on_terminal "$program run sum.yaml --out b >stdout"
exits 0
out_has "16/16 trials"
must_not grep -q "16/16 trials" stdout
must_not grep -q $'\033' stdout
it "stderr that is no terminal gets none"
on_terminal "$program run sum.yaml --out c 2>stderr"
exits 0
must_not test -s stderr
out_lacks "16/16 trials"
it "none with --quiet"
on_terminal "$program run sum.yaml --out d --quiet"
exits 0
out_empty
it "--json on a terminal: the bar on stderr, and nothing but JSON on stdout"
on_terminal "$program run sum.yaml --out e --json >stdout"
exits 0
out_has "16/16 trials"
must cmp stdout e/summary.json
it "--json --quiet: JSON alone"
on_terminal "$program run sum.yaml --out f --json --quiet >stdout"
exits 0
out_empty
must cmp stdout f/summary.json
it "the bar has no colour, and the table none with NO_COLOR"
on_terminal "NO_COLOR=1 $program run sum.yaml --out g"
must_not grep -q $'\033\[[0-9;]*m' out
on_terminal "NO_COLOR= $program run sum.yaml --out h"
must grep -q $'\033\[[0-9;]*m' out
it "--resume counts what was there"
rm a/trials/0-0.json
on_terminal "$program run sum.yaml --out a --resume"
exits 0
out_has "16/16 trials"
it "a trial that fails is still the bar's end, and says so after it"
on_terminal "$program run stuck.yaml --out stuck"
exits 20
out_has "1/1 trials"
out_has "a trial failed"
