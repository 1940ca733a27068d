import { describe, expect, it } from '@jest/globals';
import { shardStep } from '../construction/shards.ts';
import { discover } from '../discover.ts';
import type { UnitCommand } from '../model.ts';
import { snapshotOf, type Files } from '../planned-repository.fixture.ts';

function testOf(workflow: string, others: Files = {}, source = 'src/lib.rs'): UnitCommand | undefined {
  const files = {
    'Cargo.toml': '[package]\nname = "shop"\nversion = "0.1.0"\n',
    [source]: '',
    '.github/workflows/ci.yml': `jobs:\n  test:\n    steps:\n${workflow}`,
    ...others,
  };
  return discover(snapshotOf(files)).units[0]?.commands.find(({ kind }) => kind === 'test');
}

const NEXTEST = '      - run: cargo nextest run --workspace --profile ci\n';
const RUN = 'NEXTEST_NO_TESTS=pass cargo nextest run -p shop --profile ci';

describe('tests that workflows run by cargo-nextest', () => {
  it('are run by it, after they were compiled in a step of their own; those of documentation as ever', () => {
    expect(testOf(NEXTEST)).toMatchObject({
      step: { name: 'test .', run: `${RUN} && cargo test --doc -p shop`, workdir: '.' },
      before: [{ name: 'compile tests .', run: 'cargo nextest run -p shop --no-run', workdir: '.' }],
      evidence: 'Cargo.toml, cargo nextest by .github/workflows/ci.yml',
    });
  });

  it('run in shards, of which the first runs the tests of documentation', () => {
    const { step, shards } = testOf(NEXTEST) ?? {};
    if (step === undefined || shards === undefined) throw new Error('it has shards');
    expect([1, 2, 3].map((number) => shardStep(step, shards, { number, count: 3 }).run)).toEqual([
      `${RUN} --partition hash:1/3 && cargo test --doc -p shop`,
      `${RUN} --partition hash:2/3`,
      `${RUN} --partition hash:3/3`,
    ]);
  });

  it('given no library, or one whose documentation is not tested, then nothing else is run', () => {
    const untested = '[package]\nname = "shop"\n[lib]\ndoctest = false\n';
    expect(testOf(NEXTEST, { 'Cargo.toml': untested })?.step.run).toBe(RUN);
    expect(testOf(NEXTEST, {}, 'src/main.rs')?.step.run).toBe(RUN);
  });

  it.each([
    ['workflows that run both', `${NEXTEST}      - run: cargo test --workspace\n`],
    ['another toolchain', '      - run: cargo +nightly nextest run\n'],
    ['archives alone', '      - run: cargo nextest archive\n'],
  ])('given %s, then cargo runs them, and they are not divided', (_what, workflow) => {
    const command = testOf(workflow);
    expect(command?.step.run).toBe('cargo test -p shop');
    expect(command?.shards).toBeUndefined();
  });

  it('given lines for the tests of documentation besides, then nextest runs the others', () => {
    expect(testOf(`${NEXTEST}      - run: cargo test --doc\n`)?.step.run).toContain('cargo nextest run');
  });
});
