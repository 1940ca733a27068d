import {
  COMMAND_DATA,
  COMMAND_NAMES,
  COMMAND_RESULT,
  EVENT_DATA,
  EVENT_TYPES,
  REFUSALS,
  REFUSAL_CODES,
  REPORT_DATA,
  REPORT_KINDS,
  type EventType,
} from '@delta-ci/contracts';
import { ATTEMPT_MACHINE, JOB_MACHINE, LEASE_MACHINE, RUN_MACHINE } from '@delta-ci/domain';
import type { z } from 'zod';
import { generatedFrom, type Generator } from './generator.ts';
import { code, page, table } from './markdown.ts';
import { COMMAND_MEANINGS, EVENT_MEANINGS, REPORT_MEANINGS } from './meanings.ts';
import { membersOf } from './schema-shape.ts';

/** Events, commands, reports and refusals as tables for those who integrate. */
export const languageGenerator: Generator = {
  title: 'events, commands, reports, refusals',
  files: async () => ({
    'docs/reference/events.md': await eventsPage(),
    'docs/reference/commands.md': await commandsPage(),
    'docs/reference/refusals.md': await refusalsPage(),
  }),
};

function eventsPage(): Promise<string> {
  const rows = EVENT_TYPES.map((type) => [
    code(type),
    EVENT_MEANINGS[type],
    movedBy(type).join(', '),
    membersText(EVENT_DATA[type]),
  ]);
  return page(
    generatedFrom('`libs/contracts/src/events.ts`'),
    '# Events\n\nWhat the orchestrator accepted as having happened, by type, with the members of `data`. Names with a ',
    'capital letter are schemas of `libs/contracts`. The third column names the [machines](../state-machines.md) an ',
    'event moves; an event that moves none adds to what is known.\n\n',
    table(['event', 'meaning', 'moves', 'data'], rows),
  );
}

function commandsPage(): Promise<string> {
  const commands = COMMAND_NAMES.map((name) => [
    code(name),
    COMMAND_MEANINGS[name],
    membersText(COMMAND_DATA[name]),
    membersText(COMMAND_RESULT[name]),
  ]);
  const reports = REPORT_KINDS.map((kind) => [code(kind), REPORT_MEANINGS[kind], membersText(REPORT_DATA[kind])]);
  return page(
    generatedFrom('`libs/contracts/src/commands.ts` and `reports.ts`'),
    '# Commands and reports\n\n## Commands\n\nWhat may be asked of the orchestrator, on `delta.commands.<name>`. The ',
    'sender chooses the id; repeating it returns the first answer. A command is answered with its result or a ',
    '[refusal](refusals.md).\n\n',
    table(['command', 'meaning', 'data', 'result'], commands),
    '## Reports\n\nWhat services say happened, on `delta.reports.<kind>.<id>`. A report becomes an ',
    '[event](events.md) only when the orchestrator accepts it.\n\n',
    table(['report', 'meaning', 'data'], reports),
  );
}

function refusalsPage(): Promise<string> {
  const rows = REFUSAL_CODES.map((name) => [code(name), String(REFUSALS[name].status), REFUSALS[name].meaning]);
  return page(
    generatedFrom('`libs/contracts/src/refusals.ts`'),
    '# Refusals\n\nEvery reason for a no, as `error.code` of an HTTP answer and as `refusal.code` of a command’s. The ',
    'list is closed. `stale_lease` says in `details.reason` what became of the lease: `expired`, `revoked`, `superseded` ',
    'by a newer fence, or `unknown`.\n\n',
    table(['code', 'HTTP status', 'meaning'], rows),
  );
}

function membersText(schema: z.core.$ZodType): string {
  return membersOf(schema).map(code).join('<br>');
}

function movedBy(type: EventType): string[] {
  return [RUN_MACHINE, JOB_MACHINE, ATTEMPT_MACHINE, LEASE_MACHINE]
    .filter(({ triggers }) => triggers.some((trigger) => trigger === type || trigger.startsWith(`${type} (`)))
    .map(({ name }) => name);
}
