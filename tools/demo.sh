#!/bin/sh
# The flagship: five people at home, behind five kinds of NAT, find out who is richest.
set -eu
cd "$(dirname "$0")/.."
scenario=scenarios/millionaires_at_home.yaml
echo
echo "Five parties at home, behind five kinds of NAT, compute who is richest, and learn nothing else."
echo "The same protocol over every transport: who gets through, what it costs, what it gives away."
echo
./partyline run $scenario
dir=$(./partyline run $scenario --dry-run | sed -n 's/.* trials in world .* into //p')
report=$(./partyline report "$dir")
echo
echo "The report, with plots: $(pwd)/$report"
echo
echo "Next:  ./partyline show $scenario   the experiment, every default"
echo "       ./partyline list                                           what there is"
echo "       ./partyline run scenarios/auction.yaml                     another one"
