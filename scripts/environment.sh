# What every build and test command of this tree shares. Sourced, with the repository root as the
# working directory.
# shellcheck shell=bash

export SKIFF_CORPUS=${SKIFF_CORPUS:-$PWD/../shared/corpus}

export UBSAN_OPTIONS=print_stacktrace=1

# In CI, with the corpus there, a test that skips because an official library is missing is a
# failure.
if [[ ${CI:-} == true && -d $SKIFF_CORPUS ]]; then
    export SKIFF_ORACLE_REQUIRED=1
fi
