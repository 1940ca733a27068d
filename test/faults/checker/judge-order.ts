import type { RecordedEvent } from '@delta-ci/contracts';
import { judgeEach, type Finding } from './invariants.ts';
import { grouped, jobOf, attemptOf, type LogIndex } from './log-index.ts';

/** What may follow the end of a run: it tells of the run and changes nothing. */
const ANNOTATIONS: ReadonlySet<RecordedEvent['type']> = new Set([
  'failure.explained',
  'publication.recorded',
  'run.reported',
  'lease.stale-report-refused',
]);

/** The log as a log: order, ends, and what must not come after them. */
export function judgeOrder(log: LogIndex, head: number): Finding[] {
  return [judgePositions(log, head), judgeVersions(log), judgeEnds(log), judgeAfterEnd(log), judgeDeliveries(log)];
}

function judgePositions({ events }: LogIndex, head: number): Finding {
  const gaps = judgeEach('positions-whole', events.entries(), ([index, { position }]) =>
    position === index + 1 ? null : `record ${index + 1} has position ${position}`,
  );
  const last = events.at(-1)?.position ?? 0;
  return last >= head
    ? gaps
    : { ...gaps, violations: [...gaps.violations, `the head was ${head}, the last is ${last}`] };
}

function judgeVersions({ events }: LogIndex): Finding {
  const streams = grouped(events, ({ stream }) => stream);
  return judgeEach('versions-whole', streams, ([stream, records]) => {
    const at = records.findIndex(({ version }, index) => version !== index + 1);
    return at === -1 ? null : `${stream} has version ${records[at]?.version} in place ${at + 1}`;
  });
}

function judgeEnds(log: LogIndex): Finding {
  const once = [
    ...(['run.created', 'run.finished', 'run.reported'] as const).flatMap((type) =>
      log.of(type).map(({ correlation }) => `${type} ${correlation}`),
    ),
    ...log.of('job.finished').map((event) => `job.finished ${jobOf(event)}`),
    ...log.of('attempt.finished').map((event) => `attempt.finished ${attemptOf(event)}`),
  ];
  return judgeEach(
    'ends-once',
    grouped(once, (name) => name),
    ([name, times]) => (times.length === 1 ? null : `${name}: ${times.length} times`),
  );
}

function judgeAfterEnd(log: LogIndex): Finding {
  const byStream = grouped(log.events, ({ stream }) => stream);
  return judgeEach('nothing-after-end', log.of('run.finished'), ({ stream, position }) => {
    const later = (byStream.get(stream) ?? []).find(
      (event) => event.position > position && !ANNOTATIONS.has(event.type),
    );
    return later === undefined ? null : `${later.type} at ${later.position} after the end of ${stream}`;
  });
}

function judgeDeliveries(log: LogIndex): Finding {
  const delivered = log.of('delivery.accepted').map(({ data }) => `delivery ${data.forge} ${data.deliveryId}`);
  const asked = log.of('run.created').map(({ causation }) => `command ${causation}`);
  return judgeEach(
    'delivery-once',
    grouped([...delivered, ...asked], (name) => name),
    ([name, runs]) => (runs.length === 1 ? null : `${name} led to ${runs.length} runs`),
  );
}
