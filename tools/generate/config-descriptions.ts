/** What an editor shows beside a key of the config file. `*` stands for any name or any entry of a list. */
export const CONFIG_DESCRIPTIONS: Readonly<Record<string, string>> = {
  version: 'Version of this file’s shape.',
  jobs: 'What runs, by name. Names are lower-case and appear in URLs and checks.',
  'jobs.*.image':
    'Image whose files the steps see in place of the runner’s own: a name with a tag or a digest, or rootfs:NAME for a root file system that the operator named. A runner that is not offered it refuses the job.',
  'jobs.*.toolchain': 'Toolchain the steps need instead of an image, for example node@24.',
  'jobs.*.runs_on': 'Labels a runner must have to take the job.',
  'jobs.*.workdir': 'Folder the steps run in, from the repository’s root.',
  'jobs.*.needs': 'Jobs that must succeed, or be allowed to fail, before this one starts.',
  'jobs.*.source':
    'What the checkout of this job brings beside the files of the commit; replaces what the file says for all.',
  'jobs.*.source.submodules': 'true: submodules of the commit; recursive: theirs too.',
  'jobs.*.source.lfs': 'Files of Git LFS in place of their pointers.',
  'jobs.*.steps': 'Command lines, run one after the other by a shell that stops at the first failure.',
  'jobs.*.paths': 'Files the job is about. Narrows what a change would run, never widens it.',
  'jobs.*.matrix':
    'Values to run the job with, one job for each combination. {matrix:NAME} stands for one in image, toolchain, runs_on, workdir, env, services, artifacts and caches; steps have it as $MATRIX_NAME.',
  'jobs.*.env': 'Environment variables with literal values.',
  'jobs.*.secrets': 'Names of secrets the job gets; withheld from untrusted changes.',
  'jobs.*.id_tokens':
    'Tokens by which the job proves who it is, by the variable that holds each; withheld from untrusted changes.',
  'jobs.*.id_tokens.*.aud': 'For whom the token is: one audience, or several.',
  'jobs.*.services':
    'What runs beside the job, by the host name under which it is reached; at most 10. No runner offers services yet: a mesh refuses the plan of a job that names any, and `delta run` does not run the job.',
  'jobs.*.services.*.image': 'Image of the service, with a tag or a digest.',
  'jobs.*.services.*.ports': 'Ports on which it listens.',
  'jobs.*.services.*.env': 'Environment variables of the service.',
  'jobs.*.services.*.health': 'When the service counts as ready; without it, as soon as it was started.',
  'jobs.*.services.*.health.command': 'Command line that succeeds in the service’s container once it is ready.',
  'jobs.*.services.*.health.timeout_seconds': 'How long that may take; 60 unless said otherwise.',
  'jobs.*.artifacts': 'Files to keep after the job.',
  'jobs.*.artifacts.*.type':
    'junit and coverage reports are read; file is only kept; folder keeps all files of a folder as one archive, FOLDER.tar.',
  'jobs.*.artifacts.*.path': 'Which files, as a pattern from the repository’s root; for folder its path.',
  'jobs.*.artifacts.*.retention_days': 'Days to keep them.',
  'jobs.*.caches': 'Folders to keep between runs, for trusted changes.',
  'jobs.*.caches.*.type': 'deps: what was downloaded; build: what was made.',
  'jobs.*.caches.*.key': 'Name of the entry; {hash:FILE} stands for the id of the content of a file.',
  'jobs.*.caches.*.paths': 'Folders that belong to the entry.',
  'jobs.*.policy': 'How the job is governed.',
  'jobs.*.policy.required': 'Whether the run fails when the job does not succeed.',
  'jobs.*.policy.allow_failure':
    'Whether jobs that need this one may go on when it fails; the run does not fail by it, so the job cannot be required as well.',
  'jobs.*.policy.retries':
    'Further attempts after failures that are the infrastructure’s. Failing tests are not retried.',
  'jobs.*.policy.retry_timeouts': 'Whether an attempt that ran out of time counts as one to retry.',
  'jobs.*.policy.timeout_seconds': 'How long one attempt may take.',
  'jobs.*.policy.idle_timeout_seconds':
    'How long a step may print nothing before it is stopped; 1800 unless said otherwise.',
  'jobs.*.policy.priority': 'Higher goes first; 0 is ordinary.',
  policies: 'How runs of this repository are governed.',
  'policies.runs': 'How each run is governed.',
  'policies.runs.cancel_superseded': 'Whether a newer head of the same branch or pull request cancels the older run.',
  'policies.runs.max_runtime_seconds': 'How long a run may take.',
  'policies.runs.max_concurrency': 'Attempts of one run that may be queued or running at a time.',
  'policies.runs.fail_fast': 'Whether jobs that have not started are canceled when a required job fails.',
  'policies.shadow': 'The shadow ledger: of a sample of changes, what is left out runs too and decides nothing.',
  'policies.shadow.rate': 'Share of the trusted changes that are sampled: 0 is none, 1 is all.',
  'policies.shadow.max_escape_rate':
    'A rule by which failures may escape in a larger share of the changes switches itself off.',
  'policies.shadow.min_samples': 'Samples before which the missing ones count as if nothing had escaped.',
  limits:
    'What each job may use, within what the installation allows. Of an untrusted change no more than any job gets, or than the base has given.',
  'limits.cpu': 'Processors, for example "2" or "0.5".',
  'limits.memory': 'Memory, for example 4Gi.',
  'limits.disk': 'Disk, for example 20Gi.',
  egress: 'What jobs may reach over the network.',
  source:
    'What checkouts bring beside the files of the commit, for all jobs that say nothing else; nothing unless asked for.',
  'source.submodules': 'true: submodules of the commit; recursive: theirs too.',
  'source.lfs': 'Files of Git LFS in place of their pointers.',
  'egress.allow': 'Hosts jobs may reach.',
};
