# Invalid scenarios: every error at its place, all at once, exit code 10.
. "$(dirname "$0")/lib"

it "all errors at once, each with its line and column"
pl check errors.yaml
exits 10
out_empty
cp err said
golden "$root/tests/golden/errors.err" said
# in the order of the file, each with the offending line
for at in 3:1 4:8 5:7 7:29 8:25 9:12 9:24 10:18 11:33 13:21 15:22 17:1; do
    grep -q "^errors.yaml:$at: " err || wrong "expected a finding at errors.yaml:$at"
done
err_has 'did you mean "repeat"?'
err_has 'did you mean "region"?'
err_has 'did you mean "eu-west-1"?'
err_has 'did you mean "shamir"?'
err_has "repat: 4"

it "run says the same, and makes no folder"
pl run errors.yaml --out r
exits 10
must cmp err said
must_not test -e r

it "show says the same"
pl show errors.yaml
exits 10
must cmp err said

it "one valid and one invalid file: both are judged"
pl check sum.yaml errors.yaml
exits 10
out_has "sum.yaml: valid"
pl run unmet.yaml errors.yaml --quiet
exits 10

refused() { # NAME PLACE WORDS, the scenario on stdin
    it "$1"
    cat >s.yaml
    pl check s.yaml
    exits 10
    err_has "s.yaml$2"
    err_has "$3"
    out_empty
}
head='schema: 1
name: x
parties: [{name: a, input: 1}, {name: b, input: 2}, {name: c, input: 3}]'
refused "what is required is missing" "" "transport" <<<"$head
protocol: shamir"
refused "an empty file" "" "" </dev/null
refused "a file that is no map" ":1:1:" "" <<<"- 1"
refused "broken YAML" ":2:" "" <<<"a: [1
b: }"
refused "Jinja" ":4:" "{{" <<<"$head
about: {{ x }}
transport: direct
protocol: shamir"
refused "an octal number" ":4:7:" "010" <<<"$head
seed: 010
transport: direct
protocol: shamir"
refused "a clock time" ":4:8:" "1:30" <<<"$head
limit: 1:30
transport: direct
protocol: shamir"
refused "a tab" ":2:" "" <<<"schema: 1
	name: x"
refused "a threshold above (n-1)/2" "" "threshold" <<<"$head
transport: direct
protocol: {name: shamir, threshold: 2}"
refused "an axis that is no key" "" "colour" <<<"$head
transport: direct
protocol: shamir
matrix: {colour: [red]}"
refused "an expectation of what does not exist" ":6:" "completed_by" <<<"$head
transport: direct
protocol: shamir
expect: [{that: completed_by == 100%}]"
refused "a value without its unit" ":4:" "unit" <<<"$head
limit: 20
transport: direct
protocol: shamir"
refused "a region without a round trip" "" "round trip" <<<"schema: 1
name: x
regions: {eu: {eu: 1ms}, us: {us: 1ms}}
parties: [{name: a, region: eu, input: 1}, {name: b, region: us, input: 2}, {name: c, region: us, input: 3}]
transport: direct
protocol: shamir"
refused "a transport that does not exist yet" ":4:" "relay" <<<"$head
transport: relay
protocol: shamir"

it "a scenario that is not there"
pl run missing.yaml
exits 10
err_has "missing.yaml: "
it "a folder in a scenario's place"
mkdir folder
pl run folder
exits 10
err_has "folder"
it "a binary file in a scenario's place"
head -c 5000 "$program" >binary
pl run binary
exits 10
err_has "binary"

it "--set of a key that does not exist is refused at its own place"
pl check sum.yaml --set colour=red
exits 10
err_has "colour"
it "--set of a wrong value is refused at its own place"
pl check sum.yaml --set limit=soon
exits 10
err_has "soon"

it "the shipped scenarios are valid"
for s in "$root"/scenarios/*.yaml "$root"/scenarios/*/*.yaml; do
    case $s in */regions/* | */compute/*) continue ;; esac
    pl check "$s"
    exits 0
    out_has "valid"
    err_empty
done
