import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { explainSubject, type Plan } from '@delta-ci/contracts';
import { measured } from '../construction/measured.fixture.ts';
import { inputsFor, planned, type Files } from '../planned-repository.fixture.ts';
import { SHOP, json, shopPackage } from '../shop.fixture.ts';

/**
 * What people read of a plan, for changes that happen everywhere. The texts lie beside this file as `*.story.txt`;
 * `UPDATE_STORIES=1` writes them anew, and the difference is then there to be read.
 */

const AFTER_MONEY: Files = {
  ...SHOP,
  'packages/money/src/index.js': 'other\n',
  'packages/money/test/money.test.js': 'more\n',
};

const LIBRARY: Files = {
  'go.work': 'go 1.24\nuse (\n\t./api\n\t./store\n\t./tool\n)\n',
  'api/go.mod': 'module example.org/api\ngo 1.24\nrequire example.org/store v0.0.0\n',
  'api/main.go': 'package main\nimport "example.org/store"\n',
  'api/main_test.go': 'package main\n',
  'api/routes/routes.go': 'package routes\n',
  'store/go.mod': 'module example.org/store\ngo 1.24\n',
  'store/store.go': 'package store\n',
  'tool/go.mod': 'module example.org/tool\ngo 1.24\n',
  'tool/main.go': 'package main\n',
};

/** Money is tested with what checks sums, and the cart is made of money. */
const CHECKED: Files = {
  ...SHOP,
  'packages/money/package.json': shopPackage('money', {}, { devDependencies: { '@shop/sums': '1.0.0' } }),
  'packages/sums/package.json': shopPackage('sums', {}),
};

/** The greeting is a website by now, whose tests take their time. */
const WEBSITE: Files = {
  ...SHOP,
  'packages/greeting/package.json': shopPackage('greeting', {}, { scripts: { test: 'vitest run' } }),
  'package.json': json({
    name: 'shop',
    private: true,
    workspaces: ['packages/*'],
    devDependencies: { vitest: '^3.0.0' },
  }),
  ...Object.fromEntries(
    Array.from({ length: 40 }, (_, at) => [`packages/greeting/test/page-${at}.test.js`, 'export {};\n']),
  ),
};

/** As its plan is when every step was measured in seven runs: a few seconds, or as many as a word of its name says. */
function afterSevenRuns(before: Files | null, after: Files, seconds: Readonly<Record<string, number>>): Plan {
  const steps = planned(before, after).jobs.flatMap((job) => job.steps);
  const durations = measured(steps.map((step) => [step, seconds[step.name] ?? 4] as const));
  return planned(before, after, { durations });
}

const STORIES: Readonly<Record<string, () => Plan>> = {
  'a-change-of-money': () => planned(SHOP, AFTER_MONEY),
  'a-change-of-what-money-is-worked-on-with': () =>
    planned(CHECKED, { ...CHECKED, 'packages/sums/index.js': 'export const sum = () => 0;\n' }),
  'words-only': () => planned(SHOP, { ...SHOP, 'README.md': '# The shop\n' }),
  'a-new-branch': () => planned(null, SHOP),
  'a-stranger-adds-a-package': () => {
    const after = {
      ...SHOP,
      'packages/cart/package.json': shopPackage('cart', { '@shop/money': '1.0.0', leftpad: '1' }),
    };
    const { change } = inputsFor(SHOP, after);
    return planned(SHOP, after, { change: { ...change, trust: 'untrusted' } });
  },
  'a-linter-is-configured': () => {
    const linted = {
      ...SHOP,
      'packages/greeting/package.json': json({
        name: '@shop/greeting',
        scripts: { lint: 'eslint .', test: 'node --test' },
      }),
    };
    return planned(linted, { ...linted, 'eslint.config.js': 'export default [];\n' });
  },
  'small-tests-of-a-website': () =>
    afterSevenRuns(WEBSITE, { ...WEBSITE, 'packages/money/src/index.js': 'other\n' }, { install: 20 }),
  'the-long-tests-of-a-website': () =>
    afterSevenRuns(
      WEBSITE,
      { ...WEBSITE, 'packages/greeting/src/index.js': 'export const greet = () => 1;\n' },
      { 'test packages/greeting': 14 * 60 },
    ),
  'a-store-in-go': () => planned(LIBRARY, { ...LIBRARY, 'store/store.go': 'package store // better\n' }),
};

/** The plan as it would be told: what runs, what does not, and what became of each file. */
function told(plan: Plan): string {
  const why = (subject: string): string =>
    explainSubject(plan, subject)?.explanation.sentence ?? `nobody knows ${subject}`;
  const part = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  return [
    plan.summary,
    ...part(
      'Runs',
      plan.jobs.flatMap((job) => [why(job.key), ...job.steps.map(({ run, workdir }) => `    in ${workdir}: ${run}`)]),
    ),
    ...part(
      'Does not run',
      plan.skipped.map(({ key }) => why(key)),
    ),
    ...part(
      'Changed files',
      plan.files.map(({ path }) => why(path)),
    ),
    ...part(
      'Units',
      plan.units.map(({ id }) => why(id)),
    ),
    ...part(
      'Notes',
      plan.notes.map(({ severity, message }) => `${severity}: ${message}`),
    ),
    '',
  ].join('\n');
}

describe('plans as people read them', () => {
  it.each(Object.entries(STORIES))('story: %s', async (name, plan) => {
    const file = new URL(`${name}.story.txt`, import.meta.url);
    const text = told(plan());
    if (process.env['UPDATE_STORIES'] === '1') await writeFile(file, text);
    expect(text).toBe(await readFile(file, 'utf8'));
  });
});
