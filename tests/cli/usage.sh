# What is typed wrong, and help.
. "$(dirname "$0")/lib"

usage_error() { # NAME WORDS ARGUMENT...
    it "$1"
    local words=$2
    shift 2
    pl "$@"
    exits 2
    err_has "$words"
    out_empty
}
usage_error "an unknown command" 'did you mean "run"?' rnu
usage_error "a command that is like no other" 'there is no command "xyzzy"' xyzzy
usage_error "an unknown option" 'did you mean "--repeat"?' run sum.yaml --repaet 3
usage_error "an unknown option of trace" "unknown option --frobnicate" trace sum.yaml --frobnicate
usage_error "an option without its value" "--seed needs a value" run sum.yaml --seed
usage_error "a switch with a value" "--resume takes no value" run sum.yaml --resume=yes
usage_error "run without a scenario" "which scenario?" run
usage_error "check without a scenario" "which scenario?" check
usage_error "show without a scenario" "expected one scenario" show
usage_error "show of two scenarios" "expected one scenario" show sum.yaml sum.yaml
usage_error "--out for two scenarios" "--out takes one scenario" run sum.yaml unmet.yaml --out x
usage_error "-j 0" "expected a number from 1 to" run sum.yaml -j 0
usage_error "-j two" "expected a number from 1 to" run sum.yaml -j two
usage_error "-jx" "expected a number from 1 to" run sum.yaml -jx
usage_error "--seed that is no number" "--seed x: expected a whole number" run sum.yaml --seed x
usage_error "--seed below zero" "--seed -1: expected a whole number" run sum.yaml --seed=-1
usage_error "--repeat that is no number" "--repeat 1.5: expected a whole number" run sum.yaml --repeat 1.5
usage_error "--set without a value" "--set repeat: expected key=value" run sum.yaml --set repeat
usage_error "--only without a value" "--only transport: expected" run sum.yaml --only transport
usage_error "--only that matches nothing" "no cell of the matrix matches --only" run sum.yaml --only transport=mix
usage_error "a world that is not there" "there is no world mars; there are: sim" run sum.yaml --world mars
usage_error "check for a world that is not there" "there is no world mars" check sum.yaml --world mars
usage_error "a kind of thing that is not there" 'did you mean "transports"?' list transport
usage_error "trace of a cell that is not there" "there are cells 0 to 3" trace sum.yaml --cell 4
usage_error "trace of a trial that is not there" "trials 0 to 3" trace sum.yaml --trial 4
usage_error "trace of a cell that is no number" "there are cells 0 to 3" trace sum.yaml --cell one
usage_error "trace of two scenarios" "expected one scenario" trace sum.yaml sum.yaml
usage_error "circuit without a kind" "which kind?" circuit

it "help, --help, -h and nothing at all say the same"
pl help
exits 0
err_empty
cp out first
for how in --help -h; do
    pl "$how"
    exits 0
    must cmp out first
done
pl
exits 0
must cmp out first

commands=$(awk '/^  [a-z]+ / {print $1}' first)
it "every command has its help"
[ "$(wc -w <<<"$commands")" -ge 7 ] || wrong "expected at least seven commands: $commands"
for c in $commands; do
    pl "$c" --help
    exits 0
    err_empty
    out_has "usage: partyline $c"
    out_has "--help"
done

it "help COMMAND is COMMAND --help"
for c in $commands; do
    pl "$c" --help
    cp out first
    pl help "$c"
    exits 0
    must cmp out first
done
pl help comprae
exits 2
err_has 'did you mean "compare"?'
pl help run show
exits 2

it "--version"
pl --version
exits 0
out_has "partyline 0."

it "help --man is a man page with every command and the exit codes"
pl help --man
exits 0
err_empty
out_has ".TH PARTYLINE 1"
for c in $commands; do out_has "partyline $c"; done
for n in 0 1 2 10 11 20 21 30 31 32 33 130; do must grep -qF "\fB$n\fR" out; done

it "help --scenario explains the keys"
pl help --scenario
exits 0
for key in schema parties access transport matrix expect until; do out_has "$key"; done

it "works with stdin, and with stdin and stdout, closed"
last="partyline list worlds <&-"
"$program" list worlds <&- >out 2>err
code=$?
exits 0
out_has sim
"$program" run sum.yaml --repeat 1 --quiet --out closed <&- >&- 2>err
code=$?
exits 0
must test -s closed/summary.json

it "a full disk behind stdout is not taken for success"
last="partyline list >/dev/full"
"$program" list >/dev/full 2>err
code=$?
: >out
exits 11
err_has "stdout: "
