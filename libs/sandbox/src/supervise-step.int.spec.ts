import { expect, it } from '@jest/globals';
import { join } from 'node:path';
import { launchStep } from './launch-step.ts';
import { makePipes } from './output-pipe.ts';
import { STARTED_MARK, superviseStep, type Containment } from './supervise-step.ts';
import { collectOutput, step, withDirectories } from './testing/open-sandbox.fixture.ts';

const UNCONTAINED: Containment = {
  terminate: () => undefined,
  kill: () => undefined,
  sweep: async () => undefined,
  diskExceeded: () => new Promise(() => undefined),
  diskIsFull: async () => false,
};

it.each([
  ['at once', ''],
  ['after a word about a locale that is not installed', 'echo sh: warning: setlocale >&2; '],
])('given a launcher that says %s that the step has begun, then it has', async (_, before) => {
  await withDirectories(async (stateDir) => {
    const outputPipe = join(stateDir, 'output');
    await makePipes([outputPipe]);
    const script = `${before}printf '${STARTED_MARK.trimEnd()}\\n' >&2; exec 2>&1; echo it`;
    const argv = ['/bin/sh', '-c', script] as const;
    const output = collectOutput();
    const supervised = await superviseStep(
      () =>
        launchStep({
          argv,
          cwd: '/',
          env: {},
          feeds: [],
          reportsStatus: false,
          outputPipe,
          gate: null,
          sizes: null,
          outlet: null,
        }),
      step(),
      UNCONTAINED,
      1_000,
      { bytesMax: 1_000, sink: output.sink },
    );
    expect([supervised.started, supervised.setupMessage, output.text()]).toEqual([true, '', 'it\n']);
  });
});
