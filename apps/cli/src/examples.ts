/** What each command's help ends with: how it is called, and what its answers mean. */
export const EXAMPLES = {
  delta: `
Examples:
  delta run                  run what the change of this repository needs
  delta why test-cart        why a job runs
  delta why-not docs         why it does not
  delta runs watch run_...   follow a run of a mesh

Exit codes: 0 when all is well, 1 when a job failed, 2 when something was asked that cannot be done,
3 when it could not be judged, 130 when it was interrupted.`,
  run: `
Uncommitted changes count. Without --base, the change is compared with where its branch forked off. As on a runner, jobs reach only
the hosts that their plan names, and have caches; both are summed up at the end.

Examples:
  delta run --base origin/main
  delta run --all --keep-going
  delta run --job test-cart --no-network
  delta run --shell-on-failure
  delta run --secret NPM_TOKEN --has gpu      for jobs that need more than this machine provides by itself
  delta run --json | jq -r 'select(.type == "job-finished") | .job + " " + .outcome'`,
  startRun: `
A push reported by the forge starts a run by itself; this command evaluates any commit, at any time. Without a base, everything runs.

Examples:
  delta runs start
  delta runs start --repository github/demo/shop --ref my-branch
  delta runs start --head 1d0f... --base 9b7c... --title "the release, once more"`,
  plan: `
Examples:
  delta plan --base origin/main
  delta plan --json | jq .plan.jobs[].key
  delta plan --run run_0199f2...`,
  why: `
Examples:
  delta why test-cart
  delta why packages/money/src/index.js
  delta why test-cart --run run_0199f2...`,
  whyNot: `
Examples:
  delta why-not test-greeting
  delta why-not packages/greeting
  delta why-not file:build                 a file that has the same name as a job or a unit`,
  runnerDoctor: `
Everything is tried in sandboxes made for this, and nothing is left behind. Ends with 0 when the default tier can take jobs, and
with 3 when it cannot.

Examples:
  delta runner doctor
  delta runner doctor --json | jq '.host[] | select(.isThere | not)'`,
  whatIf: `
Nothing is run or fetched, and nothing is written to the repository. The digest of the plans is the same on every machine with
the same history.

Examples:
  delta what-if --last 300
  delta what-if --repo ../other.git --ref origin/main --last 1000 --html report.html
  delta what-if --policy delta.yaml --json | jq .policy.selection
  delta what-if --last 300 --why`,
  lint: `
Examples:
  delta lint
  delta lint path/to/delta.yaml --json`,
  recipes: `
Delta commits nothing: it prints a patch, and you decide whether to apply it.

Examples:
  delta recipes list --repository github/demo/shop
  delta recipes show rcp_0199f2...
  delta recipes patch rcp_0199f2... | git apply`,
  caches: `
A removal from a mesh is recorded in its log, with who removed it and why.

Examples:
  delta caches list --repository github/demo/shop
  delta caches list --local
  delta caches remove npm-packages-linux-... --local --repository .
  delta caches remove npm-packages-linux-... --repository github/demo/shop --reason "built with the wrong flags"`,
  parked: `
Retrying or dropping a message is recorded in the log, with who did it.

Examples:
  delta parked list
  delta parked retry 12 --reason "the planner is mended"
  delta parked drop 12`,
  auditVerify: `
Hashes are recomputed and signatures checked here: neither the gateway nor the database is trusted. Ends with 1
when the log is not as it was recorded, and with 3 when no trusted key signed any of it.

Examples:
  delta audit verify
  delta audit verify --from 120000
  delta audit verify --run run_0199f2...
  delta audit verify --database-url postgres://reader@db/delta --checkpoints /mnt/store/checkpoints --keys ./keys`,
  auditExport: `
Examples:
  delta audit export --run run_0199f2... --out run.bundle`,
  auditCheck: `
The head of the file says how to do the same by hand with sha256sum and openssl.

Examples:
  delta audit check run.bundle --keys ./keys
  delta audit check run.bundle --key-id 2f1c...`,
  attest: `
Ends with 0 when the file is signed, 1 when the log is not as recorded, 3 when no checkpoint covers the run yet.

Examples:
  delta attest run_0199f2... --output run.attestation.json
  delta attest verify run.attestation.json`,
  attestVerify: `
Needs no network and no mesh. Ends with 0 when the file is as signed, 1 when it is not, 3 when no trusted key signed it.

Examples:
  delta attest verify run.attestation.json --keys ./keys
  delta attest verify run.attestation.json --json | jq '.statement.predicate.notRun'`,
  at: `
Examples:
  delta at 1200
  delta at 2026-01-31T12:00:00Z --json | jq .queue
  delta at 1200 --job run_0199f2.../test-cart`,
  durations: `
For each step: the median of the last nine trusted runs in which it succeeded, and how many there were.

Examples:
  delta durations github/demo/shop
  delta durations github/demo/shop --json > durations.json
  delta what-if --durations durations.json --last 300`,
  ledger: `
AT MOST: the largest share of changes in which a failure may escape the optimisation, at 95 % confidence.

Examples:
  delta ledger github/demo/shop
  delta ledger github/demo/shop --json | jq '.optimisations[] | select(.on | not)'`,
  replay: `
Ends with 0 when everything is as recorded, 1 when something differs, 3 when it could not be judged.

Examples:
  delta replay run_0199f2...
  delta replay --verify
  delta replay --verify --database-url postgres://delta_reader_...@db.example.org/delta`,
  artifacts: `
Existing files are not replaced without --force, and a file whose digest is not the recorded one is not kept.
Names are chosen by the job. A name that begins with a dot is saved only into a directory that is new or empty, and a file HEAD,
which can make a directory look like a repository to git, is saved nowhere. One such name, and nothing is saved at all.

Examples:
  delta artifacts list run_0199f2...
  delta artifacts get run_0199f2.../test-cart --output reports
  delta artifacts get run_0199f2.../test-cart/1 coverage/lcov.info --force`,
  debug: `
This is a run of its own that counts for nothing: no check shows it, nothing is learned or kept from it, and it has no secrets,
whatever the change. Who asked, why, and how it ended is in the log; what the shell shows is the log of the attempt.

Examples:
  delta debug run_0199f2.../test-cart --reason "fails since Monday, and not here"
  delta debug run_0199f2.../test-cart/2 --minutes 30 --reason "only the second try failed"`,
  logs: `
On a terminal the job's colours stay and its other escape sequences are left out, unless --raw is given; piped output is what the
job wrote.

Examples:
  delta logs run_0199f2... test-cart -f --tail 20
  delta logs run_0199f2... test-cart#L120-L130
  delta logs run_0199f2... test-cart --lines 100-200 --json
  delta logs run_0199f2... test-cart --attempt 1 > test-cart.log`,
} as const;
