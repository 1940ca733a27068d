import type { ExplanationLink, SkippedJob } from '@delta-ci/contracts';
import { nameOf } from '../impact/world.ts';
import type { Cut, JobOutline } from './assignments.ts';
import { aboutText } from './step-durations.ts';

/** How a job that is cut in some way is called, and what is said of that. */

/** What a job's key is made of. No unit has an id with an empty part, so what follows `//` is never taken for one. */
export function keyText({ assignment: { unit, kind, way }, cut }: JobOutline): string {
  const place = unit.id === '.' ? [] : [unit.id];
  return [kind, ...place, ...(way === 1 ? [] : [`//way ${way}`]), ...markOf(cut)].join(' ');
}

/** The first of several is called as if it were the only one: its history goes on when their number changes. */
function markOf(cut: Cut): string[] {
  if (cut.kind === 'together') return [`//small${cut.group}`];
  if (cut.kind === 'whole' || cut.number === 1) return [];
  return [cut.kind === 'part' ? `part ${cut.number}` : `//shard ${cut.number}`];
}

/** A job's title and place, without its key. */
export function headOf(outline: JobOutline): Omit<SkippedJob, 'explanation' | 'key'> {
  const { assignment, members, cut } = outline;
  const { unit, kind, way } = assignment;
  const name = unit.name === '.' ? 'the root' : unit.name;
  const title =
    cut.kind === 'together'
      ? `${kind} ${members.length} small units of ${name}${cut.group === '' ? '' : `, group${cut.group}`}`
      : `${kind} ${name}${way === 1 ? '' : ', another way'}${titleMark(cut)}`;
  return { title: title.slice(0, 300), kind, unit: unit.id };
}

function titleMark(cut: Exclude<Cut, { kind: 'together' }>): string {
  if (cut.kind === 'shard') return `, shard ${cut.number} of ${cut.count}`;
  return cut.kind === 'part' && cut.number > 1 ? `, part ${cut.number}` : '';
}

/** What runs, as the subject of a sentence. */
export function subjectOf({ assignment: { kind, unit }, cut }: JobOutline): string {
  if (cut.kind === 'together') return `${kind} small units of ${nameOf(unit)}`;
  const subject = `${kind} ${nameOf(unit)}`;
  if (cut.kind === 'shard') return `${subject}, shard ${cut.number} of ${cut.count},`;
  return cut.kind === 'part' && cut.took !== null ? `${subject}, part ${cut.number} of ${cut.count},` : subject;
}

/** Why the job is cut as it is, as a link and as a sentence; null when durations have nothing to do with it. */
export function whyCut(outline: JobOutline): { readonly link: ExplanationLink; readonly sentence: string } | null {
  const { cut, members } = outline;
  if (cut.kind === 'together') {
    const detail = `none of the ${members.length} takes longer than its start and preparation, ${aboutText(cut.overhead)}`;
    return {
      link: { kind: 'job-rule', rule: 'small jobs run together', detail },
      sentence: `They run together because ${detail}.`,
    };
  }
  if (cut.kind === 'whole' || cut.took === null) return null;
  const took = aboutText(cut.took);
  const by = cut.kind === 'shard' ? `, by ${members[0]?.command.shards?.by ?? ''}` : '';
  return {
    link: {
      kind: 'job-rule',
      rule: cut.kind === 'shard' ? 'a long suite runs in shards' : 'a long suite runs in parts',
      detail: `${cut.kind} ${cut.number} of ${cut.count}${by}, of what takes ${took}`,
    },
    sentence:
      cut.kind === 'shard'
        ? `It is sharded because the suite takes ${took}.`
        : `It runs in parts because the suite takes ${took}.`,
  };
}
