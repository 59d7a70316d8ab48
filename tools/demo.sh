#!/bin/sh
# The flagship: five people on three continents find out who is richest.
set -eu
cd "$(dirname "$0")/.."
echo
echo "Five parties in five regions compute who is richest, and learn nothing else."
echo "The same protocol runs over every transport; this is what each costs:"
echo
./partyline run scenarios/millionaires.yaml
echo
echo "Next:  ./partyline show scenarios/millionaires.yaml     the experiment, every default"
echo "       ./partyline list                                 what there is"
echo "       ./partyline run scenarios/auction.yaml           another one"
