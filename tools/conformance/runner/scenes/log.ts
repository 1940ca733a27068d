import { LOG_BYTES_MAX } from '@delta-ci/contracts';
import type { Answer } from '../calls.ts';
import { madeLease, say } from '../made-lease.ts';
import type { Scene } from '../stage.ts';
import { printedBetween } from './printed.ts';

const LINES = 2_000;
const numbered = Array.from({ length: LINES }, (_, at) => `line ${at}\n`).join('');

/** A gateway of a later version, which also takes less of each chunk than was sent. */
const piecemeal: Scene = {
  name: 'a newer gateway that takes logs piece by piece',
  judges: ['unknown-fields', 'log-follows-answer'],
  lease: (source) =>
    madeLease(source, [
      `${say('lines-begin')}; i=0; while [ $i -lt ${LINES} ]; do echo "line $i"; i=$((i+1)); done; ${say('lines-end')}; sleep 1`,
    ]),
  play: async (stage) => {
    const { gateway } = stage;
    gateway.instead = (call, usual) => {
      if (call.name === 'requestLease' && !gateway.book.canOffer) return null;
      if (call.name === 'appendLog' && call.body.byteLength > 1) {
        const kept = call.body.subarray(0, Math.ceil(call.body.byteLength / 2));
        return gateway.book.answer({ ...call, body: kept }, gateway.url);
      }
      return newer(usual());
    };
    const report = await stage.report();
    const holds = report?.outcome === 'succeeded';
    const expected = 'a job that succeeds as ever, with answers that have a field more';
    stage.judge('unknown-fields', holds, expected, `${JSON.stringify(report)}; ${stage.state()}`, gateway.heard);
    if (report === null) return;
    const lines = printedBetween(gateway.book.log().toString('latin1'), 'lines-begin', 'lines-end');
    const chunks = gateway.calls('appendLog');
    const seen = lines === null ? 'nothing, or not all of them' : `${lines.length} bytes`;
    stage.judge('log-follows-answer', lines === numbered, `${LINES} lines, ${numbered.length} bytes`, seen, chunks);
  },
};

function newer(answer: Answer): Answer {
  if (answer === 'cut' || answer.body === undefined) return answer;
  return { ...answer, body: { ...answer.body, aFieldOfTomorrow: { of: ['a', 'later', 'version'] } } };
}

const MIB = 1024 ** 2;
const FLOOD_MIB = 70;

const flood: Scene = {
  name: 'a job that prints more than a log holds',
  judges: ['log-capped'],
  lease: (source) => madeLease(source, [`head -c ${FLOOD_MIB * MIB} /dev/zero | tr '\\000' 'x'`, 'true']),
  play: async (stage) => {
    const report = await stage.report();
    const { logBytes } = stage.gateway.book;
    const holds = report?.outcome === 'succeeded' && report.logTruncated && logBytes <= LOG_BYTES_MAX && logBytes > MIB;
    const seen = `${logBytes} bytes came; outcome ${report?.outcome}, logTruncated ${report?.logTruncated}`;
    const expected = `a job that succeeds, with ${LOG_BYTES_MAX} bytes of log at most and logTruncated`;
    stage.judge('log-capped', holds, expected, seen, stage.reports());
  },
};

export const logs: readonly Scene[] = [piecemeal, flood];
