import type { Requirement, Requirements } from '../conformance/requirement.ts';
import { RUNNER_REQUIREMENTS } from '../conformance/runner/requirements.ts';
import { generatedFrom, type Generator } from './generator.ts';
import { code, page, table } from './markdown.ts';

/** What the conformance kit looks at, by the sections of the guide. */
export const runnerRequirementsGenerator: Generator = {
  title: 'requirements of the conformance kit',
  files: async () => ({
    'docs/reference/runner-requirements.md': await page(
      generatedFrom('`tools/conformance/runner/requirements.ts`'),
      '# What a runner has to do\n\nEach line is looked at by `npm run conformance -- runner`; see ',
      '[the guide](../runner-protocol.md#checking-a-runner). `--only` takes an id.\n\n',
      rowsOf(RUNNER_REQUIREMENTS),
    ),
  }),
};

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
