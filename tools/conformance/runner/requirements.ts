import { under } from '../requirement.ts';

/** What a runner has to do, in the order of `docs/runner-protocol.md`. */
export const RUNNER_REQUIREMENTS = {
  ...under('Speaking', {
    'well-formed': 'Every request has the documented path, content type, query and body.',
    'right-token': 'The registration token opens the registration, the own token everything else.',
    'unknown-fields': 'Fields of an answer that it does not know are passed over.',
    'unknown-codes':
      'A refusal with a code that it does not know is judged by its status, and no Retry-After has it outwait its lease.',
    'keeps-secrets': 'No token, lease id or secret is in what it sends, but where the protocol has its place.',
  }),
  ...under('Registering', {
    registers: 'It registers before anything else, for its pool, and says what it offers.',
    'registers-patiently': 'A gateway that is not ready is asked again, and not before its Retry-After is over.',
    'takes-no':
      'A registration that is refused, or not known to the gateway, is not repeated: it ends with a code of failure.',
    'renews-token': 'Its token is renewed before it runs out, and the new one is used from then on.',
  }),
  ...under('Waiting for work', {
    'polls-again': 'When there was no work it asks again; a request that was cut off is repeated.',
    'polls-patiently': 'When it is told to come later (429, 503) it does not ask before Retry-After is over.',
    'polls-once': 'It asks for one lease at a time, and for none while it holds one.',
    'ends-idle': 'Told to end (SIGTERM) while it waits, it ends with code 0 and takes nothing.',
  }),
  ...under('Taking the lease', {
    'acknowledges-first':
      'It acknowledges the lease within the acceptance time, and nothing of the job runs or is said before.',
    'acknowledges-again': 'An acknowledgement whose answer was lost is repeated.',
    'acknowledged-late': 'An acknowledgement that is refused as stale ends it: nothing runs, nothing more is said.',
    'refuses-what-it-lacks':
      'A job that needs what it cannot give is not run without: it is reported as an infrastructure error.',
  }),
  ...under('The source', {
    'tests-the-commit': 'Steps find the files of exactly the offered commit, wherever its branch is by now.',
    'tree-is-checked': 'A commit whose tree is not the offered one is not run: infrastructure error tree_mismatch.',
    'source-is-there': 'A commit that cannot be had is an infrastructure error source_unavailable.',
    'source-token': 'The token of a source is shown to its repository, and is nowhere the job can see it.',
  }),
  ...under('The steps', {
    'runs-in-order': 'Steps run in order by /bin/sh -e, each in its working directory, until one fails.',
    'independent-steps': 'Independent steps run all, also when one of them fails; the first that failed decides.',
    'step-environment': 'Steps find CI, DELTA_RUN_ID, DELTA_JOB, DELTA_ATTEMPT, what the job sets, and its secrets.',
    'own-environment': 'Nothing of the runner’s own environment is in that of a step.',
    'stops-in-time': 'A job that uses up its time is stopped with all its processes: timed_out.',
    'stops-when-idle': 'A step that prints nothing for as long as its job allows is stopped: timed_out.',
  }),
  ...under('Heartbeats', {
    heartbeats: 'While it holds the lease it sends a heartbeat every heartbeatMs, whatever the job does.',
    'phases-forward': 'Phases go forward only: starting, running, uploading.',
    'heartbeat-trouble': 'A heartbeat that fails does not end the job; the next one is sent.',
    cancels:
      'Asked to cancel in the answer to a heartbeat, it stops the job and acknowledges that within the deadline.',
    'lets-go': 'When a word is refused as stale it stops the job and says nothing more under that lease.',
    'lost-contact': 'When nobody answered for as long as the lease lives it stops the job and says nothing more.',
  }),
  ...under('The log', {
    'log-exact': 'The log holds the output of the steps byte for byte, in order.',
    'log-live': 'It is sent while the job runs, not at its end.',
    'log-in-order': 'Each chunk begins where the last one ended, and has one MiB at most.',
    'log-again': 'A chunk whose answer was lost is sent again at the same offset.',
    'log-follows-answer': 'It goes on at the offset that the answer names, also when that is less than was sent.',
    'log-capped': 'A log ends at 64 MiB, the job goes on, and the report says that it was cut.',
    masks: 'Secrets are masked in the log, each line of them too, wherever chunks begin and end.',
    'masks-encoded': 'So are they in base64, in hexadecimal, and escaped for a URL.',
  }),
  ...under('Artifacts', {
    'sends-artifacts': 'Files that the job asks for are sent with their digest, type and days, and reported.',
    'follows-no-link': 'What a link leads to is not sent.',
    'artifact-again': 'An artifact whose answer was lost is sent again.',
    'artifact-refused': 'An artifact that is refused is left out of the report, and changes nothing of the outcome.',
    'granted-upload': 'A granted upload is sent by exactly the granted requests, without its token, and then recorded.',
    'grant-over': 'When a granted request is refused it asks for another grant, or sends through the gateway.',
  }),
  ...under('The report', {
    completes: 'It reports how the attempt ended: outcome, exit code, and each step that ran with its own.',
    'reports-signal': 'A step that died of a signal is reported with the signal’s name, and the job as failed.',
    'reports-log': 'The report comes behind the last byte of the log, and says how long the log is.',
    'completes-again': 'A report whose answer was lost, or that was to come later, is repeated with the same content.',
    'completes-once': 'When the report was taken it says nothing more under that lease.',
    'report-refused': 'A report that is refused as stale is not repeated.',
    'hands-back':
      'Told to end (SIGTERM) while it works, it finishes the job or hands it back (runner_shutdown), and ends.',
  }),
};

export type RunnerRequirement = keyof typeof RUNNER_REQUIREMENTS;
