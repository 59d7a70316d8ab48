# web_mpc: surveys at the command line: over what they run, what attacks come to, and what is
# refused beforehand.
. "$(dirname "$0")/lib"

it "study/survey.yaml: a thousand over a working week, in seconds"
pl run "$root/scenarios/study/survey.yaml" --quiet --out survey
exits 0

it "two squares would not fit the field, and the arithmetic is shown"
pl check "$root/scenarios/smoke/web_mpc.yaml" --set protocol.max=1073741823
exits 10
err_has "8 input parties x max 1073741823 squared"

it "a value above max is refused at its line"
pl check "$root/scenarios/smoke/web_mpc.yaml" --set protocol.max=700
exits 10
err_has "expected a value of 0 .. 610"

it "a survey withholds what would show a cohort of one"
pl run "$root/scenarios/smoke/web_mpc.yaml" --set protocol.min_cohort=5 --out small
exits 0
out_has "cohorts 1: withheld"
out_has "cohorts 1+2 (8): mean"
