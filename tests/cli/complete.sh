# Completions and the man page: made from the command table, and right in each shell.
. "$(dirname "$0")/lib"

"$program" help >help.txt
commands=$(awk '/^  [a-z]+ / {print $1}' help.txt)
worlds=$("$program" list worlds | awk '/^  [a-z0-9]+ / {print $1}')
# The options of a command, by its --help.
options() { "$program" "$1" --help | awk '/^  -/ {print $1}'; }

for shell in bash zsh fish; do
    it "completions for $shell name every command and option, the same in any locale"
    pl help --completions $shell
    exits 0
    err_empty
    cp out partyline.$shell
    for c in $commands; do
        out_has "$c"
        for o in $(options "$c"); do
            [ $shell = fish ] && o="-${o/#--/l } " && o=${o/#--/-s }
            out_has "${o% }"
        done
    done
    LC_ALL=tr_TR.UTF-8 pl help --completions $shell
    must cmp out partyline.$shell
done

it "completions for a shell that nobody knows"
pl help --completions csh
exits 2
err_has "expected bash, zsh or fish"
out_empty

# bash_completes LINE WORD...: these, among others if the last is "...".
bash_completes() {
    local line=$1 got want
    shift
    last="complete in bash: $line"
    got=$(bash --norc -c '
        . ./partyline.bash
        IFS=" " read -ra COMP_WORDS <<<"$1"
        [[ $1 == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _partyline
        printf "%s\n" "${COMPREPLY[@]}"' bash "$line" 2>&1 | sort)
    echo "$got" >out
    want=$(printf '%s\n' "$@" | sort)
    [ "$got" = "$want" ] || wrong "expected: $want"$'\n'"got: $got"
}
it "bash: what it offers"
must bash -n partyline.bash
mkdir -p place/folder "place/a name"
touch place/file.yaml
bash_completes "partyline tra" trace
bash_completes "partyline run --re" --repeat --resume
bash_completes "partyline run --world " $worlds
bash_completes "partyline list tr" transports
bash_completes "partyline help --completions " bash zsh fish
bash_completes "partyline run place/f" place/file.yaml place/folder
bash_completes "partyline run --out place/" "place/a name" place/folder
bash_completes "partyline report place/f" place/folder
bash_completes "partyline run --seed " ""
bash_completes "partyline nosuch " ""

if command -v zsh >/dev/null; then
    it "zsh: loads, and offers the commands, options and worlds"
    must zsh -n partyline.zsh
    last="complete in zsh"
    # Its own completion system is replaced by what prints what it was told.
    zsh -fc '
        compdef() { print "defined $@" }
        _describe() { print -l $commands }
        _arguments() { print -l -- "$@" }
        source ./partyline.zsh
        words=(partyline "") CURRENT=2; _partyline
        words=(partyline run --wo) CURRENT=3; _partyline' >out 2>err
    code=$?
    exits 0
    err_empty
    out_has "defined _partyline partyline"
    for c in $commands; do out_has "$c:"; done
    must grep -q '^\*--world=\[.*\]:value:(.*sim.*)$' out
    must grep -q '^\*-j+\[' out
    must grep -q '^\*--resume\[' out
    must grep -q '^\*: :_files$' out
    it "zsh: its own completion system takes it"
    mkdir -p fpath
    cp partyline.zsh fpath/_partyline
    zsh -fc 'fpath=(./fpath $fpath); autoload -U compinit; compinit -u -d ./dump; print $_comps[partyline]' >out 2>err
    code=$?
    exits 0
    must test "$(cat out)" = _partyline
else
    it "zsh: loads, and offers the commands, options and worlds"
    skip_case "there is no zsh here"
fi

if command -v fish >/dev/null; then
    fish_completes() { # LINE WORD...
        local line=$1 got want
        shift
        last="complete in fish: $line"
        got=$(HOME=$PWD fish --no-config -c 'source ./partyline.fish; complete -C $argv[1]' "$line" 2>&1 |
            cut -f1 | sort)
        echo "$got" >out
        want=$(printf '%s\n' "$@" | sort)
        [ "$got" = "$want" ] || wrong "expected: $want"$'\n'"got: $got"
    }
    it "fish: what it offers"
    must fish -n partyline.fish
    fish_completes "partyline tra" trace
    fish_completes "partyline run --re" --repeat --resume
    fish_completes "partyline run --world " $worlds
    fish_completes "partyline list tr" transports
    fish_completes "partyline help --completions z" zsh
    fish_completes "partyline run place/f" place/file.yaml place/folder/
    fish_completes "partyline report place/f" place/folder/
else
    it "fish: what it offers"
    skip_case "there is no fish here"
fi

it "help --man: what it holds, and nothing that troff warns of"
pl help --man
exits 0
cp out partyline.1
for c in $commands; do out_has ".SS partyline $c"; done
for s in NAME SYNOPSIS DESCRIPTION COMMANDS "EXIT STATUS" ENVIRONMENT FILES EXAMPLES; do out_has ".SH $s"; done
if command -v groff >/dev/null; then
    must test -z "$(groff -man -ww -z partyline.1 2>&1)"
    last="groff"
    groff -man -Tascii -P-cbou partyline.1 >out 2>err
    for w in "--resume" "NO_COLOR" "interrupted; what was finished is kept" "--completions bash|zsh|fish"; do out_has "$w"; done
    for c in $commands; do
        for o in $(options "$c"); do out_has " $o"; done
    done
else
    skip_case "there is no groff here"
fi
