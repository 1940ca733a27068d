import type { CompletionReport } from '@delta-ci/contracts';
import { HEARTBEAT_MS, madeLease, say } from '../made-lease.ts';
import { digestOf } from '../lease-book.ts';
import { POOL, type Scene, type Stage } from '../stage.ts';
import { INNER, WIDGET } from '../served-source.ts';
import { printedBetween } from './printed.ts';

/** Long enough for several heartbeats. */
const WORK_S = 3;
/** Bytes that are no text, and what a shell prints for them. */
const BYTES = Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0xc3, 0x28, 0x0a]);
const OCTAL = [...BYTES].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
const ARTIFACT = 'what the job made\n';

/** A job of several steps that all succeed. */
export const work: Scene = {
  name: 'a job that succeeds',
  judges: [
    'registers',
    'acknowledges-first',
    'tests-the-commit',
    'runs-in-order',
    'step-environment',
    'own-environment',
    'heartbeats',
    'phases-forward',
    'log-exact',
    'log-live',
    'log-in-order',
    'sends-artifacts',
    'follows-no-link',
    'completes',
    'reports-log',
    'completes-once',
  ],
  lease: (source) =>
    madeLease(
      source,
      [
        `cat widget.txt; ${say('env-begin')}; env; ${say('env-end')}`,
        { run: `${say('inner-begin')}; cat inner.txt; ${say('inner-end')}`, workdir: 'folder' },
        `${say('bytes-begin')}; printf '${OCTAL}'; ${say('bytes-end')}; sleep ${WORK_S}; ${say('long-over')}`,
        `mkdir out; printf 'what the job made\\n' > out/made.txt; ln -s /etc/passwd out/link.txt`,
      ],
      {
        job: {
          env: { MODE: 'fast and "quoted"' },
          artifacts: [{ type: 'file', path: 'out/*.txt', retentionDays: 7 }],
          // May be passed over: the job is the same without it.
          caches: [{ type: 'deps', key: 'conformance', paths: ['~/.conformance'] }],
        },
      },
    ),
  play: async (stage) => {
    judgeRegistration(stage);
    const report = await stage.report();
    judgeRegistration(stage);
    if (report === null) return;
    judgeLog(stage, report);
    judgeSteps(stage, report);
    judgeArtifacts(stage, report);
    judgeHeartbeats(stage);
  },
};

function judgeRegistration(stage: Stage): void {
  const [first] = stage.gateway.heard;
  if (first === undefined) return;
  const pool = (first.json as { pool?: string } | undefined)?.pool;
  const holds = first.name === 'registerRunner' && pool === POOL;
  const expected = `POST /runner/v1/runners first, with the pool ${POOL}`;
  stage.judge('registers', holds, expected, `${first.method} ${first.url}, pool ${pool ?? 'not named'}`, [first]);
}

function judgeSteps(stage: Stage, report: CompletionReport): void {
  const log = stage.gateway.book.log().toString('latin1');
  stage.judge('tests-the-commit', log.includes(WIDGET), `the log has '${WIDGET}'`, tail(log));
  const inner = printedBetween(log, 'inner-begin', 'inner-end');
  stage.judge(
    'runs-in-order',
    inner === `${INNER}\n`,
    `'${INNER}' of the working directory folder`,
    inner ?? tail(log),
  );
  const codes = report.steps.map(({ name, exitCode }) => `${name}: ${exitCode}`).join(', ');
  const holds =
    report.outcome === 'succeeded' && report.exitCode === 0 && codes === 'step 1: 0, step 2: 0, step 3: 0, step 4: 0';
  const seen = `${report.outcome}, exit code ${report.exitCode}, steps ${codes}; ${JSON.stringify(report.infrastructureError)}`;
  stage.judge('completes', holds, 'succeeded, exit code 0, four steps with 0', seen, stage.reports());
  judgeEnvironment(stage, printedBetween(log, 'env-begin', 'env-end') ?? '');
}

