import type { Requirement, Requirements } from '../conformance/requirement.ts';
import { GATEWAY_REQUIREMENTS } from '../conformance/gateway/requirements.ts';
import { RUNNER_REQUIREMENTS } from '../conformance/runner/requirements.ts';
import { generatedFrom, type Generator } from './generator.ts';
import { code, page, table } from './markdown.ts';

/** What the conformance kit looks at, by the sections of the guide. */
export const conformanceGenerator: Generator = {
  title: 'requirements of the conformance kit',
  files: async () => ({
    'docs/reference/runner-requirements.md': await pageOf('runner', RUNNER_REQUIREMENTS),
    'docs/reference/gateway-requirements.md': await pageOf('gateway', GATEWAY_REQUIREMENTS),
  }),
};

function pageOf(who: 'runner' | 'gateway', requirements: Requirements): Promise<string> {
  return page(
    generatedFrom(`\`tools/conformance/${who}/requirements.ts\``),
    `# What a ${who} has to do\n\nEach line is looked at by \`npm run conformance -- ${who}\`; see `,
    `[the guide](../runner-protocol.md#checking-a-${who}). \`--only\` takes an id.\n\n`,
    rowsOf(requirements),
  );
}

function rowsOf(requirements: Requirements): string {
  const rows = Object.entries(requirements).map(([id, requirement]) => [
    code(id),
    requirement.text,
    sectionOf(requirement),
  ]);
  return table(['id', 'requirement', 'section'], rows);
}

const sectionOf = ({ section }: Requirement): string =>
  `[${section}](../runner-protocol.md#${section.toLowerCase().replaceAll(' ', '-')})`;
