import { HEARTBEAT_MS, madeLease, say } from '../made-lease.ts';
import { refusal } from '../played-gateway.ts';
import { endingText } from '../runner-process.ts';
import type { Scene, Stage } from '../stage.ts';

const LONG_JOB = [`${say('it-works')}; sleep 300; ${say('never-printed')}`];
const STALE = refusal(409, 'stale_lease', 'this lease no longer counts (superseded)', { reason: 'superseded' });
/** In this time a runner that goes on would have said several words. */
const LISTEN_MS = 3_000;

const ofLease = (stage: Stage) => stage.gateway.heard.filter(({ url }) => url.includes('/leases/'));

/** The job prints, heartbeats are sent: it is under way. @returns whether it came to that */
async function underWay(stage: Stage): Promise<boolean> {
  const begun = (): boolean =>
    stage.gateway.book.log().includes('it-works\n') && stage.gateway.calls('heartbeat').length > 0;
  return stage.until(begun);
}

const canceled: Scene = {
  name: 'a cancel',
  judges: ['cancels'],
  lease: (source) => madeLease(source, LONG_JOB),
  play: async (stage) => {
    if (!(await underWay(stage))) return;
    const askedAtMs = performance.now();
    stage.gateway.book.cancelRequested = true;
    const report = await stage.report();
    const [said] = stage.gateway.calls('acknowledgeCancel');
    const tookMs = (said?.atMs ?? Number.POSITIVE_INFINITY) - askedAtMs;
    const holds = report?.outcome === 'canceled' && said !== undefined && tookMs < 10_000;
    const seen = `${
      stage
        .reports()
        .map(({ url }) => url.replace(/.*\//, ''))
        .join(', ') || 'nothing'
    } with the outcome ${report?.outcome ?? 'none'}`;
    const expected = 'POST …/cancel-ack with the outcome canceled, within the ten seconds of the deadline';
    stage.judge('cancels', holds, expected, seen, [...stage.gateway.calls('heartbeat').slice(-2), ...stage.reports()]);
  },
};

/** What was on its way when the answer was given. */
const ON_ITS_WAY_MS = 250;

/** Nothing but what was on its way may come after a word that was refused as stale. */
async function judgeSilence(
  stage: Stage,
  sinceMs: number,
  id: 'lets-go' | 'lost-contact' | 'acknowledged-late' | 'report-refused',
): Promise<void> {
  await stage.pass(LISTEN_MS);
  const late = ofLease(stage).filter(({ atMs }) => atMs > sinceMs + ON_ITS_WAY_MS);
  const seen = () => `${late.length} requests`;
  stage.judge(id, late.length === 0, 'nothing more is said under the lease', seen, late);
}

const staleHeartbeat: Scene = {
  name: 'a lease that was lost, as a heartbeat hears',
  judges: ['lets-go'],
  lease: (source) => madeLease(source, LONG_JOB),
  play: async (stage) => {
    if (!(await underWay(stage))) return;
    stage.gateway.book.stale = 'superseded';
    const told = () =>
      ofLease(stage).find(({ answer }) => answer !== null && answer !== 'cut' && answer.status === 409);
    if (!(await stage.until(() => (told()?.answeredAtMs ?? null) !== null))) return;
    await judgeSilence(stage, told()?.answeredAtMs ?? 0, 'lets-go');
  },
};

const silence: Scene = {
  name: 'a gateway that nobody reaches any more',
  judges: ['lost-contact'],
  lease: (source) => madeLease(source, LONG_JOB, { offer: { ttlMs: 3_000 } }),
  play: async (stage) => {
    if (!(await underWay(stage))) return;
    let away = true;
    stage.gateway.instead = () => (away ? 'cut' : null);
    const lastHeard = stage.gateway.heard.findLast(({ answer }) => answer !== null && answer !== 'cut');
    await stage.pass(3_000 + 2 * HEARTBEAT_MS);
    away = false;
    const backAtMs = performance.now();
    await judgeSilence(stage, backAtMs, 'lost-contact');
    const seen = () => 'it tried no more heartbeats while nobody answered';
    const tried = ofLease(stage).some(({ atMs }) => atMs > (lastHeard?.atMs ?? 0) && atMs < backAtMs);
    stage.judge('lost-contact', tried, 'heartbeats go on until the lease is over', seen);
  },
};

const staleAcknowledgement: Scene = {
  name: 'a lease that was lost before it was acknowledged',
  judges: ['acknowledged-late'],
  lease: (source) => madeLease(source, [say('never-printed')]),
  play: async (stage) => {
    stage.gateway.book.stale = 'expired';
    const told = () => stage.gateway.calls('acknowledgeLease').find(({ answeredAtMs }) => answeredAtMs !== null);
    if (!(await stage.until(() => told() !== undefined))) return;
    await judgeSilence(stage, told()?.answeredAtMs ?? 0, 'acknowledged-late');
    const words = ofLease(stage).filter(({ name }) => name !== 'acknowledgeLease');
    stage.judge('acknowledged-late', words.length === 0, 'nothing runs, nothing is said', 'words of a job', words);
  },
};

const staleReport: Scene = {
  name: 'a report that comes too late',
  judges: ['report-refused'],
  lease: (source) => madeLease(source, ['true']),
  play: async (stage) => {
    stage.gateway.instead = ({ name }) => (name === 'completeAttempt' ? STALE : null);
    const told = () => stage.reports().find(({ answeredAtMs }) => answeredAtMs !== null);
    if (!(await stage.until(() => told() !== undefined))) return;
    await judgeSilence(stage, told()?.answeredAtMs ?? 0, 'report-refused');
  },
};

const endsIdle: Scene = {
  name: 'told to end while it waits',
  judges: ['ends-idle'],
  lease: (source) => madeLease(source, ['true']),
  play: async (stage) => {
    stage.gateway.book.open = false;
    if (!(await stage.until(() => stage.gateway.calls('requestLease').length > 0))) return;
    stage.runner.terminate();
    const gone = await stage.gone();
    const { ending } = stage.runner;
    const holds = gone && ending?.code === 0 && !stage.gateway.book.offered;
    stage.judge('ends-idle', holds, 'exit code 0 within 20 s', endingText(ending), stage.gateway.heard.slice(-3));
  },
};

const endsAtWork: Scene = {
  name: 'told to end while it works',
  judges: ['hands-back'],
  lease: (source) => madeLease(source, [`${say('it-works')}; sleep 4`]),
  play: async (stage) => {
    if (!(await underWay(stage))) return;
    stage.runner.terminate();
    const gone = await stage.gone();
    const report = stage.gateway.book.report as {
      outcome: string;
      infrastructureError: { code: string } | null;
    } | null;
    const ended = report?.outcome === 'succeeded' || report?.infrastructureError?.code === 'runner_shutdown';
    const expected = 'a report, of the job that was finished or with runner_shutdown, and an end within 20 s';
    const seen = `${report === null ? 'no report' : JSON.stringify(report)}; ${endingText(stage.runner.ending)}`;
    stage.judge('hands-back', gone && ended, expected, seen, stage.reports());
  },
};

/** What ends before it would end by itself. */
export const givesUp: readonly Scene[] = [
  canceled,
  staleHeartbeat,
  silence,
  staleAcknowledgement,
  staleReport,
  endsIdle,
  endsAtWork,
];
