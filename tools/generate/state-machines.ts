import {
  ATTEMPT_MACHINE,
  isTerminal,
  JOB_MACHINE,
  LEASE_MACHINE,
  RUN_MACHINE,
  statesOf,
  type Machine,
} from '@delta-ci/domain';
import { generatedFrom, type Generator } from './generator.ts';
import { code, page, table } from './markdown.ts';

/** What people should know of a machine before they read its diagram. */
const PROSE: Readonly<Record<'run' | 'job' | 'attempt' | 'lease', string>> = {
  run:
    'One evaluation of one change. It finishes `succeeded`, `failed`, `canceled` or `timed_out`, once. A plan without ' +
    'jobs finishes `succeeded` from `queued`. That the forge shows the final state (`run.reported`) is a fact about a ' +
    'finished run, not a state.',
  job:
    'A node of the plan. It is ready when all it needs have succeeded or are allowed to fail, and active from its first ' +
    'queued attempt on: a retry is one more attempt of a job that stays active. It finishes `succeeded`, `failed`, ' +
    '`canceled`, `timed_out`, or `skipped` when a job it needs did not succeed.',
  attempt:
    'One execution of a job by one runner. Progress is optional: a quick job finishes from `starting`. A queued attempt ' +
    'is nobody’s yet and is canceled at once; every other one is asked to stop, with a deadline. It finishes ' +
    '`succeeded`, `failed`, `canceled`, `timed_out`, or `lost` when its runner was.',
  lease:
    'The right of one runner to one attempt. A report counts only while the lease is live (`granted` or `active`); ' +
    'afterwards it is refused with the reason and changes nothing. `attempt.finished` ends a live lease with the ' +
    'runner’s own report; a lease that expired or was revoked ended before its attempt did.',
};

export const stateMachinesGenerator: Generator = {
  title: 'state machines',
  files: async () => ({ 'docs/state-machines.md': await stateMachinesPage() }),
};

function stateMachinesPage(): Promise<string> {
  return page(
    generatedFrom('the tables in `libs/domain/src/machines`'),
    '# State machines\n\n',
    'The tables below move the state in production, in replay and in the tests: what they do not list cannot happen. ',
    'An arrow is labelled with the event that makes the step. Events only add to a log, so every machine moves forward ',
    'only, and nothing leaves a final state.\n\n',
    section(RUN_MACHINE, PROSE.run),
    section(JOB_MACHINE, PROSE.job),
    section(ATTEMPT_MACHINE, PROSE.attempt),
    section(LEASE_MACHINE, PROSE.lease),
  );
}

function section<S extends string, T extends string>(machine: Machine<S, T>, prose: string): string {
  const title = `${machine.name.charAt(0).toUpperCase()}${machine.name.slice(1)}`;
  return `## ${title}\n\n${prose}\n\n${diagram(machine)}${transitionTable(machine)}`;
}

/** The machine in Mermaid's language; steps between the same two states share an arrow. */
function diagram<S extends string, T extends string>(machine: Machine<S, T>): string {
  const arrows = statesOf(machine).flatMap((state) =>
    isTerminal(machine, state) ? [`${state} --> [*]`] : arrowsFrom(machine, state),
  );
  const lines = [`[*] --> ${machine.birth.to}: ${machine.birth.on}`, ...arrows];
  return `\`\`\`mermaid\nstateDiagram-v2\n${lines.map((line) => `    ${line}\n`).join('')}\`\`\`\n\n`;
}

function arrowsFrom<S extends string, T extends string>(machine: Machine<S, T>, state: S): string[] {
  const triggersTo = new Map<S, T[]>();
  for (const trigger of machine.triggers) {
    const next = machine.transitions[state][trigger];
    if (next !== undefined) triggersTo.set(next, [...(triggersTo.get(next) ?? []), trigger]);
  }
  return [...triggersTo].map(([next, triggers]) => `${state} --> ${next}: ${triggers.join(', ')}`);
}

function transitionTable<S extends string, T extends string>(machine: Machine<S, T>): string {
  const rows = statesOf(machine).map((state) => [
    code(state),
    ...machine.triggers.map((trigger) => machine.transitions[state][trigger] ?? ''),
  ]);
  const birth = ['', ...machine.triggers.map((trigger) => (trigger === machine.birth.on ? machine.birth.to : ''))];
  return table(['in state', ...machine.triggers.map((trigger) => code(trigger))], [birth, ...rows]);
}