function judgeEnvironment(stage: Stage, printed: string): void {
  const { runId, jobKey, attempt } = stage.offer;
  const wanted = {
    CI: 'true',
    DELTA_RUN_ID: runId,
    DELTA_JOB: jobKey,
    DELTA_ATTEMPT: String(attempt),
    MODE: 'fast and "quoted"',
  };
  const missing = Object.entries(wanted).filter(([name, value]) => !printed.includes(`${name}=${value}\n`));
  const seen = missing.map(([name, value]) => `no ${name}=${value}`).join('; ');
  stage.judge('step-environment', missing.length === 0, 'all of the documented variables', `${seen} in:\n${printed}`);
  const own = ['DELTA_REGISTRATION_TOKEN', 'DELTA_GATEWAY_URL', 'DELTA_DATA_DIR'].filter((name) =>
    printed.includes(`${name}=`),
  );
  stage.judge('own-environment', own.length === 0, 'none of its own variables in a step', () => own.join(', '));
}

function judgeLog(stage: Stage, report: CompletionReport): void {
  const { book } = stage.gateway;
  const log = book.log().toString('latin1');
  const bytes = printedBetween(log, 'bytes-begin', 'bytes-end');
  const expected = `the bytes ${BYTES.toString('hex')}`;
  stage.judge('log-exact', bytes === BYTES.toString('latin1'), expected, () =>
    bytes === null ? `nothing of them in: ${tail(log)}` : Buffer.from(bytes, 'latin1').toString('hex'),
  );
  const chunks = stage.gateway.calls('appendLog');
  const arrived = (word: string) => chunks.find(({ body }) => body.toString('latin1').includes(`${word}\n`))?.atMs;
  const early = arrived('bytes-end') ?? Number.POSITIVE_INFINITY;
  const late = arrived('long-over') ?? Number.POSITIVE_INFINITY;
  const live = late - early > (WORK_S * 1_000) / 2;
  stage.judge('log-live', live, `output is sent while a step of ${WORK_S} s goes on`, 'it came with the end', chunks);
  const behind = chunks.every(({ atMs }) => atMs <= (stage.reports()[0]?.atMs ?? 0));
  const holds = behind && report.logBytes === book.logBytes;
  const seen = `logBytes ${report.logBytes}, ${book.logBytes} bytes came${behind ? '' : ', some behind the report'}`;
  stage.judge('reports-log', holds, 'logBytes is the length of the log, which is complete', seen, stage.reports());
}

function judgeArtifacts(stage: Stage, report: CompletionReport): void {
  const { artifacts } = stage.gateway.book;
  const digest = digestOf(Buffer.from(ARTIFACT));
  const made = artifacts.find(({ name }) => name === 'out/made.txt');
  const named = report.artifacts.find(({ name }) => name === 'out/made.txt');
  const holds =
    made?.digest === digest && named?.digest === digest && named.retentionDays === 7 && named.type === 'file';
  const calls = stage.gateway.calls('uploadArtifact', 'grantUpload', 'recordUpload');
  const expected = 'out/made.txt is sent as a file for 7 days, and is in the report';
  stage.judge('sends-artifacts', holds, expected, `in the report: ${JSON.stringify(report.artifacts)}`, calls);
  const link = artifacts.some(({ name }) => name.includes('link'));
  stage.judge('follows-no-link', !link, 'out/link.txt, a link to /etc/passwd, is left behind', 'it was sent', calls);
}

function judgeHeartbeats(stage: Stage): void {
  const beats = stage.gateway.calls('heartbeat');
  const least = (WORK_S * 1_000) / HEARTBEAT_MS / 2;
  const expected = `at least ${least} heartbeats in a job of ${WORK_S} s with heartbeatMs ${HEARTBEAT_MS}`;
  stage.judge('heartbeats', beats.length >= least, expected, `${beats.length} came`, beats);
}

const tail = (log: string): string => `…${log.slice(-1_000)}`;
