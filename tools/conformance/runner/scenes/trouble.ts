import type { Answer, CallName, HeardCall } from '../calls.ts';
import { madeLease, say } from '../made-lease.ts';
import { busy } from '../played-gateway.ts';
import type { RunnerRequirement } from '../requirements.ts';
import type { Scene, Stage } from '../stage.ts';

/** What becomes of the first calls of a name. `lost`: heard and done, and the answer lost. `away`: neither. `none`: no work. */
type Trouble = 'lost' | 'away' | 'none' | { readonly status: 429 | 503; readonly retryAfterS: number };

const LATER: Trouble = { status: 503, retryAfterS: 2 };

const TROUBLES: Readonly<Partial<Record<CallName, readonly Trouble[]>>> = {
  registerRunner: ['away', LATER],
  requestLease: ['away', { status: 429, retryAfterS: 2 }, 'none'],
  acknowledgeLease: ['lost'],
  heartbeat: ['away', { status: 503, retryAfterS: 1 }],
  appendLog: ['lost', 'away'],
  uploadArtifact: ['lost'],
  completeAttempt: ['lost', LATER],
};

/** Every call fails at first, as on a bad day: what is repeated is judged, and how. */
export const badDay: Scene = {
  name: 'a gateway that is away, busy, and loses answers',
  judges: [
    'registers-patiently',
    'polls-again',
    'polls-patiently',
    'acknowledges-again',
    'heartbeat-trouble',
    'log-again',
    'artifact-again',
    'completes-again',
  ],
  lease: (source) =>
    madeLease(
      source,
      [`${say('first-line')}; sleep 2; ${say('second-line')}; sleep 2; ${say('third-line')}; echo made > made.txt`],
      { job: { artifacts: [{ type: 'file', path: 'made.txt', retentionDays: 1 }] } },
    ),
  play: async (stage) => {
    const left = new Map(Object.entries(TROUBLES).map(([name, troubles]) => [name, [...troubles]]));
    stage.gateway.instead = (call, usual) => {
      const next = left.get(call.name)?.shift();
      return next === undefined ? null : misanswer(next, usual);
    };
    const report = await stage.report();
    judgeRepeats(stage, 'registerRunner', 'registers-patiently');
    judgePatience(stage, 'registerRunner', 'registers-patiently');
    judgePatience(stage, 'requestLease', 'polls-patiently');
    judgeRepeats(stage, 'requestLease', 'polls-again');
    judgeRepeats(stage, 'acknowledgeLease', 'acknowledges-again');
    if (report === null) return;
    judgeRepeats(stage, 'completeAttempt', 'completes-again');
    judgePatience(stage, 'completeAttempt', 'completes-again');
    judgeRepeats(stage, 'uploadArtifact', 'artifact-again');
    judgeHeartbeats(stage);
    judgeLog(stage);
    const { artifacts } = stage.gateway.book;
    const expected = 'one artifact made.txt, in spite of the answer that was lost';
    stage.judge(
      'artifact-again',
      artifacts.length === 1 && report.artifacts.length === 1,
      expected,
      `${artifacts.length} came, ${report.artifacts.length} in the report`,
    );
  },
};

function misanswer(trouble: Trouble, usual: () => Answer): Answer {
  if (trouble === 'away') return 'cut';
  if (trouble === 'none') return { status: 204 };
  if (trouble !== 'lost') return busy(trouble.status, trouble.retryAfterS);
  usual();
  return 'cut';
}

/** A millisecond of the timers of two processes, and rounding. */
const EARLY_MS = 50;

/** Repeated until it is answered, with the same content. */
function judgeRepeats(stage: Stage, name: CallName, id: RunnerRequirement): void {
  const calls = stage.gateway.calls(name);
  const [first] = calls;
  if (first === undefined) return;
  const again = calls.length > (TROUBLES[name]?.length ?? 0);
  const seen = () => `it came ${calls.length} times; ${stage.state()}`;
  stage.judge(id, again, 'it comes again until it is answered', seen, calls);
  const same = calls.every(({ body, url }) => body.equals(first.body) && url === first.url);
  if (name !== 'requestLease') stage.judge(id, same, 'the same content each time', 'other content', calls);
}

/** Not repeated before it was told to. */
function judgePatience(stage: Stage, name: CallName, id: RunnerRequirement): void {
  const calls = stage.gateway.calls(name);
  for (const [at, call] of calls.entries()) {
    const next = calls[at + 1];
    const told = retryAfterMs(call);
    if (next === undefined || told === null) continue;
    const waited = next.atMs - (call.answeredAtMs ?? 0);
    const expected = `nothing before Retry-After (${told} ms) is over`;
    stage.judge(id, waited >= told - EARLY_MS, expected, `again after ${Math.round(waited)} ms`, [call, next]);
  }
}

function retryAfterMs({ answer }: HeardCall): number | null {
  const header = answer === null || answer === 'cut' ? undefined : answer.headers?.['retry-after'];
  return header === undefined ? null : Number(header) * 1_000;
}

function judgeHeartbeats(stage: Stage): void {
  const beats = stage.gateway.calls('heartbeat');
  const seen = `${beats.length} heartbeats, of which ${TROUBLES.heartbeat?.length ?? 0} failed`;
  const holds = beats.length > (TROUBLES.heartbeat?.length ?? 0) && stage.gateway.book.report !== null;
  stage.judge('heartbeat-trouble', holds, 'heartbeats go on, and the job is reported', seen, beats);
}

function judgeLog(stage: Stage): void {
  const log = stage.gateway.book.log().toString();
  const chunks = stage.gateway.calls('appendLog');
  const [lost] = chunks;
  const again = chunks.slice(1).some(({ query }) => query['offset'] === lost?.query['offset']);
  stage.judge('log-again', again, 'the chunk whose answer was lost comes again at its offset', 'it did not', chunks);
  const counts = ['first-line', 'second-line', 'third-line'].map((word) => log.split(`${word}\n`).length - 1);
  const seen = `they are there ${counts.join(', ')} times`;
  stage.judge('log-again', counts.join() === '1,1,1', 'each line of output once', seen, chunks);
}
